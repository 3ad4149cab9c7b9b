# Chains evaluate each operand once and stop early.
log = []


def v(x):
    log.append(x)
    return x


def chain(a, b, c):
    return v(a) < v(b) < v(c)


def mixed(a, b, c):
    return v(a) <= v(b) != v(c) is not None


def membership(a, b):
    return v(a) in v(b) == v(b)


for _ in range(20):
    log.clear()
    results = chain(1, 2, 3), chain(2, 1, 3), chain(1.5, 2, 2**70), mixed(1, 1, 2), mixed(2, 1, 2), membership(1, [1])
print(results, log)


class Odd:
    def __lt__(self, other):
        return []

    def __gt__(self, other):
        return "yes"

    def __eq__(self, other):
        return NotImplemented

    __hash__ = None


def rich(a, b):
    return a < b, a > b, a == b, a != b, 1 < a < b


o = Odd()
print(rich(o, 1)[:4])
try:
    rich(object(), 1)
except TypeError as e:
    print(e)
if 1 < 2 < 3 > 2 >= 2 == 2 != 3:
    print("long chain")


def in_loop(n):
    hits = 0
    for i in range(n):
        if 10 < i <= 20:
            hits += 1
        elif not 30 <= i < 90 or i == 50:
            hits += 100
    return hits


print(in_loop(100))
print([x for x in range(10) if 2 < x < 7 if x % 2], "b" in "abc" in ["abc"])
