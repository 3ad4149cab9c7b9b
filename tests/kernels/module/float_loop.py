"""The kernel float_loop in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
s = 0.0
for i in range(N):
    x = i * 0.5
    s += x * i - s * 0.25
SECONDS = time.perf_counter() - START
RESULT = s
