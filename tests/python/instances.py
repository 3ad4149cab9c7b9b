# Instances of Python classes made in line: attributes and their order, defaults, checks, identity, classes that change.
import gc
import sys
import traceback


class Vector:
    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other): return Vector(self.x + other.x, self.y + other.y, self.z + other.z)
    def scaled(self, k): return Vector(self.x * k, self.y * k, self.z * k)


class Ray:
    def __init__(self, origin, way):
        self.way = way.scaled(1.0)
        self.origin = origin


class Derived:
    def __init__(self, a, b):
        self.b = b
        self.sum = a + b
        self.double = self.sum * 2
        self.none = None
        self.a = a


class Checked:
    def __init__(self, n):
        if n < 0:
            raise ValueError(n)
        self.n = n


class Choosing:
    def __init__(self, n):
        if n % 2:
            self.odd = n
        else:
            self.even = n


class Twice:
    def __init__(self, n):
        self.n = 0
        self.n = n


class Slotted:
    __slots__ = "a",
    def __init__(self, a): self.a = a


class Child(Vector):
    kind = "child"


class Property:
    def __init__(self, n): self.n = n
    @property
    def n(self): return self._n
    @n.setter
    def n(self, value): self._n = value + 1


class Setting:
    def __init__(self, n): self.n = n
    def __setattr__(self, name, value): object.__setattr__(self, name, (name, value))


class Returning:
    def __init__(self, n): return n


class Counting:
    made = 0
    def __init__(self, n):
        self.n = n
        Counting.made += 1
    def __del__(self): Counting.made -= 1


class Linked:
    def __init__(self, next): self.next = next


def vectors(n):
    total = Vector(0, 0.0, 0)
    for i in range(n):
        total = total + Vector(i, i * 0.5, 1).scaled(2)
    return total.x, total.y, total.z


def derived(n): return [(list(d.__dict__), d.sum, d.double, d.a) for d in [Derived(i, i + 1) for i in range(n)]][-1]


def identities(n):
    same = 0
    for i in range(n):
        big, number = i + 10**6, i * 0.25
        d = Vector(big, number, big)
        same += d.x is big and d.y is number and d.z is d.x
    return same


def chain(n):
    node = None
    for i in range(n):
        node = Linked(node)
    count = 0
    while node is not None:
        node, count = node.next, count + 1
    return count


def make(cls, *arguments):
    if len(arguments) == 1:
        return cls(arguments[0])
    return cls(*arguments)


def checked(n): return Checked(n).n
def choosing(n): return Choosing(n).__dict__
def twice(n): return Twice(n).__dict__
def slotted(n): return Slotted(n).a
def child(n): return Child(n, n, n).x, Child(n, n, n).kind
def properties(n): return Property(n).n
def setting(n): return Setting(n).n
def returning(n): return Returning(n)
def counting(n): return Counting(n).n
def ray(n): return Ray(n, Vector(n, n, n)).way.x
def missing(n): return Vector(n, n)


def shown(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__, str(error), [(f.name, f.line) for f in traceback.extract_tb(error.__traceback__)][1:]


CALLS = checked, choosing, twice, slotted, child, properties, setting, returning, counting, ray, missing


def main():
    for _ in range(40):
        results = [[shown(call, n) for call in CALLS] for n in (3, 4)]
        vectors(5), derived(3), identities(3), chain(3)
    print(*results, sep="\n")
    print(vectors(300), derived(30), identities(300), chain(300))
    print([shown(checked, -1), shown(checked, 5), shown(checked, "text"), shown(returning, None) is not None])
    print(shown(counting, 1), Counting.made)
    gc.collect()
    before = sys.getrefcount(Vector), sys.getrefcount(None) // 1000
    vectors(500)
    print(sys.getrefcount(Vector) - before[0])
    # Many, so that the collector runs while they are made.
    kept = [Linked(Vector(i, [i], (i,))) for i in range(3000)]
    print(sum(link.next.x for link in kept), len(kept))
    Vector.__init__ = lambda self, x, y, z: setattr(self, "x", -x) or setattr(self, "y", y) or setattr(self, "z", z)
    print(vectors(300))
    def init(self, x, y, z): self.x, self.y, self.z, self.more = x, y, z, 1
    Vector.__init__ = init
    print(vectors(300), list(Vector(1, 2, 3).__dict__))
    Vector.__init__.__code__ = (lambda self, x, y, z: self.__dict__.update(x=x, y=y, z=0)).__code__
    print(vectors(300))
    Checked.__new__ = lambda cls, n: object.__new__(cls)
    print(shown(checked, 3), shown(checked, -3))
    Twice.__setattr__ = lambda self, name, value: object.__setattr__(self, name, [value])
    print(twice(3))
    Slotted.__init__ = lambda self, a: None
    print(shown(slotted, 1))
    Linked.next = property(lambda self: 5, lambda self, value: None)
    print(Linked(3).next, shown(make, Linked, 3).next)


main()
if "columba" in sys.modules:
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        done = columba.info(identities).optimisations
        assert any(name.startswith("inline_instances") for name in done), done
