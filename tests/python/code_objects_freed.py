# Functions and code objects are created and dropped; a running function loses its last reference.
import gc
import time
import weakref


def make(n):
    namespace = {}
    exec(f"def f(x):\n    t = 0\n    for i in range(x):\n        t += i * {n}\n    return t\n", namespace)
    return namespace["f"]


total = 0
for n in range(300):
    f = make(n)
    for _ in range(3):
        total += f(5)
    w = weakref.ref(f.__code__)
print(total, w() is not None)
del f
# A compilation in the background may hold on to it, but not for long.
for _ in range(500):
    gc.collect()
    if w() is None:
        break
    time.sleep(0.01)
print(w() is None)


def forget():
    global forget
    del forget
    gc.collect()
    t = 0
    for i in range(1000):
        t += i
    return t


print(forget())


def redefined(n):
    global redefined
    if n == 0:
        redefined = lambda n: "new"
    t = 0
    for i in range(100):
        t += i
    return t, n


for i in range(40):
    redefined(i + 1)
print(redefined(0), redefined(0))


class Holder:
    def method(self):
        del Holder.method
        return sum(i for i in range(10))


print(Holder().method(), hasattr(Holder, "method"))


def replace_own_code(n):
    replace_own_code.__code__ = other.__code__
    s = 0
    for i in range(n):
        s += i
    return s


def other(n):
    return "other"


print(replace_own_code(100), replace_own_code(100))


def closures():
    out = []
    for i in range(200):
        def inner(x, i=i):
            return x + i
        out.append(inner(1))
    return sum(out)


print(closures(), closures())
same_code = [lambda x: x + 1 for _ in range(50)]
print(sum(f(i) for i, f in enumerate(same_code)), len({id(f.__code__) for f in same_code}))


def generator_outlives():
    def g():
        for i in range(5):
            yield i
    it = g()
    next(it)
    return it


it = generator_outlives()
gc.collect()
print(list(it))
copy = make(3).__code__.replace(co_name="renamed")
print(copy.co_name, eval(copy) if not copy.co_argcount else "takes arguments")
