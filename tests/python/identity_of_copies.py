# A number that was computed and then copied is one object, through branches, loops, exits and stack items.
# compiled: through_branch, through_loop, chosen, chained, swapped
nan = float("nan")


def through_branch(a, b, flag):
    x = a * b
    y = x
    if flag:
        z = y
    else:
        z = 0.5
    return x is y, z is x, z in [x], [y].count(z)


def through_loop(a, b, n):
    x = a + b
    first = x
    last = x
    for i in range(n):
        last = x
        if i == 3:
            first = last
    return x is first, first is last, last in [x]


def best(values):
    # `top` copies in one branch what the next step of the loop overwrites.
    top = -1e300
    kept = []
    for v in values:
        w = v * 1.5
        if w > top:
            top = w
            kept.append(w)
    return top is kept[-1], len(kept), kept.index(top)


def chosen(a, b):
    x = a * 2
    y = b * 2
    z = x if x > y else y
    w = x and y
    return z is x, z is y, w is y, (x or y) is x


def chained(a, b):
    x = y = a * b
    pair = [x, y, x]
    return x is y, pair[0] is pair[1], pair[1] is pair[2], x in pair


def swapped(a, b):
    x, y = a * 2, b * 2
    old = [x, y]
    x, y = y, x
    return old[0] is y, old[1] is x, x is y


def leaves(a, b, c):
    # The last addition fails its guess late: the copies leave the compiled code together.
    x = a * b
    y = x
    c = c + 1
    return x is y, [x][0] is y, c


def zero_steps(a, n):
    x = a
    for i in range(n):
        x += 1.0
    return x is a


for _ in range(30):
    through_branch(1.5, 2.5, _ % 2)
    through_loop(1.5, 2.5, 5)
    best([1.0, 3.0, 2.0, 5.0])
    chosen(1.5, 2.5)
    chained(1.5, 2.5)
    swapped(1.5, 2.5)
    leaves(1.5, 2.5, 3)
    zero_steps(1.5, 3)
for a, b in (1.5, 2.5), (10**9, 10**8), (nan, 1.0), (10**30, 3), (True, 2.5):
    print(through_branch(a, b, True), through_branch(a, b, False))
    print(through_loop(a, b, 0), through_loop(a, b, 5))
    print(chosen(a, b), chained(a, b), swapped(a, b), leaves(a, b, 1), leaves(a, b, 2.5))
print(best([1.0, 3.0, 2.0, 5.0]), best([3, 10**20, 5]))
print(zero_steps(1.5, 0), zero_steps(nan, 0), zero_steps(2.5, 1))


def kept_frame(n):
    import sys
    total = 0
    for i in range(n):
        total += i
    frames.append(sys._getframe())
    if n:
        return total

    return None


frames = []
for n in (3, 0) * 15:
    kept_frame(n)
print([f.f_lineno - kept_frame.__code__.co_firstlineno for f in frames[-2:]])
