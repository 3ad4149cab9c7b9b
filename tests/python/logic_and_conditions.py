# and, or, not, conditional expressions and branches on every kind of truth value.
class T:
    def __init__(self, v): self.v = v
    def __bool__(self):
        calls.append(self.v)
        return self.v
    def __repr__(self): return f"T{self.v}"


class L:
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __repr__(self): return f"L{self.n}"


calls = []
VALUES = [0, 1, -1, 0.0, -0.0, 0.5, float("nan"), "", "a", [], [0], (), (0,), {}, {0: 0}, None, ..., True, False, T(True), T(False), L(0), L(2), 2**70, 0j, b"", range(0), range(1)]


def logic(a, b):
    calls.clear()
    return a and b, a or b, not a, a if b else "else", (not a) or b, a and not b or "last", bool(a) is (not not a), len(calls)


for _ in range(5):
    r = [logic(a, b) for a in VALUES for b in VALUES]
for line in r[:: len(VALUES) + 1]:
    print(line)
print(len(r), len([x for x in r if x[2]]))


def branches(v):
    out = 0
    if v: out += 1
    if not v: out += 2
    if v is None: out += 4
    if v is not None: out += 8
    while v:
        out += 16
        break
    else:
        out += 32
    if v and v is not True or v == 0: out += 64
    return out


print([branches(v) for v in VALUES])


class Bad:
    def __bool__(self): return 5


class BadLen:
    def __len__(self): return -1


for b in (Bad(), BadLen()):
    try:
        branches(b)
    except (TypeError, ValueError) as e:
        print(e)


def walrus(n):
    out = []
    while (n := n - 1) > 0 and (m := n % 3) != 5:
        out.append((n, m))
    return out, n


print(walrus(6))
