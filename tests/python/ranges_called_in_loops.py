# `for` over a call of `range` with one, two and three numbers, which are ints, or are not: what the loop sees, what is left of the
# iterator, and errors.
# optimised: one: intrinsics
# optimised: two: intrinsics
# optimised: three: intrinsics
import builtins
import sys


class Index:
    def __init__(self, n): self.n = n
    def __index__(self): return self.n


class I(int):
    pass


def one(a):
    out = []
    for i in range(a):
        out.append(i)
        if len(out) > 5:
            break
    else:
        out.append("end")
    return out


def two(a, b):
    out = []
    for i in range(a, b):
        out.append(i)
        if len(out) > 5:
            break
    return out


def three(a, b, c):
    out = []
    for i in range(a, b, c):
        out.append(i)
        if len(out) > 5:
            break
    return out


def triangle(n):
    total = 0
    for i in range(n):
        for j in range(i, n):
            for k in range(j, i - 1, -2):
                total += i * j - k
    return total


def shared(n):
    """A generator's loop, left and entered again."""
    for i in range(n + 1):
        yield i, n


def comprehension(n):
    return [i * j for i in range(n) for j in range(i)], {i for i in range(n, 0, -1)}


def kept(n):
    iterator = iter(range(n))
    first = [x for x in iterator if x < 3]
    return first, list(iterator), iterator.__length_hint__(), type(iterator).__name__


def attempt(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


for i in range(60):
    one(i), two(i, i + 3), three(i, 0, -2), triangle(4), comprehension(4), kept(5), list(shared(3))

M = 2**63
NUMBERS = [0, 1, -1, 3, True, M - 1, M - 2, M, M + 2, -M, -M + 1, -M - 1, 2**70, -2**70, I(4), Index(2), 1.5, None, "2"]
for a in NUMBERS:
    print(repr(a)[:20] if not isinstance(a, Index) else "Index", attempt(one, a))
    for b in NUMBERS:
        print([attempt(two, a, b)] + [attempt(three, a, b, c) for c in (1, -1, 2, -3, 0, M - 1, -M, M, I(-2), Index(1), 0.5)])
print(triangle(9), comprehension(5), kept(6), list(shared(2)))


def patched(n):
    return [i for i in range(n)]


for i in range(60):
    patched(4)
builtins_range = range
builtins.range = lambda n: ["patched", n]
print(patched(4))
builtins.range = builtins_range
print(patched(4))
range = lambda n: "global"
print(patched(4), one(2))
del range
print(patched(4), one(2))
before = sys.getallocatedblocks()
for i in range(500):
    triangle(5), one(3), three(9, 1, -2)
print(abs(sys.getallocatedblocks() - before) < 300)
