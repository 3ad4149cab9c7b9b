"""Floor division of positive and negative integers."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    s = 0
    for i in range(n):
        s += (i - 1000) // 7 - (s // 3)
    return s
