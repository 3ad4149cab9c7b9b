"""Creates, compiles and drops 20,000 functions; fails when the process has grown by more than 8 MB in the second half."""

import gc
import sys

import columba

assert columba.is_enabled(), "Columba is not enabled"

SOURCE = """
def f(n):
    total = 0.0
    for i in range(n):
        total += i * {0}.5
    return total
"""


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def round_of(count, start):
    for number in range(start, start + count):
        namespace = {}
        exec(compile(SOURCE.format(number), "<made>", "exec"), namespace)
        assert namespace["f"](3) == 3 * number + 1.5
    gc.collect()


round_of(10_000, 0)
middle = resident()
round_of(10_000, 10_000)
grown = resident() - middle
print(f"20,000 functions: {columba.stats()['compiled']} compiled, {grown / 1e6:+.1f} MB in the second half")
sys.exit(grown > 8_000_000)
