# The recursion limit as it stands at that moment; RecursionError; deep recursion that is allowed.
import sys


def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


def down(n):
    return n if n == 0 else down(n - 1)


def infinite(x):
    return infinite(x + 1)


def message():
    try:
        infinite(0)
    except RecursionError as e:
        return str(e)


for _ in range(30):
    down(10)
print(message())
base = depth(0)
for limit in (500, 2000, 300, 5000, 1000):
    sys.setrecursionlimit(limit)
    print(limit, depth(0) - base == limit - 1000)
sys.setrecursionlimit(1000)
print(down(900))
try:
    down(1100)
except RecursionError as e:
    print(e)
sys.setrecursionlimit(20000)
print(down(15000))
sys.setrecursionlimit(1000)


def mutual_a(n): return mutual_b(n + 1)
def mutual_b(n): return mutual_a(n + 1)


try:
    mutual_a(0)
except RecursionError as e:
    print("mutual", e)


class R:
    def __repr__(self): return repr(self)
    def __eq__(self, o): return self == o
    def __getattr__(self, name): return getattr(self, name + "x")


for f in (lambda: repr(R()), lambda: R() == R(), lambda: R().a):
    try:
        f()
    except RecursionError as e:
        print(str(e)[:32])


def generator(n):
    yield from generator(n + 1)


try:
    next(generator(0))
except RecursionError as e:
    print("generator", e)


def after():
    return [down(5), down(50)]


print(after())


def lowered(n):
    if n == 50:
        sys.setrecursionlimit(base_limit)
    return lowered(n + 1)


base_limit = 200
try:
    lowered(0)
except RecursionError as e:
    print("lowered", e)
sys.setrecursionlimit(1000)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def ackermann(m, n):
    return n + 1 if m == 0 else ackermann(m - 1, 1) if n == 0 else ackermann(m - 1, ackermann(m, n - 1))


print(fib(18), ackermann(2, 20))


# Depth is counted as in the interpreter, where a warm call of a simple built-in function takes no level of its own.
def room(limit):
    def down(n):
        return n if n == 0 else down(n - 1)

    iterator = iter(lambda: down(limit), None)
    return next(iterator)


def deepest():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        low, high = 0, 200
        while low < high:
            middle = (low + high + 1) // 2
            try:
                room(middle)
                low = middle
            except RecursionError:
                high = middle - 1
        return low
    finally:
        sys.setrecursionlimit(before)


for _ in range(12):
    depth = deepest()
print(depth)
