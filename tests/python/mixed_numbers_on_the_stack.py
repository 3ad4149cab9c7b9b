# Sums and products of numbers that are ints at one time and floats at another, where they are operands of one another, arguments
# of small functions, and on the stack when the code is left.
import math
import sys


class V:
    def __init__(self, x, y): self.x, self.y = x, y
    def dot(self, other): return self.x * other.x + self.y * other.y
    def __mul__(self, k): return V(self.x * k, self.y * k)
    def __sub__(self, other): return V(self.x - other.x, self.y - other.y)
    def larger(self): return self.x * 2 if self.x > self.y else self.y - 0.0
    def both(self):
        p = self.x * self.y
        return p is p, -p, p + p
    def keep(self, k): self.z = self.x * k


def norm(v): return math.sqrt(v.x * v.x + v.y * v.y)
def angle(a, b): return a.dot(b) / (a.dot(a) * b.dot(b) + 1)
def signs(v): return -(v.x * v.y), -(v.x + v.y), 0 - v.x * v.y, v.x * v.y * -1
def chain(v, k): return (v.x * v.y - v.x) * k + v.y
def compares(v): return v.x * v.y < v.x + v.y, v.x * v.y == v.y, v.x - v.y >= 0, 1.5 < v.x * v.x <= 9
def truths(v): return "yes" if v.x * v.y else "no", not v.x - v.y, (v.x * v.x) and 7, (v.y - v.y) or v.x, v.x * v.y is None
def calls(v, f): return [v.x * v.y, f(v.x + v.y), v.x - v.y]
def raises(v, f): return v.x * v.y + f()
def indexed(v, items): return v.x * v.y, items[0], v.x + items[1]
def scaled(v, w): return v * (w.x * w.y), (v - w).x, (v * w.x).y
def larger(v): return v.larger()
def both(v): return v.both()
def converted(v): return float(v.x * v.y), int(v.x * v.y), math.fabs(v.x - v.y), math.sqrt(v.x * v.x)
def kept(v, k):
    v.keep(v.x * k)
    v.keep(k)
    return v.z
def walrus(v): return (p := v.x * v.y) + p, p is p
def text(v): return f"{v.x * v.y} {v.x - v.y!r} {v.x + v.y:>5}"
def bits(v): return (v.x * v.y) // 1, (v.x + v.y) % 3, (v.x * v.x) ** 2


def generator(v):
    yield v.x * v.y
    t = v.x * v.y + (yield v.x - v.y)
    yield t


def shown(value):
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(shown, value)) + ")"
    if isinstance(value, V):
        return f"V({shown(value.x)}, {shown(value.y)})"
    return f"{type(value).__name__} {value!r:.50}"


def attempt(call, *arguments):
    try:
        return shown(call(*arguments))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


FUNCTIONS = [norm, lambda v: angle(v, V(1, 0.5)), lambda v: angle(V(2, 3), v), signs, lambda v: chain(v, 3), lambda v: chain(v, 0.5), compares, truths,
             lambda v: calls(v, str), lambda v: indexed(v, (1, 2.5)), lambda v: scaled(v, V(1.5, 2)), lambda v: scaled(V(1, 2.5), v), larger, both,
             converted, lambda v: kept(v, 2), lambda v: kept(v, 0.5), walrus, text, bits, lambda v: list(generator_of(v))]


def generator_of(v):
    g = generator(v)
    yield next(g)
    yield next(g)
    yield g.send(v.x * v.y)


def warm():
    for i in range(1, 150):
        for v in V(i, 2), V(i * 0.5, 2), V(i, 0.5), V(i * 0.25, 1.5), V(-i, -3):
            for function in FUNCTIONS:
                function(v)


MOST = 2**53
EDGES = [0, -0.0, 0.0, 1, -1, 2.5, True, MOST - 1, MOST, MOST + 1, -MOST, float(MOST), 94906265, 94906266.0, 94906267, 2**31, -2**31, 2**62, 2**64, -10**30, 1e308,
         math.inf, -math.inf, math.nan, 2j, None]


def edges():
    for x in EDGES:
        for y in EDGES:
            print(repr(x), repr(y), [attempt(function, V(x, y)) for function in FUNCTIONS])


def left_in_the_middle():
    """What is on the stack when a later operation leaves or raises, ints and floats apart."""
    def fail():
        raise KeyError(len(FUNCTIONS))
    for i in range(300):
        v = V(i, 2) if i % 2 else V(i * 0.5, 3)
        raises(v, lambda: 1), calls(v, str), indexed(v, (1, 2))
    for v in V(3, 2), V(1.5, 2), V(0, -1), V(0.0, -1), V(2**40, 2**13), V(2**40, 2**13 - 1):
        print(attempt(raises, v, fail), attempt(raises, v, lambda: "text"), attempt(raises, v, lambda: 10**20), attempt(calls, v, len),
              attempt(indexed, v, [7, "x"]), attempt(indexed, v, ()), attempt(indexed, v, {0: 1, 1: 2j}))


def used():
    if "columba" in sys.modules:
        import columba
        config = columba.config()
        if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
            for function in norm, angle, signs, chain, compares, scaled:
                done = columba.info(function).optimisations
                assert any(name.startswith("mixed-arithmetic") for name in done), (function, done)
            for function in angle, scaled, kept:
                done = columba.info(function).optimisations
                assert any(name.startswith("inline_calls") for name in done), (function, done)


warm()
used()
edges()
left_in_the_middle()
before = sys.getallocatedblocks()
warm()
warm()
print(abs(sys.getallocatedblocks() - before) < 1000)
