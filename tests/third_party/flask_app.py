"""A Flask application that serves requests over a socket, to several clients at once."""

import json
import threading
import urllib.error
import urllib.request

from flask import Flask, abort, jsonify, render_template_string, request
from werkzeug.serving import make_server

app = Flask(__name__)
visits = {}


@app.before_request
def count():
    visits[request.path] = visits.get(request.path, 0) + 1


@app.get("/sum/<int:n>")
def total(n):
    t = 0
    for i in range(n):
        t += i
    return jsonify(total=t, n=n)


@app.post("/echo")
def echo():
    return {"got": request.get_json(), "args": sorted(request.args.items())}


@app.route("/page")
def page():
    return render_template_string("<ul>{% for x in items %}<li>{{ loop.index }} {{ x|upper }}</li>{% endfor %}</ul>", items=["a", "<b>"])


@app.route("/fail")
def fail():
    return 1 // 0


@app.route("/stream")
def stream():
    def lines():
        for i in range(5):
            yield f"line {i}\n"

    return lines(), {"Content-Type": "text/plain"}


@app.errorhandler(ZeroDivisionError)
def divided(error):
    return f"handled {error}", 418


@app.route("/gone")
def gone():
    abort(410)


import logging

logging.getLogger("werkzeug").disabled = True
server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.port}"


def get(path, data=None):
    headers = {"Content-Type": "application/json"} if data is not None else {}
    body = None if data is None else json.dumps(data).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, body, headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


for _ in range(30):
    results = [get("/sum/100"), get("/echo?b=1&a=2", {"k": [1, 2.5, None]}), get("/page"), get("/fail"), get("/stream"), get("/gone"), get("/nowhere")]
for result in results:
    print(result)
answers = []


def client(k):
    answers.extend(get(f"/sum/{k * 10 + i}")[1] for i in range(10))


threads = [threading.Thread(target=client, args=(k,)) for k in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(answers), sum(json.loads(a)["total"] for a in answers))
print(visits["/sum/100"], visits["/page"], visits["/nowhere"])
server.shutdown()
