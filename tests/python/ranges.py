# Loops over ranges of every kind: negative steps, empty, beyond 64 bits.
# compiled: loop
def loop(*args):
    out = []
    for i in range(*args):
        out.append(i)
        if len(out) > 6:
            break
    else:
        out.append("end")
    return out


M = 2**63
CASES = [(0,), (3,), (-3,), (2, 5), (5, 2), (5, 2, -1), (0, 10, 3), (10, 0, -3), (M - 3, M), (M - 2, M + 3), (-M - 2, -M + 2),
         (M, M + 3), (-M, -M - 4, -1), (0, 2**70, 2**68), (M + 5, M - 5, -4), (M - 1, 0, -(2**62)), (-M, M, 2**62), (True,), (2, True, -1),
         (M - 10, M - 1, 4), (-(M - 10), -M, -4)]
for _ in range(20):
    for case in CASES:
        loop(*case)
for case in CASES:
    print(case, loop(*case))


def variable_after(n):
    for i in range(n):
        pass
    try:
        return i
    except UnboundLocalError as e:
        return str(e)


print(variable_after(5), variable_after(0), variable_after(3))


def assigned_inside(n):
    seen = []
    for i in range(n):
        i = i * 10
        seen.append(i)
    return seen, i


print(assigned_inside(4))
for bad in ((1.5,), (0, 5, 0), ("a",), (1, 2, 3, 4)):
    try:
        loop(*bad)
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)


def shared():
    r = range(4)
    return [(a, b) for a in r for b in r]


print(shared())


def iterator_taken_over():
    it = iter(range(10))
    out = []
    for i in it:
        out.append(i)
        if i % 3 == 0:
            out.append(next(it, None))
    return out, list(it)


print(iterator_taken_over())


class MyRange:
    def __index__(self):
        return 4


print(loop(MyRange()))
range_ = range


def shadowed(n):
    s = 0
    for i in range(n):
        s += i
    return s


for _ in range(30):
    shadowed(5)


def range(n):
    return [100, 200]


print(shadowed(5))

# The namespace is complete: what was compiled now stays.
for _ in range(10):
    loop(3)
