# Integers that leave 64 bits go on exactly, in every operation.
# compiled: double, shift, times_two, square, factorial, fibonacci, constant_index, constant_stored_at, constant_or_sum
def double():
    x = 1
    for _ in range(100):
        x = x + x
    return x


def shift():
    x = 1
    for _ in range(100):
        x = x << 1
    return x


def times_two():
    x = 1
    for _ in range(100):
        x = x * 2
    return x


def square():
    x = 3
    for _ in range(8):
        x = x**2
    return x


def factorial():
    x = 1
    for i in range(1, 40):
        x *= i
    return x


def fibonacci(n):
    a, b = 0, 1
    while n:
        a, b = b, a + b
        n -= 1
    return a


def big_shift(a, b):
    return a << b


def down():
    x = -1
    for _ in range(70):
        x = x - x * -3
    return x


def power(a, b):
    return a**b


for _ in range(30):
    results = double(), shift(), times_two(), square(), factorial(), fibonacci(120), big_shift(5, 70), down()
print(*results, sep="\n")
print(power(2, 62), power(2, 63), power(2, 64), power(-2, 63), power(-3, 41), power(10, 20), power(2, -1), power(0, 0))


def negate_all(values):
    out = []
    for v in values:
        out.append(-v)
        out.append(~v)
        out.append(abs(v))
        out.append(+v)
    return out


edges = [0, 1, -1, 2**30 - 1, 2**30, -(2**30), 2**31, 2**60, 2**62, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30]
for _ in range(20):
    out = negate_all(edges)
print(out)


# Constants that do not fit 64 bits where the compiler expects a number: as an index, and where a raw one may arrive as well.
def constant_index(items):
    try:
        return items[1 << 70]
    except IndexError as error:
        return str(error)


def constant_stored_at(items):
    try:
        items[-(1 << 70)] = 0
    except IndexError as error:
        return str(error)


def constant_or_sum(a, b, which):
    total = a
    total += b + a if which else 1 << 64
    return total


for i in range(30):
    results = constant_index([1, 2]), constant_index((1, 2)), constant_stored_at([1]), constant_or_sum(i, 2, i % 3)
    if i % 5 == 0:
        print(*results)
