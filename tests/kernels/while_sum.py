"""A `while` loop that sums integers."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    s = 0
    i = 0
    while i < n:
        s += i
        i += 1
    return s
