# Calls of functions with starred and keyword-only arguments: every way to pass them, what is wrong with a call, when things die.
import gc
import sys


def plain(a, b=2, *rest, c=3, d, **others): return a, b, rest, c, d, others
def stars(*args): return args
def keywords(**kwargs): return kwargs
def only(a, /, b, *, c=(1, 2)): return a, b, c
def hidden(a, /, **kwargs): return a, kwargs
def both(self, *args, **kwargs): return len(args), sorted(kwargs)


class C:
    def method(self, x, *args, flag=False, **kwargs):
        if flag:
            return x
        return self.pass_on(x, *args, **kwargs)

    def pass_on(self, *args, **kwargs): return args, kwargs
    def log(self, message, *args): return message % args if args else message


c = C()


def calls(i):
    return [
        plain(1, d=4), plain(1, 5, d=4), plain(1, 5, 6, 7, d=i, c=9), plain(d=1, a=2), plain(1, d=2, e=i, f=4),
        stars(), stars(1), stars(1, i, 3), keywords(), keywords(a=1), keywords(a=i, b=2),
        only(1, 2), only(1, b=2), only(1, 2, c=i), hidden(1), hidden(1, a=2), hidden(1, b=i),
        both(1), both(1, 2, x=i), c.method(1), c.method(1, 2, i), c.method(1, 2, y=i), c.method(i, flag=True),
        c.log("text"), c.log("%d-%s", i, "x"),
    ]


for i in range(100):
    result = calls(i)
for one in result:
    print(one)


def through(f, args, kwargs): return f(*args, **kwargs)
def through_items(f, args): return f(*args)


for i in range(60):
    passed = (through(plain, (1, 2, 3), {"d": i}), through(stars, [1, i], {}), through(keywords, (), {"x" + "y": i}),
              through_items(stars, (1, i)), through_items(c.log, ("%s", i)), through_items(c.pass_on, range(3)),
              through_items(stars, range(40))[-1], through(c.method, (i,), {"flag": True}))
print(passed)


def wrong(n):
    try:
        match n % 9:
            case 0: plain(1)
            case 1: plain()
            case 2: only(1, 2, 3)
            case 3: only(a=1, b=2)
            case 4: only(1, 2, d=3)
            case 5: plain(1, a=2, d=3)
            case 6: stars(x=1)
            case 7: keywords(1)
            case 8: through(only, (), {"b": 1})
    except TypeError as e:
        return str(e)


for i in range(90):
    said = wrong(i)
    if i >= 81:
        print(said)

# Defaults that change, keyword defaults that go.
def defaulted(*, x=1, y=2): return x, y
def use(): return defaulted(), defaulted(y=5)
for i in range(40):
    found = use()
print(found)
defaulted.__kwdefaults__ = {"x": 10, "y": 20}
print(use())
defaulted.__kwdefaults__["x"] = 30
print(use())
defaulted.__kwdefaults__ = {"y": 1}
try:
    use()
except TypeError as e:
    print(e)
defaulted.__kwdefaults__ = None
try:
    use()
except TypeError as e:
    print(e)


# Tuples and dictionaries are new each time, and what they hold is held once.
def give(*args, **kwargs): return args, kwargs
thing = object()
def many(n):
    before = sys.getrefcount(thing)
    kept = [give(thing, thing, k=thing) for _ in range(n)]
    kwargs = {id(pair[1]) for pair in kept}
    while_kept = sys.getrefcount(thing) - before
    del kept
    return len(kwargs) == n, while_kept - 3 * n, sys.getrefcount(thing) - before
for i in range(40):
    counted = many(5)
print(counted)
print(all(stars() is stars() for _ in range(3)), stars(*(1, 2)) == (1, 2))


class Loud:
    def __init__(self, n): self.n = n
    def __del__(self): gone.append(self.n)


gone = []
def drops(*args, **kwargs):
    if kwargs:
        raise LookupError(len(args))
    return len(args)


def drop(i):
    gone.append("call")
    r = drops(Loud(i), Loud(i + 1))
    try:
        drops(Loud(i), k=Loud(i + 2))
    except LookupError:
        gone.append("raised")
    gone.append("end")
    return r
for i in range(40):
    drop(i % 5)
print(sorted(map(str, gone[-7:])))


# Cells, recursion, and the collector at work while arguments are put together.
def adder(*values, start=0):
    def total(): return sum(values) + start
    return total()
def deep(n, *rest, **others):
    if n == 0:
        return len(rest), len(others)
    return deep(n - 1, n, *rest, **others)
threshold = gc.get_threshold()
gc.set_threshold(1)
for i in range(60):
    got = adder(1, 2, i), adder(start=i), deep(20, k=1)
gc.set_threshold(*threshold)
print(got)
def endless(*args): return endless(*args)
for _ in range(3):
    try:
        endless(1)
    except RecursionError as e:
        print(str(e)[:32])
