# Functions that C code calls where no Python frame is: their exceptions arrive.
import atexit
import sys
import traceback


def inner(k):
    if k > 0:
        raise ValueError(k)
    return k


def last(k):
    return inner(k) + 1


def report(unraisable):
    print(unraisable.exc_type.__name__, unraisable.exc_value, traceback.extract_tb(unraisable.exc_traceback)[-1].name, flush=True)


for i in range(60):
    last(-i)
sys.unraisablehook = report
for k in range(4):
    atexit.register(last, k)
    atexit.register(last, k=k)
