"""The kernel int_floordiv in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
s = 0
for i in range(N):
    s += (i - 1000) // 7 - (s // 3)
SECONDS = time.perf_counter() - START
RESULT = s
