# The types of variables change in the middle of loops and from call to call; nothing of it may show.
# compiled: total, change, generic
def total(values):
    s = 0
    for v in values:
        s = s + v
    return s


for _ in range(40):
    total(range(50))
print(total([1, 2, 3]), total([1, 2.5, 3]), total([0.5] * 4), total([2**62] * 3), total([True, 1.5, 2**80]))


class Number:
    def __init__(self, n):
        self.n = n

    def __add__(self, other):
        return Number(self.n + getattr(other, "n", other))

    __radd__ = __add__

    def __repr__(self):
        return f"Number({self.n})"


print(total([1, Number(4), 2]), total([Number(1), 0.5]))
try:
    total([1, "x"])
except TypeError as e:
    print(e)


def change(n):
    x = 0
    log = []
    for i in range(n):
        if i == n // 4:
            x = x + 0.5
        if i == n // 2:
            x = str(x)
        if i > n // 2:
            x = x[-3:] + "y"
        elif i < n // 2:
            x = x + 1
        if i % (n // 8) == 0:
            log.append(x)
    return log


for n in (16, 64, 1000, 40):
    print(change(n))


def generic(a, b):
    return a + b, a * 2, a == b


for _ in range(3):
    for a, b in ((1, 2), (1.5, 2), ("a", "b"), ([1], [2]), ((1,), (2,)), (b"x", b"y"), (2**70, 1), (True, 2), (1j, 2)) * 8:
        result = generic(a, b)
    print(result)
print([generic(a, b) for a, b in ((1, 2), (1.5, 2), ("a", "b"), ([1], [2]))])


def attribute(o):
    return o.real


print([attribute(x) for _ in range(20) for x in (1, 2.5, True, 3j, 2**70)][-5:])


def guard_that_always_fails(n):
    s = 0
    for i in range(n):
        v = i if i % 2 else float(i)
        s = s + v
    return s


print(guard_that_always_fails(200_000))
