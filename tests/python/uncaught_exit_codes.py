# Programs that end by exceptions and exits: their codes and what they write.
import subprocess
import sys

PROGRAMS = {
    "exit": "import sys\ndef f(): sys.exit(3)\nf()",
    "message": "raise SystemExit('bye')",
    "error": "def f(n):\n    for i in range(n):\n        if i == 50: [][i]\nf(100)",
    "group": "def f(): raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\nf()",
    "interrupt": "import signal, os\ndef f():\n    os.kill(os.getpid(), signal.SIGINT)\n    while True: pass\ntry: f()\nexcept KeyboardInterrupt: print('interrupted'); raise SystemExit(7)",
    "atexit": "import atexit\natexit.register(lambda: print('at exit'))\ndef g():\n    try:\n        yield 1\n    finally:\n        print('generator closed')\nx = g(); next(x)\nprint('end')",
    "recursion": "def f(n): return f(n + 1)\ntry: f(0)\nexcept RecursionError as e: print(e)",
    "thread": "import threading\ndef f(): return 1 // 0\nthreading.excepthook = lambda a: print('hook', a.exc_type.__name__)\nt = threading.Thread(target=f); t.start(); t.join()",
    "unraisable": "class C:\n    def __del__(self): raise ValueError('in del')\ndef f():\n    for i in range(3): C()\nimport sys\nsys.unraisablehook = lambda u: print('unraisable', u.exc_value)\nf()",
    "syntax": "def f(:\n",
}
for name, text in PROGRAMS.items():
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=50)
    print(name, done.returncode, repr(done.stdout), repr(done.stderr))
