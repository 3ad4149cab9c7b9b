"""Remainders of positive and negative integers."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    s = 0
    for i in range(n):
        s = (s * 7 - i) % 1_000_003
    return s
