"""The kernel while_sum in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
s = 0
i = 0
while i < N:
    s += i
    i += 1
SECONDS = time.perf_counter() - START
RESULT = s
