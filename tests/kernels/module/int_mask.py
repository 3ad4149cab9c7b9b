"""The kernel int_mask in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
s = 1
for i in range(N):
    s = (s * 31 + i) & 0xFFFF
SECONDS = time.perf_counter() - START
RESULT = s
