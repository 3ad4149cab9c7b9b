# Numbers in lists, tuples and arrays: guesses from what live containers hold, and what happens when they are wrong.
from array import array
import sys


def attempt(f, *args):
    try:
        return f(*args)
    except Exception as error:
        return type(error).__name__, str(error)


# ---- a float stored over a float: nobody may see the memory being used again ----


def overwrite(values, i, by):
    old = values[i]
    values[i] = values[i] * by
    return old, values[i]


def overwrite_computed(values, by):
    before = list(values)
    for i in range(len(values)):
        x = values[i]
        values[i] = x * by
        values[i] += x
    return before, values


for n in range(40):
    r = overwrite([0.5, 1.5, 2.5], 1, 2.0), overwrite_computed([1.5, 2.5], 3.0)
print(r)
shared = 7.25
print(overwrite([shared, shared], 0, 2.0), shared, overwrite([1, 2], 0, 2), overwrite(["a", "b"], 1, 2))
print(overwrite_computed([1, 2.0, 3], 2), attempt(overwrite, (1.0,), 0, 2.0))
held = [x * 0.5 for x in range(5)]
copy = held[:]
overwrite_computed(held, 2.0)
print(held, copy)


def swap(values, i, j):
    values[i], values[j] = values[j], values[i] + 0.25
    return values


for n in range(40):
    r = swap([1.0, 2.0, 3.0], 0, 2)
print(r, swap([1, 2.0, "x"], 1, 0), attempt(swap, ["x", 2.0], 1, 0))

# ---- arrays ----


def fill(a, values):
    for i in range(len(values)):
        a[i] = values[i]
    return a.tolist()


def total(a):
    s = 0
    for i in range(len(a)):
        s += a[i]
    return s


def reversed_sum(a):
    s = 0.0
    for i in range(1, len(a) + 1):
        s += a[-i]
    return s


for code in "bBhHiIlLqQfd":
    for n in range(40):
        r = fill(array(code, bytes(3 * array(code).itemsize)), [1, 2, 3]), total(array(code, [4, 5, 6]))
    print(code, r, reversed_sum(array(code, [1, 2, 3])))
print(attempt(fill, array("b", bytes(3)), [1, 127, 128]), attempt(fill, array("b", bytes(3)), [-128, 0, -129]))
print(attempt(fill, array("i", bytes(12)), [2**31 - 1, -(2**31), 2**31]))
print(attempt(fill, array("d", bytes(24)), [2**53 + 1, 2**62 + 1, 2**70]), attempt(fill, array("d", bytes(8)), ["x"]))
print(attempt(fill, array("q", bytes(16)), [2**63 - 1, 1.5]), total(array("q", [2**63 - 1, 1])), total([1, 2.5]))
print(attempt(fill, array("d", bytes(8)), [1.0, 2.0]), total((1, 2)), attempt(total, {0: 1, 1: "x"}))


class Other(array):
    def __getitem__(self, i):
        return 100 + i


print(total(Other("d", [1, 2, 3])), total(array("d", [0.5])), total("") or total([]))


def grid(g, n):
    s = 0.0
    for i in range(n):
        row = g[i]
        for j in range(n):
            row[j] -= 0.5 * g[j][i]
            s += row[j]
    return s


for n in range(40):
    r = grid([array("d", [1.0, 2.0]), array("d", [3.0, 4.0])], 2)
print(r, grid([[1.0, 2.0], [3, 4]], 2), grid([array("f", [1, 2]), [True, 2**70]], 2))

# ---- locals that a loop assigns: unbound before its first turn ----


def assigned_in_loop(values, ask):
    seen = None
    for v in values:
        if ask and seen is None:
            seen = sorted(locals())
        x = v * 2.0
        y = x - v
        n = len(values) + 1
    return seen, x + y + n


def deleted_in_loop(n):
    out = []
    for i in range(n):
        x = i * 0.5
        if i == n - 1:
            del x
        else:
            out.append(x + i)
    return out, x


def bound_once(n, at):
    for i in range(n):
        if i == at:
            found = i * 1.5
    return found + 1.0


for n in range(40):
    r = assigned_in_loop([1.5, 2.5], False), bound_once(5, 3), attempt(deleted_in_loop, 4)
print(r, assigned_in_loop([1.5, 2.5], True), attempt(assigned_in_loop, [], True), attempt(assigned_in_loop, ["x"], False))
print(attempt(bound_once, 5, 9), attempt(bound_once, 0, 0), attempt(bound_once, 5, 4))


def frame_before_first_turn(n):
    for i in range(n):
        f = sys._getframe().f_locals
        names = sorted(f)
        x = i + 0.5
        if i == 0:
            first = names
    return first, names, x


for n in range(40):
    r = frame_before_first_turn(3)
print(r)

# ---- powers ----


def power(a, b):
    return (a * 1.0) ** b


for n in range(40):
    power(2.5, -1.5)
for a, b in [(2.0, 0.5), (0.0, 2.0), (0.0, -1.0), (-2.0, 2.0), (-2.0, 0.5), (1e300, 2.0), (1e-300, 2.0), (3.0, 2), (1e-160, 2.0)]:
    print(attempt(power, a, b))
inf, nan = float("inf"), float("nan")
print(power(inf, 0.5), power(inf, 0.0), power(nan, 0.0), power(1.0, nan), power(1.0, inf), power(0.5, -inf), power(nan, 1.0))

# ---- sums that leave 64 bits, with ints that fit beside them ----


def sums(step, n):
    s = 0
    for i in range(n):
        s += step + i
        s ^= i
        s = s | 1
    return s


for n in range(40):
    r = sums(2**61, 20)
print(r, sums(2**64 // 3, 50), sums(3, 10), sums(-(2**63), 9))
