# Iterators of lists and tuples: what sees the frame when one is made or ends finds the locals there, and all is let go of
# when it would have been.
# compiled: nested, dying, watched, collected
# optimised: nested: list_loops
# optimised: nested: tuple_loops
import gc
import sys


def nested(rows, n):
    total, x = 0, 0.5
    for _ in range(n):
        for row in rows:
            x = x * 0.5 + total
            for item in row:
                total += item
                x += 0.25
    return total, x


print(nested([(1, 2), (3,), ()], 40), nested(((1, 2), [3], []), 40))


class Watcher:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        found = sys._getframe(1).f_locals
        seen.append((self.name, found.get("total"), found.get("x")))


seen = []


def dying(n):
    total, x = 0, 1.5
    for i in range(n):
        total += i
        # The list has no other owner: it goes when the iterator has come to its end.
        for w in [Watcher(i), Watcher(-i)]:
            x += 0.5
        w = None
        total += 1
    return total, x


print(dying(30), len(seen), seen[:6], seen[-4:])
seen.clear()


def watched(kind, name):
    total = 0
    items = kind([Watcher(name), Watcher(-name)])
    x = 2.0
    for item in items:
        items = None
        total += 1
        x *= 0.5
    item = None
    total += 100
    return total, x


for i in range(40):
    result = watched(list, i)
    result = watched(tuple, i + 0.5)
print(result, len(seen), seen[:4], seen[-4:])
seen.clear()


class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        frame = sys._getframe(1)
        if frame.f_code is collected.__code__:
            assert frame.f_locals["total"] == log[-1], (frame.f_locals["total"], log[-1])
            seen.append(1)


log = [0]


def collected(items, n):
    total = 0
    for i in range(n):
        Cycle()
        total = total + 1
        log.append(total)
        for item in items:
            pass
        for item in (1, 2):
            pass
    return total


thresholds = gc.get_threshold()
gc.set_threshold(1)
print(collected([1, 2, 3], 200))
gc.set_threshold(7)
print(collected([1, 2, 3], 200))
gc.disable()
print(collected([1, 2, 3], 50))
gc.enable()
gc.set_threshold(0)
print(collected([1, 2, 3], 50))
gc.set_threshold(*thresholds)
gc.collect()


# The iterator is somebody else's, or has ended already.
def rest(iterator):
    found = []
    for item in iterator:
        found.append(item)
    for item in iterator:
        found.append("again")
    return found


shared = [1, 2, 3]
for _ in range(40):
    iterator = iter(shared)
    next(iterator)
    result = rest(iterator), rest(iterator), list(iterator), sys.getrefcount(shared)
print(result)
shared.append(4)
print(list(iterator), rest(iterator))


def growing(items, n):
    count = 0
    for item in items:
        count += 1
        if count < n:
            items.append(item)
    return count, len(items)


print([growing([1, 2], 20) for _ in range(40)][-1])


def leaving(items, stop):
    for item in items:
        for other in (4, 5, 6):
            if item == stop:
                return other
            if other == 5:
                break
    return None


print([leaving([1, 2, 3], k % 4) for k in range(40)][-4:], sys.getrefcount(shared))
