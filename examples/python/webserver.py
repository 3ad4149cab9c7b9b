"""A WSGI application under the standard library's server; COLUMBA=1 in the environment is all it needs.

Try: COLUMBA=1 python examples/python/webserver.py, then open http://127.0.0.1:8000/100000
"""

from wsgiref.simple_server import make_server


def application(environ, start_response):
    text = environ["PATH_INFO"].strip("/") or "10"
    if not text.isdigit():
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"a number, please\n"]
    total = 0
    for i in range(int(text)):
        total += i * i % 7
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{total}\n".encode()]


if __name__ == "__main__":
    make_server("127.0.0.1", 8000, application).serve_forever()
