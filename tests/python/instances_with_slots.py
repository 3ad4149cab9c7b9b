# Instances whose class has slots, made in line: values, slots that are not set, inheritance, references, classes that change.
import gc
import math
import sys
import weakref


class Point:
    __slots__ = ("x", "y", "z")

    def __init__(self, i):
        self.x = x = math.sin(i)
        self.y = math.cos(i) * 3
        self.z = (x * x) / 2

    def __add__(self, other): return Pair(self.x + other.x, self.y + other.y)


class Pair:
    __slots__ = ("b", "a", "unset")

    def __init__(self, a, b):
        self.a = a
        self.b = b


class Derived(Pair):
    __slots__ = ("c", "__weakref__")

    def __init__(self, a, b):
        self.c = a
        self.a = b
        self.b = (a, b)


class Beside:
    """A slot beside a dictionary."""
    __slots__ = ("a", "__dict__")

    def __init__(self, a, b):
        self.a = a
        self.b = b


class Inherits(Pair):
    def __init__(self, a, b):
        self.a = a
        self.own = b


def points(n): return [Point(i) for i in range(n)]
def point(i):
    p = Point(i)
    return p.x + p.y, p
def pair(a, b): return Pair(a, b)
def derived(a, b): return Derived(a, b)
def beside(a, b): return Beside(a, b)
def inherits(a, b): return Inherits(a, b)
def total(n):
    t = 0.0
    for i in range(n):
        t += (Point(i) + Point(i + 1)).a
    return t


def shown(o):
    names = [n for c in type(o).__mro__ for n in getattr(c, "__slots__", ()) if not n.startswith("__")]
    return type(o).__name__, [(n, getattr(o, n, "unset")) for n in names], getattr(o, "__dict__", None)


def attempt(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    for i in range(200):
        point(i), pair(i, str(i)), derived(i, 1.5), beside(i, i), inherits(i, i)
    print(points(3)[2].z, point(5)[0], shown(pair(1, [2])), shown(derived("a", 0.5)), shown(beside(1, 2)), shown(inherits(3, 4)), total(100))
    p = pair("x" * 3, 2.5)
    print(attempt(lambda: p.unset), attempt(setattr, p, "other", 1), gc.is_tracked(p))
    p.unset = p
    d = derived(p, p)
    print(weakref.ref(d)() is d, sys.getrefcount(p), d.b[0] is p)
    print(attempt(point, "a"), attempt(point, math.inf), attempt(pair, 1), attempt(point, 10**400))
    thing = object()
    before = sys.getrefcount(thing), sys.getrefcount(Pair), sys.getallocatedblocks()
    for i in range(500):
        pair(thing, i), derived(i, thing), total(3)
    print(sys.getrefcount(thing) - before[0], sys.getrefcount(Pair) - before[1], abs(sys.getallocatedblocks() - before[2]) < 300)
    kept = [Pair(Derived(i, i), [i]) for i in range(3000)]
    print(sum(k.a.c for k in kept), len(gc.get_referents(kept[5])))
    Pair.a = property(lambda self: "property", lambda self, value: None)
    print(shown(pair(1, 2)), pair(1, 2).b)
    Point.__init__ = lambda self, i: setattr(self, "x", i)
    print(shown(point(3)[1]) if type(attempt(point, 3)) is tuple else attempt(point, 3), Point(4).x)
    Derived.__setattr__ = lambda self, name, value: object.__setattr__(self, name, [value])
    print(shown(derived(1, 2)))


main()
if "columba" in sys.modules:
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        done = columba.info(total).optimisations
        assert any(name.startswith("inline_instances") for name in done) or columba.info(total).versions > 1, done
