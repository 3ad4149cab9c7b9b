# Small functions whose bodies take the place of their calls: what they return, what they raise, and what is changed under them.
import sys
import traceback


class Vector:
    def __init__(self, x, y, flag=True):
        self.x = x
        self.y = y
        self.flag = flag
        self.other = not flag

    def dot(self, other): return self.x * other.x + self.y * other.y
    def get(self): return self.x
    def itself(self): return self
    def asked(self): return self.flag or (not self.other and self.flag)
    def chosen(self, k):
        if k > 3:
            return self.x
        return self.y
    def mixed(self, k):
        if k == 1:
            return k
        if k == 2:
            return 2.5
        if k == 3:
            return None
        return self.x if k is not None else "none"
    def over(self, k): return self.x / k


class Slotted:
    __slots__ = ("x",)
    def __init__(self, x): self.x = x
    def get(self): return self.x


def formula(i, j): return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)
def first(pair):
    a, b = pair
    return a
def same(x): return x
def constant(): return 1234.5
def big(a, b): return a * b
def swapped(a, b):
    a, b = b, a
    return a - b


def numbers(n):
    total = 0.0
    for i in range(n):
        total += formula(i, 3) + swapped(i, 2) + first((i, n))
    return total


def vectors(n, a, b, s):
    total, asked = 0.0, 0
    for i in range(n):
        total += a.dot(b) + a.chosen(i & 7) + a.get() + s.get()
        asked += a.asked()
    return total, asked


def mixtures(n, a):
    return [a.mixed(i % 6) for i in range(n)] + [a.mixed(None)]


def identities(n, a, x):
    kept = [a.itself() is a and same(x) is x and constant() is constant() for i in range(n)]
    y = x + 0.5
    return all(kept), same(y) is y


def divided(a, ks):
    out = []
    for k in ks:
        try:
            out.append(a.over(k))
        except (ZeroDivisionError, TypeError) as error:
            out.append((type(error).__name__, str(error), [f.name for f in traceback.extract_tb(error.__traceback__)]))
    return out


def large(n, a):
    return [big(a, i) for i in range(n)]


def deep(n):
    return same(n) if n == 0 else deep(n - 1)


def run():
    a, b, s = Vector(1.5, 2.5), Vector(0.5, 3.0), Slotted(2)
    for _ in range(40):
        shown = [numbers(9), vectors(9, a, b, s), mixtures(8, a), identities(5, a, 2.5), divided(a, [1, 2.0, 4]), large(4, 3)]
    print(shown)
    check()
    # Guesses fail: other types, other classes, errors.
    print(numbers(3), divided(a, [0, 2, None, 0.0, "s"]), large(4, 1 << 62), large(3, "ab"))
    print(vectors(3, Vector(1, 2), Vector(3, 4), s), vectors(3, Vector(1 << 70, 2), Vector(3, False, None), s))
    c = Vector(1.0, 1.0)
    c.extra = 1
    del c.x
    try:
        c.dot(b), vectors(3, c, b, s)
    except AttributeError as error:
        print(error, [f.name for f in traceback.extract_tb(error.__traceback__)])
    # What is called is changed.
    global formula
    old = formula
    formula = lambda i, j: 1
    print(numbers(4))
    formula = old
    formula.__code__ = (lambda i, j: 2.0).__code__
    print(numbers(4))
    Vector.get = lambda self: 100
    print(vectors(3, a, b, s))
    a.get = lambda: 1000
    print(vectors(3, a, b, s))
    del a.get
    a.__class__ = type("Other", (Vector,), {"dot": lambda self, other: -1.0})
    print(vectors(3, a, b, s))
    # An inlined call counts for the recursion limit.
    outcomes = set()
    limit = sys.getrecursionlimit()
    for depth in range(30):
        sys.setrecursionlimit(len_of_stack() + 30)
        try:
            outcomes.add((depth, deep(depth)))
        except RecursionError:
            outcomes.add((depth, "too deep"))
        finally:
            sys.setrecursionlimit(limit)
    print(sorted(outcomes, key=str))


def check():
    """Where it is known when they are compiled: that bodies were inlined."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        for function in numbers, vectors, identities:
            info = columba.info(function)
            assert any(name.startswith("inline_calls") for name in info.optimisations), info.optimisations


def len_of_stack():
    frame, n = sys._getframe(), 0
    while frame:
        frame, n = frame.f_back, n + 1
    return n


run()
