# `//` of big ints whose leading digits decide the quotient, or nearly do: every size and sign, quotients at the edge,
# subclasses, errors, in place, references.
# optimised: divide: leading_digits
# optimised: divide_in_place: leading_digits
import random
import sys

random.seed(11)


def divide(a, b):
    return a // b


def divide_in_place(a, b):
    a //= b
    return a


def digits(n):
    """Digits of pi as the spigot finds them."""
    found, q, r, t, k = [], 1, 0, 1, 0
    while len(found) < n:
        k += 1
        q, r, t = q * k, (2 * q + r) * (2 * k + 1), t * (2 * k + 1)
        first = (3 * q + r) // t
        if q <= r and first == (4 * q + r) // t:
            found.append(first)
            q, r = 10 * q, 10 * (r - first * t)
    return found


class Int(int):
    def __floordiv__(self, other): return "floordiv"
    def __rfloordiv__(self, other): return "rfloordiv"
    def __ifloordiv__(self, other): return "ifloordiv"


# The type of both operands changes midway, as do sizes.
for _ in range(300):
    assert divide(7, 2) == 3 and divide_in_place(-7, 2) == -4
    assert divide(2**200, 2**190 + 1) == 1023 and divide_in_place(2**200, 2**190 - 1) == 1024

# CPython's `divmod` is a helper of its own: it is what is compared with.
wrong = 0
for size in range(40, 400, 7):
    for _ in range(40):
        b = random.getrandbits(size) | 1 << size
        q = random.choice([0, 1, 2, 9, 10, 2**29, 2**30 - 1, 2**30, 2**31, 2**59, 2**60 - 1, 2**60, 2**61, 2**63, 2**64, 2**90])
        for rest in (0, 1, b - 1, b >> 1, random.randrange(b)):
            a = q * b + rest
            for x, y in ((a, b), (-a, b), (a, -b), (-a, -b), (b, a), (a - 1, b)):
                if y:
                    right = divmod(x, y)[0]
                    wrong += divide(x, y) != right or divide_in_place(x, y) != right
print(wrong)

# Where the rest of the digits decides.
for n in (60, 89, 90, 91, 119, 120, 121, 150, 151, 300, 3000):
    for q in (1, 3, 10, 2**30 - 1, 2**30, 2**59):
        b = 2**n
        for b in (b - 1, b, b + 1):
            for a in (q * b - 1, q * b, q * b + 1):
                assert divide(a, b) == divmod(a, b)[0], (n, q)
                assert divide_in_place(a, b) == divmod(a, b)[0], (n, q)

print(digits(40), digits(400)[-10:])

big = 3**500
for a, b in ((big, 0), (0, big), (big, big), (big, 1.5), (big, True), (big, False), (Int(big), big), (big, Int(big)), ("a", big), (big, None)):
    for function in (divide, divide_in_place):
        try:
            result = function(a, b)
            print(type(result).__name__, result if not isinstance(result, int) or result < 2**64 else hash(result))
        except Exception as error:
            print(type(error).__name__, error)

# Operands are released, and small results are the shared objects.
a, b = 3**500, 3**499
before = sys.getrefcount(a), sys.getrefcount(b)
results = [divide(a, b) for _ in range(100)]
print(set(results), results[0] is results[-1], (sys.getrefcount(a), sys.getrefcount(b)) == before)
large = divide(a, 3**485)
print(large, type(large), sys.getrefcount(large))
