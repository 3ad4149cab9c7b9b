# Locals that are ints over one way into a loop and floats over another: sums that start at 0.
# compiled: total_of, counted, both, seen, copies, large
# optimised: total_of: mixed_locals
import sys


def total_of(values):
    total = 0
    for value in values:
        total += value * 0.5
    return total


def counted(n):
    total = 0
    product = 1
    for i in range(n):
        total = total + i * 0.25
        product = product * 1.5 - total
    return total, product


def both(values, flag):
    x = 0
    for value in values:
        if flag:
            x = x + value
        else:
            x = x - value * 2.0
        if x > 1000:
            x = 0
        flag = not flag
    return x, type(x).__name__


def seen(values):
    x = 0
    types = []
    for value in values:
        x += value
        types.append((type(x).__name__, x))
        frame = sys._getframe()
        assert frame.f_locals["x"] is x and frame.f_locals["x"] == types[-1][1]
    return types


def copies(values):
    a = b = c = 0
    same = []
    for value in values:
        a = b = a + value * 0.5
        c = a
        same.append((a is b, b is c, a == b))
        if value > 2:
            a = 0
    return a, b, c, same[-3:]


class Adds:
    def __radd__(self, other):
        self.other = other
        return 1.5

    def __rsub__(self, other):
        self.other = other
        return 3


def foreign(n):
    x = 0
    adds = Adds()
    kept = []
    for i in range(n):
        x = x + 0.5
        y = x + adds
        kept.append(adds.other is x)
        x = x - adds
        x = x * 0.5
        if i % 5 == 0:
            x = 7
    return x, y, all(kept)


def large(start, values):
    x = start
    for value in values:
        x = x + value
        x = x * 1.0 if x < 0 else x + 1
    return x


def negative_zero(n):
    x = 0
    found = []
    for i in range(n):
        x = -x
        found.append(repr(x))
        x = x * -1.0 if i % 2 else x
        found.append(repr(x))
        x = x * 0
    return found[:8]


def empty(values):
    x = 0
    for value in values:
        x += value * 1.0
    return x


def raising(values):
    x = 0
    try:
        for value in values:
            x += 1.0 / value
    except ZeroDivisionError:
        return "caught", x
    return x


def yielding(values):
    x = 0
    for value in values:
        x += value * 0.5
        yield x
        if x > 3:
            x = 1


def deleted(values):
    x = 0
    for value in values:
        x += value
        if value == 3:
            del x
            x = 1
    return x


def closed(values):
    x = 0

    def inner():
        return x

    for value in values:
        x += value * 0.5
    return x, inner()


def unbound(values):
    for value in values:
        if value > 1:
            y = 0
        try:
            y = y + value * 0.5
        except UnboundLocalError as error:
            text = str(error)
    return y, text


def nested(rows):
    best = 0
    for row in rows:
        total = 0
        for item in row:
            total += item * 0.1
        if total > best:
            best = total
    return best


def boolean(values):
    x = False
    for value in values:
        x = x + value
    return x, type(x).__name__


def printed(n):
    x = 0
    parts = []
    for i in range(n):
        parts.append(f"{x}")
        x += 0.5
        parts.append(str(x))
    return "".join(parts)


def passed(n):
    x = 0
    for i in range(n):
        x = max(x, i * 0.5)
        x = round(x) if i % 3 else x + 0.25
    return x, type(x).__name__


ints, floats, mixed = [1, 2, 3, 4], [0.5, 1.5, -2.0, 1e300], [1, 0.5, 2, -1.5, 3]
for _ in range(60):
    results = [
        total_of(ints), total_of(floats), total_of([]), counted(20), both(ints, True), both(floats, False), both(mixed, True),
        seen(mixed), seen(ints), copies(ints), copies([1, 1]), foreign(12), negative_zero(6), empty([]), empty(mixed),
        raising([1, 2, 0]), raising([4, 0.5]), list(yielding(ints)), deleted(ints), deleted(mixed), closed(ints),
        unbound([1, 2, 3]), nested([ints, mixed]), boolean(floats), boolean(ints), printed(4), passed(10),
    ]
print(*results, sep="\n")
for start in (0, 2**52, 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63, -(2**53) - 1, 2**80, 0.5, True):
    print(large(start, ints), large(start, [0]), large(start, mixed), large(start, [1, 2**53, -(2**54)]))
for values in ([1, 2, 3.5, 1j], [1, "a"], [float("nan"), 1], [float("inf"), -1, 2], [True, 1.5], [2**100, 1.5]):
    for function in (total_of, boolean, deleted):
        try:
            print(function(values))
        except TypeError as error:
            print(error)
