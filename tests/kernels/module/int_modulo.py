"""The kernel int_modulo in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
s = 0
for i in range(N):
    s = (s * 7 - i) % 1_000_003
SECONDS = time.perf_counter() - START
RESULT = s
