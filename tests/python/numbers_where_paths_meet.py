# Operands that are numbers on every path are computed with as they come; what is not one of them keeps its identity.
class Curious:
    def __radd__(self, other):
        return ("radd", other is KEPT, type(other).__name__)

    def __lt__(self, other):
        return other is KEPT


KEPT = 12345678901234
BIG = 10**30


def accumulated(values, limit):
    total = 0
    for value in values:
        total += value * 3 if value < limit else limit
    return total


for _ in range(40):
    accumulated([7, 8, 9], 9)
print(accumulated([7, 8, 9], 9))
print(accumulated([7.5, 8, True], 9), accumulated([2**62, 2**61], 2**62), accumulated([BIG, 1], BIG))
print(accumulated([2**31, 2**45, -(2**31), -(2**59), 2**60, -(2**60), 2**63 - 1, -(2**63)], 2**44))
print(accumulated([], 1), accumulated([1], 0.5), accumulated([1], False))


def either(flag, x, y):
    a = x * 2
    kept = a
    b = a + (a if flag else y)
    return b, kept is a


for flag in (True, False) * 30:
    either(flag, 1000, 7)
for x, y in ((1000, 7), (1.5, 2), (2**62, 1), (True, False), (BIG, 1), (1, BIG), (1, 2.5)):
    print(either(True, x, y), either(False, x, y))


def seen(flag, x, other):
    return (x if flag else x * 1) + other, (x if flag else 3) > other


for _ in range(60):
    seen(True, 5, 6), seen(False, 5, 6)
print(seen(True, KEPT, Curious()), seen(True, 5, 6), seen(False, 2.5, 1), seen(True, "a", "b"))


def constants(n, x):
    out = []
    for i in range(n):
        out.append((1 if i % 2 else x) - (x if i % 3 else 2))
    return out


for _ in range(20):
    constants(7, 10)
print(constants(7, 10), constants(7, 0.5), constants(4, BIG), constants(3, 2**63 - 1))


def compared(n, bound):
    count = 0
    for i in range(n):
        if (i if i & 1 else bound) >= (bound if i & 2 else 3):
            count += 1
    return count


for _ in range(20):
    compared(9, 4)
print(compared(9, 4), compared(9, 4.5), compared(9, BIG), compared(9, True))


def raised(n, d):
    x = 0
    for i in range(n):
        y = i * 2
        try:
            x += y // (d if i % 5 else y)
        except ZeroDivisionError:
            x += 1000
    return x


for _ in range(20):
    raised(11, 3)
print(raised(11, 3), raised(11, 0), raised(6, 0.5), raised(6, BIG))
