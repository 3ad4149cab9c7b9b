"""The kernel int_shift in a module body."""

import time

N = 3_000_000
START = time.perf_counter()
s = 88172645463325252 & 0xFFFFFFFF
for i in range(N):
    s ^= (s << 13) & 0xFFFFFFFF
    s ^= s >> 17
    s ^= (s << 5) & 0xFFFFFFFF
SECONDS = time.perf_counter() - START
RESULT = s
