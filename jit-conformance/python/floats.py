# Floats: infinities, NaN, both zeros, the smallest and the largest, rounding, mixed with integers.
# compiled: arithmetic, divide, mixed, accumulate, horner

INF = float("inf")
NAN = float("nan")
EDGES = [0.0, -0.0, 1.0, -1.5, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, INF, -INF, NAN]


def arithmetic(a, b):
    return a + b, a - b, a * b, -a


def divide(a, b):
    return a / b, a // b, a % b


def mixed(n, x):
    return n + x, x - n, n * x, n / 3, x**2, n == x, n < x


def accumulate(n):
    total = 0.0
    step = 0.1
    for i in range(n):
        total += step * i
        if total > 50.0:
            total -= 49.9
    return total


def horner(x):
    y = 0.0
    for c in (1.0, -0.5, 0.3333333333333333, -0.25):
        y = y * x + c
    return y


def main():
    for a in EDGES:
        print([arithmetic(a, b) for b in EDGES])
        print([divide(a, b) for b in EDGES if b != 0.0])
    try:
        divide(1.0, -0.0)
    except ZeroDivisionError as error:
        print(error)
    print(mixed(3, 0.1), mixed(2**53 + 1, 2.0**53), mixed(-7, -0.0), mixed(True, 2.5))
    print(accumulate(200).hex(), horner(0.7).hex(), (0.1 + 0.2).hex(), (5e-324 * 0.5).hex(), (1.0 / 3.0).hex())
    print(int(-2.9), int(1e18), round(2.5), round(-0.5), float(2**60 + 1))
    for x in (INF, NAN):
        try:
            int(x)
        except (OverflowError, ValueError) as error:
            print(error)
