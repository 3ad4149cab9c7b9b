# Guesses that fail again and again: code is generalised, results stay right, and nothing is recompiled for ever.
# timeout: 120
def add(a, b): return a + b


TYPES = [1, 1.5, "s", [1], (1,), 2**70, True, b"x", 1j]


def storm(n):
    hits = 0
    for i in range(n):
        x = TYPES[i % len(TYPES)]
        if add(x, x) == x + x:
            hits += 1
    return hits


print(storm(50_000))


def index(c, i): return c[i]


containers = [[1, 2], (1, 2), "ab", {0: 1, 1: 2}, b"ab", range(2), bytearray(b"ab"), memoryview(b"ab")]
total = 0
for i in range(40_000):
    v = index(containers[i % 8], i & 1)
    total += 1 if isinstance(v, str) else v
print(total)


def iterate(x):
    n = 0
    for y in x:
        n += 1
    return n


iterables = [[1], (1, 2), "abc", {1: 2}, {1, 2}, range(5), iter(()), (x for x in ()), zip([1], [2]), enumerate("ab"), map(int, ()), reversed([1])]
print(sum(iterate(x) for _ in range(3000) for x in iterables))


def call(f): return f(3)


class C:
    def __call__(self, x): return x
    def m(self, x): return x
    @staticmethod
    def s(x): return x
    def __init__(self, x=0): pass


functions = [lambda x: x, abs, C(), C().m, C.s, int, float, C, str, [].append, {}.get, lambda x, y=2: y, lambda *a: a, lambda x, **k: k, print if False else hash]
n = 0
for i in range(30_000):
    r = call(functions[i % len(functions)])
    n += r is not None
print(n)


def late_overflow(x, n):
    for i in range(n):
        x = x + x
    return x


for _ in range(100):
    late_overflow(1, 10)
print([late_overflow(1, k) for k in (10, 61, 62, 63, 64, 65)], late_overflow(0.5, 1030), late_overflow("a", 3))


def bool_then_int(n):
    seen = set()
    for i in range(n):
        x = i > 5
        if i % 100 == 99:
            x = i
        if i % 200 == 199:
            x = None
        if x:
            seen.add(type(x).__name__)
    return sorted(seen)


print(bool_then_int(5000))
