"""Integers kept small by a mask."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    s = 1
    for i in range(n):
        s = (s * 31 + i) & 0xFFFF
    return s
