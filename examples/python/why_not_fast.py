"""Asks Columba what it did with a function, and why. Try: python -m columba examples/python/why_not_fast.py"""

import columba


def fast(n):
    s = 0.0
    for i in range(n):
        s += i * 0.5
    return s


def changing(values):
    s = 0
    for v in values:
        s = s + v
    return s


for _ in range(50):
    fast(1000)
    changing([1, 2.5, 3])
    changing(["a"][:0])

for function in (fast, changing):
    info = columba.info(function)
    print(f"{function.__name__}: compiled={info.compiled} reason={info.reason} tier={info.tier} entered={info.entered}")
    print(f"    exits={info.exits} bytes={info.bytes} optimisations={info.optimisations}")
