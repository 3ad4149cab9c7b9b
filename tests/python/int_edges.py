# Every integer operation on the edges of digits and machine words, compiled together and one by one.
import operator

EDGES = [0, 1, -1, 2, -2, 3, -3, 7, -7, 255, 256, 257, -5, -6]
for bits in (15, 29, 30, 31, 32, 59, 60, 61, 62, 63, 64, 65, 90):
    EDGES += [2**bits - 1, 2**bits, 2**bits + 1, -(2**bits) - 1, -(2**bits), -(2**bits) + 1]


def add(a, b): return a + b
def sub(a, b): return a - b
def mul(a, b): return a * b
def floordiv(a, b): return a // b
def mod(a, b): return a % b
def divide(a, b): return a / b
def both(a, b): return a & b
def either(a, b): return a | b
def exclusive(a, b): return a ^ b
def less(a, b): return a < b
def less_equal(a, b): return a <= b
def equal(a, b): return a == b
def unequal(a, b): return a != b
def greater(a, b): return a > b
def greater_equal(a, b): return a >= b


def run(f, a, b):
    try:
        return f(a, b)
    except (ZeroDivisionError, ValueError, OverflowError, MemoryError) as e:
        return type(e).__name__ + ": " + str(e)


def text_digest(values):
    h = 7
    for v in values:
        for c in repr(v):
            h = (h * 33 + ord(c)) & 0xFFFFFFFFFFFF
    return h


for f in (add, sub, mul, floordiv, mod, divide, both, either, exclusive, less, less_equal, equal, unequal, greater, greater_equal):
    results = [run(f, a, b) for a in EDGES for b in EDGES]
    print(f.__name__, text_digest(results), results[:3])


def lshift(a, b): return a << b
def rshift(a, b): return a >> b


for f in (lshift, rshift):
    results = [run(f, a, b) for a in EDGES for b in (0, 1, 2, 29, 30, 31, 32, 61, 62, 63, 64, 65, 70, 128, -1, -64)]
    print(f.__name__, text_digest(results))
print(run(rshift, 5, 10**30), run(rshift, -5, 10**30), run(lshift, 0, 10**30))

# Against the library's own functions, whose loops are C.
for f, g in ((add, operator.add), (mul, operator.mul), (floordiv, operator.floordiv), (mod, operator.mod)):
    wrong = [(a, b) for a in EDGES for b in EDGES if run(f, a, b) != run(g, a, b) and b]
    print(f.__name__, wrong)


def divide_and_rest(a, b):
    q = a // b
    r = a % b
    return q, r, q * b + r == a


for a, b in ((7, 2), (-7, 2), (7, -2), (-7, -2), (0, 5), (-1, 2**62), (-(2**63), -1), (-(2**63), 1), (2**63 - 1, -1), (-(2**62), 3)):
    print(divide_and_rest(a, b))
