"""The kernel mandelbrot in a module body."""

import time

N = 235
START = time.perf_counter()
inside = 0
rounds = 0
for row in range(N):
    y = 2.4 * row / N - 1.2
    for column in range(N):
        x = 3.2 * column / N - 2.2
        a = 0.0
        b = 0.0
        k = 0
        while k < 250 and a * a + b * b <= 4.0:
            a, b = a * a - b * b + x, 2.0 * a * b + y
            k += 1
        rounds += k
        if k == 250:
            inside += 1
SECONDS = time.perf_counter() - START
RESULT = (inside, rounds)
