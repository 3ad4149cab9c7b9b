"""The kernel bigint_overflow in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
step = (1 << 64) // N
s = 0
for i in range(N):
    s += step + i
SECONDS = time.perf_counter() - START
RESULT = s
