# Frames of compiled functions: sys._getframe, locals(), f_locals, f_back, inspect.
import inspect
import sys


def chain(n):
    local = n * 2
    if n:
        return chain(n - 1)
    out = []
    f = sys._getframe()
    while f.f_code.co_name == "chain":
        out.append((f.f_lineno - f.f_code.co_firstlineno, dict(f.f_locals, f=None, out=None)))
        f = f.f_back
    return out


for _ in range(20):
    r = chain(3)
print(*r, sep="\n")


def sees_locals(n):
    x = 0.0
    i = 0
    snapshots = []
    while i < n:
        x += 1.5
        if i % 10 == 3:
            snapshots.append(dict(locals(), snapshots=None))
        i += 1
    del i
    snapshots.append(sorted(locals()))
    return snapshots


for _ in range(10):
    r = sees_locals(30)
print(*r, sep="\n")


def watcher():
    f = sys._getframe(1)
    return {k: v for k, v in f.f_locals.items() if k != "seen"}, f.f_lineno - f.f_code.co_firstlineno


def watched(n):
    seen = []
    total = 0
    weight = 0.5
    for i in range(n):
        total += i
        weight *= 2.0
        if i % 5 == 0:
            seen.append(watcher())
    return seen


for _ in range(20):
    r = watched(12)
print(*r, sep="\n")


def cells(n):
    def inner():
        return n
    x = n
    n += 1
    return sorted((k, v if not callable(v) else "function") for k, v in locals().items()), sorted(inner.__code__.co_freevars)


for _ in range(20):
    r = cells(1)
print(r)


def stack_names():
    return [f.function for f in inspect.stack()[:4]], inspect.currentframe().f_code.co_name, inspect.stack()[0].lineno - stack_names.__code__.co_firstlineno


def call_it(x):
    y = x + 1
    return stack_names()


for _ in range(20):
    r = call_it(1)
print(r)


def evaluated(a, b):
    c = a + b
    exec("c = 100")
    return eval("a + b + c"), vars() == locals(), sorted(dir())


for _ in range(20):
    r = evaluated(1, 2)
print(r)


def gen(n):
    for i in range(n):
        x = i * 1.5
        yield sys._getframe().f_locals["x"], sys._getframe().f_lineno - sys._getframe().f_code.co_firstlineno


print(list(gen(4)))
g = gen(3)
next(g)
print(g.gi_frame.f_locals, inspect.getgeneratorstate(g), inspect.getgeneratorlocals(g))


def kept_frame(n):
    a = n
    b = [a] * 2
    f = sys._getframe()
    for i in range(n):
        a += i
    return f


for _ in range(20):
    f = kept_frame(10)
print(f.f_locals["a"], f.f_locals["b"], f.f_locals["i"], f.f_lineno - f.f_code.co_firstlineno)
f.clear()
print(f.f_locals)


class Body:
    x = 1
    names = sorted(k for k in locals() if not k.startswith("__"))
    frame_name = sys._getframe().f_code.co_name


print(Body.names, Body.frame_name, inspect.signature(watched), inspect.getsource(watcher).splitlines()[0])


def super_in_frames():
    class A:
        def f(self):
            return [sys._getframe(i).f_code.co_qualname for i in range(3)]

    class B(A):
        def f(self):
            return super().f()

    return B().f()


for _ in range(20):
    r = super_in_frames()
print(r)


def line_after_return(flag):
    global kept
    kept = sys._getframe()
    if flag:
        return
    # the line of the return that was taken


for flag in (True, False):
    line_after_return(flag)
    print(kept.f_lineno - kept.f_code.co_firstlineno)
