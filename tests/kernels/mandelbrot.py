"""Nested loops over floats with a data-dependent inner exit."""

REPEATED = 40
FIRST = 235  # about 3 million rounds of the innermost loop


def kernel(size):
    inside = 0
    rounds = 0
    for row in range(size):
        y = 2.4 * row / size - 1.2
        for column in range(size):
            x = 3.2 * column / size - 2.2
            a = 0.0
            b = 0.0
            k = 0
            while k < 250 and a * a + b * b <= 4.0:
                a, b = a * a - b * b + x, 2.0 * a * b + y
                k += 1
            rounds += k
            if k == 250:
                inside += 1
    return inside, rounds
