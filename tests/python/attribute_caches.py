# Attributes under changing instance layouts: inline values, dictionaries, slots, class changes, deletions.
class P:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def step(self, d):
        self.x += d * 0.5
        self.y -= self.x * d
        return self.x + self.y


def run(p, n):
    t = 0
    for i in range(n):
        t += p.step(1)
    return t


for _ in range(20):
    r = run(P(1, 2), 10), run(P(1.5, 2.5), 10), run(P(2**70, 1), 3)
print(r)


def read(o): return o.x


def store(o, v): o.x = v


def delete(o): del o.x


objects = [P(i, 0) for i in range(5)]
for o in objects * 10:
    store(o, read(o) + 1)
print([read(o) for o in objects])
o = P(1, 2)
o.__dict__
store(o, "through dict")
print(read(o), o.__dict__)
o.__dict__ = {"x": "new dict"}
print(read(o))
o.__dict__["x"] = "changed"
print(read(o))
delete(o)
for f in (read, delete):
    try:
        f(o)
    except AttributeError as e:
        print(e)
P.x = "class attribute"
print(read(o))
o.x = "instance again"
print(read(o))
P.x = property(lambda s: "property", lambda s, v: print("set", v))
print(read(o))
store(o, 5)
del P.x
print(read(o))


class Q(P):
    def __setattr__(self, n, v):
        object.__setattr__(self, n, (n, v))


q = Q(1, 2)
for _ in range(20):
    store(q, 3)
print(read(q))
del Q.__setattr__
store(q, 4)
print(read(q))


class Counter:
    total = 0
    def bump(self): Counter.total += 1
    @classmethod
    def bump_class(cls): cls.total += 10
    @staticmethod
    def double(x): return x * 2


c = Counter()
for _ in range(50):
    c.bump(), c.bump_class(), Counter.bump_class()
print(Counter.total, c.double(4), Counter.double(0.5))


class Node:
    __slots__ = "next", "value"

    def __init__(self, value, next=None): self.value, self.next = value, next


def length(n):
    k = 0
    while n is not None:
        k += n.value
        n = n.next
    return k


head = None
for i in range(100):
    head = Node(i, head)
for _ in range(20):
    r = length(head)
print(r)
for i in range(100):
    o = P(i, i)
    setattr(o, f"extra{i % 7}", i)
    if i % 3 == 0:
        del o.y
    r = read(o), getattr(o, "y", "none"), sorted(vars(o))
print(r)
import sys
for name in ("maxsize", "no_such"):
    print(getattr(sys, name, "default") == sys.maxsize)
