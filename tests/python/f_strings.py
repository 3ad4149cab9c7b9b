# f-strings: every conversion, formats inside formats, and the error cases.
import datetime


class C:
    def __repr__(self): return "R"
    def __str__(self): return "S\u00e9"
    def __format__(self, spec): return f"F<{spec}>"


def show(x, width, precision):
    return f"{x} {x!r} {x!s} {x!a} {x:>{width}} {x!r:^{width}} {x!s:.{precision}}|{{}}|{x=}|{x=!s}|{width + 1=}"


for _ in range(20):
    r = show(C(), 8, 3)
print(r)
print(show("h\u00e9llo", 10, 2))


def numbers(i, f):
    return f"{i:05d} {i:x} {i:#b} {i:,} {f:.3f} {f:e} {f!r:>10} {-f:+.1f} {i}{f}{i!r}"


for _ in range(20):
    r = numbers(1234567, 3.14159)
print(r, numbers(2**70, -0.0), numbers(True, float("nan")))
print(f"{datetime.date(2020, 2, 29):%Y/%m}", f"{'nested ' + f'{1 + 1}'}", f"", f"plain", f"{'a'}{'b'}" f"{3}")
for bad in (lambda: f"{1:z}", lambda: f"{None:d}", lambda: f"{undefined_name}", lambda: f"{[]:x}"):
    try:
        bad()
    except (ValueError, TypeError, NameError) as e:
        print(type(e).__name__, e)
print(f"{lambda_ if (lambda_ := 5) else 0}", f"{ {'a': 1}['a'] }", f"{1 if True else 2:>3}")
