"""A loop over floats whose result depends on every round."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    s = 0.0
    for i in range(n):
        x = i * 0.5
        s += x * i - s * 0.25
    return s
