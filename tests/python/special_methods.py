# Classes made and operators applied where Python functions implement them: results, order, NotImplemented, errors, limits.
import sys
import traceback


class Vector:
    def __init__(self, x, y=0):
        self.x, self.y = x, y
    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self.x + other.x, self.y + other.y)
    def __sub__(self, other): return Vector(self.x - other.x, self.y - other.y)
    def __mul__(self, k): return Vector(self.x * k, self.y * k)
    def __rmul__(self, k): return Vector(k * self.x, k * self.y)
    def __eq__(self, other): return self.x == other.x and self.y == other.y
    def __lt__(self, other):
        if type(other) is int:
            return NotImplemented
        return self.x < other.x
    def __call__(self, *args, scale=1): return scale * (self.x + len(args))
    def __repr__(self): return f"<{self.x} {self.y}>"


class Named(Vector):
    def __radd__(self, other): return "radd of the subclass"
    def __gt__(self, other): return "gt of the subclass"


class Other:
    def __radd__(self, other): return ("radd", other)
    def __gt__(self, other): return ("gt", other)


class InPlace:
    def __init__(self): self.n = 0
    def __iadd__(self, k):
        self.n += k
        return self
    def __add__(self, k): return "add"


class Sequence(list):
    def __add__(self, other): return NotImplemented
    def __mul__(self, other): return NotImplemented


class Bad:
    def __init__(self, result): return result


class Raising:
    def __init__(self, n):
        if n > 2:
            raise ValueError(n)
        self.n = n
    def __add__(self, other): raise KeyError(other)
    def __eq__(self, other): raise IndexError(other)


class Plain:
    pass


class Meta(type):
    def __call__(cls, *args): return ("meta", args)


class WithMeta(metaclass=Meta):
    def __init__(self, n): self.n = n


class OwnNew:
    def __new__(cls, n): return n
    def __init__(self, n): raise AssertionError


class NewFirst:
    def __new__(cls, n):
        self = object.__new__(cls)
        self.order = ["new"]
        return self
    def __init__(self, n): self.order.append("init")


def operators(n):
    total = 0
    v = Vector(1, 2)
    for i in range(n):
        w = v + Vector(i, i) - v * 2
        u = 3 * w
        total += w.x + u.y + v(i, i) + v(scale=2) + (v == w) + (v < w) + (v != w)
    return total


def shown(call):
    try:
        return call()
    except Exception as error:
        lines = [(f.name, f.line) for f in traceback.extract_tb(error.__traceback__)][1:]
        return type(error).__name__, str(error), lines


def edges():
    v = Vector(1, 2)
    make = [
        lambda: v + 1,
        lambda: v + "text",
        lambda: v + [1],
        lambda: v + Other(),
        lambda: v + Named(5),
        lambda: v < Named(5),
        lambda: v < 3,
        lambda: v < Other(),
        lambda: v * [1],
        lambda: [1] * v,
        lambda: 1 + v,
        lambda: v @ v,
        lambda: v ** 2,
        lambda: v % v,
        lambda: Sequence([1]) + [2],
        lambda: Sequence([1]) * 2,
        lambda: Bad(None).__class__.__name__,
        lambda: Bad(3),
        lambda: Bad(v),
        lambda: Raising(5),
        lambda: Raising(1) + 4,
        lambda: Raising(1) == 4,
        lambda: Plain().__class__.__name__,
        lambda: Plain(1),
        lambda: Vector(),
        lambda: Vector(1, 2, 3),
        lambda: Vector(y=1, x=5),
        lambda: Vector(1, z=5),
        lambda: WithMeta(3),
        lambda: OwnNew(8),
        lambda: NewFirst(8).order,
        lambda: v(1, 2, scale=10),
        lambda: v(wrong=1),
        lambda: Plain()(),
        lambda: v == 3,
        lambda: Plain() == Plain(),
        lambda: Plain() < Plain(),
        lambda: 2.5 > 2,
        lambda: 1 < 1.5,
        lambda: float("nan") != 1,
        lambda: 2 ** 53 + 1 == float(2 ** 53),
    ]
    return [shown(call) for call in make]


def in_place(n):
    a, b = InPlace(), Vector(0)
    for i in range(n):
        a += i
        b += Vector(1)
    return a.n, b


class Deep:
    def __init__(self, n):
        self.below = Deep(n - 1) if n else None
    def __add__(self, other): return self + other


def limits():
    sys.setrecursionlimit(200)
    try:
        for call in lambda: Deep(1000), lambda: Deep(0) + 1:
            try:
                call()
            except RecursionError as error:
                print("RecursionError", str(error).split(" while")[0])
        depth = 0
        while True:
            try:
                Deep(depth)
            except RecursionError:
                break
            depth += 1
        print("depth of classes", depth)
    finally:
        sys.setrecursionlimit(1000)


class Changing:
    def __init__(self, n): self.n = n


def changing(n):
    found = []
    for i in range(n):
        if i == n // 2:
            def init(self, n): self.n = -n
            Changing.__init__ = init
            Changing.__add__ = lambda self, other: "added"
        c = Changing(i)
        try:
            found.append((c.n, c + 1))
        except TypeError as error:
            found.append((c.n, str(error)))
    return found[0], found[n // 2 - 1], found[n // 2], found[-1]


def main():
    print(operators(300))
    for _ in range(30):
        results = edges()
    for result in results:
        print(result)
    print(in_place(300))
    print(changing(100))
    limits()
    before = sys.getrefcount(Vector)
    operators(300)
    print(sys.getrefcount(Vector) - before)


main()
if "columba" in sys.modules:
    import columba

    # With the default threshold it is a matter of time.
    if columba.config()["threshold"] <= 20:
        for function in Vector.__add__, Vector.__init__:
            assert columba.info(function).compiled, function
        assert columba.info(Vector.__init__).entered > 100, columba.info(Vector.__init__).entered
