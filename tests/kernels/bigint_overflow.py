"""A sum that leaves 64 bits half-way and must go on exactly."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    step = (1 << 64) // n
    s = 0
    for i in range(n):
        s += step + i
    return s
