# Floats: NaN, infinities, signed zeros; //, %, ** and comparisons as CPython has them.
import math

nan, inf = float("nan"), float("inf")
VALUES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -7.5, 7.5, 1e308, -1e308, 5e-324, inf, -inf, nan, 3, -3, 0, True, 2**53 + 1, 2**70]


def add(a, b): return a + b
def sub(a, b): return a - b
def mul(a, b): return a * b
def divide(a, b): return a / b
def floordiv(a, b): return a // b
def mod(a, b): return a % b
def power(a, b): return a**b


def compare(a, b):
    return a < b, a <= b, a == b, a != b, a > b, a >= b, not a < b, not a == b


def branch(a, b):
    out = ""
    if a < b:
        out += "<"
    if a <= b:
        out += "<="
    if a == b:
        out += "=="
    if a != b:
        out += "!="
    if a > b:
        out += ">"
    if a >= b:
        out += ">="
    if not (a < b):
        out += "!<"
    while a >= b:
        out += "w"
        break
    return out


def run(f, a, b):
    try:
        return f(a, b)
    except (ZeroDivisionError, OverflowError) as e:
        return type(e).__name__ + ": " + str(e)


for f in (add, sub, mul, divide, floordiv, mod, compare, branch):
    for a in VALUES:
        print(f.__name__, a, *[run(f, a, b) for b in VALUES], sep=" | ")
for a in VALUES:
    print("power", a, *[run(power, a, b) for b in VALUES if not (isinstance(a, int) and isinstance(b, int) and b > 100)], sep=" | ")

print(-7.5 % 2.0, 7.5 % -2.0, -7.5 // 2.0, inf / 2.0, -inf * 0.0, 0.0 == -0.0, math.copysign(1, -0.0))


def sign_of_zero(n):
    z = -0.0
    for i in range(n):
        z = z * 1.0
    return math.copysign(1.0, z), z, -z, 0.0 - z, 0.0 + z, -0.0 + z


print(sign_of_zero(50))


def nan_in_loop(n):
    x = nan
    count = 0
    for i in range(n):
        if x == x:
            count += 1
        if x != x:
            count += 1000
        if x < i:
            count += 1
        if not x > i:
            count += 1000000
    return count


print(nan_in_loop(40))
print(float("1e16") + 1.0, 0.1 + 0.2, 1e16 // 1.1, 3.0.__divmod__(-0.7), divmod(-1e-20, 3.0))


def truth(values):
    return [bool(v) for v in values], [1 if v else 0 for v in values], [not v for v in values]


print(truth(VALUES))
