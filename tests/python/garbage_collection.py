# Cycles made by compiled code are collected; callbacks and collections may run at any allocation.
import gc
import weakref


class Node:
    def __init__(self): self.me = self


def cycles(n):
    refs = []
    for i in range(n):
        node = Node()
        refs.append(weakref.ref(node))
    node = None
    gc.collect()
    return sum(r() is None for r in refs)


for _ in range(10):
    r = cycles(100)
print(r)
collections = 0


def callback(phase, info):
    global collections
    collections += phase == "start"


gc.callbacks.append(callback)
gc.set_threshold(10)


def allocate(n):
    total = 0
    keep = []
    for i in range(n):
        keep.append([i, (i, {"k": i})])
        total += keep[-1][1][1]["k"] * 0.5
    return total


for _ in range(5):
    r = allocate(500)
print(r, collections > 0)
gc.callbacks.clear()
gc.set_threshold(700)


def generator_cycle():
    def g():
        me = it
        yield me
    it = g()
    next(it)
    w = weakref.ref(it)
    del it
    gc.collect()
    return w() is None


print(generator_cycle())


def frame_cycle():
    import sys
    class C: pass
    o = C()
    f = sys._getframe()
    return weakref.ref(o)


w = frame_cycle()
gc.collect()
print(w() is None)


def exception_cycle():
    class C: pass
    o = C()
    try:
        raise ValueError
    except ValueError as e:
        kept = e
    return weakref.ref(o)


w = exception_cycle()
gc.collect()
print(w() is None)


def referrers():
    o = [1]
    return len([r for r in gc.get_referrers(o) if isinstance(r, dict)])


print(referrers(), gc.is_tracked((1, 2)), gc.is_tracked([]), gc.isenabled())
log = []


class Del:
    def __init__(self, n): self.n, self.me = n, self
    def __del__(self):
        log.append(self.n)
        for i in range(3):
            [i, {}]


def dying(n):
    for i in range(n):
        Del(i)
    gc.collect()
    return len(log)


print(dying(20), sorted(log) == list(range(20)))


# A collection while generators run must not look at what their stacks held before they were resumed.
class Node:
    pass


def tree(depth):
    node = Node()
    node.self = node
    if depth:
        yield from tree(depth - 1)
        for child in tree(depth - 1):
            received = yield [node, child]
            del received
    gc.collect(0)
    yield depth


print(sum(1 for _ in tree(7)))
