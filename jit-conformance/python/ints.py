# Arithmetic of integers around the ends of CPython's digits and of machine words: what overflows goes on as a big integer.
# compiled: add, sub, mul, floor_divide, remainder, negate, shift

EDGES = [0, 1, -1, 2**30 - 1, 2**30, -(2**30), 2**31, 2**62, -(2**62), 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 3]


def add(a, b):
    return a + b


def sub(a, b):
    return a - b


def mul(a, b):
    return a * b


def floor_divide(a, b):
    return a // b


def remainder(a, b):
    return a % b


def negate(a):
    return -a, ~a, +a, abs(a)


def shift(a):
    return a << 1, a << 33, a >> 1, a >> 63


def sums(a, b):
    total = 0
    for _ in range(4):
        total = total * 3 + a - b
    return total


def main():
    for function in (add, sub, mul, sums):
        print(function.__name__, [function(a, b) for a in EDGES for b in (7, -2, 2**62, -(2**63), 2**63 - 1)])
    for function in (floor_divide, remainder):
        print(function.__name__, [function(a, b) for a in EDGES for b in (3, -3, 2**30, -(2**62), 2**65)])
        try:
            function(5, 0)
        except ZeroDivisionError as error:
            print(error)
    for a in EDGES:
        print(negate(a), shift(a))
