"""Prints the Mandelbrot set. Try: cargo xtask run examples/python/mandelbrot.py 120"""

import sys


def rounds(cx, cy, limit):
    x = y = 0.0
    for k in range(limit):
        if x * x + y * y > 4.0:
            return k
        x, y = x * x - y * y + cx, 2.0 * x * y + cy
    return limit


def main(width=100):
    height = width // 2
    shades = " .:-=+*#%@"
    for row in range(height):
        y = 2.4 * row / height - 1.2
        line = ""
        for column in range(width):
            x = 3.2 * column / width - 2.2
            line += shades[rounds(x, y, 500) * (len(shades) - 1) // 500]
        print(line.rstrip())


main(*map(int, sys.argv[1:]))
