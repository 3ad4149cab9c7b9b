# Generators and coroutines that are made in the memory of others: they are as new, and what clings to the old ones is done as ever.
# compiled: walk, many, small
# optimised: walk: make_generators
import gc
import sys
import tracemalloc
import types
import weakref


def walk(n):
    if n:
        yield from walk(n - 1)
        yield n
        yield from walk(n - 2 if n > 1 else 0)


def small():
    yield 1


def large(a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8):
    x = [a, b, c, (d, e, f, g, h, (a, b, c, (d, e, f, g, h)))]
    yield x


async def task(n):
    if n:
        return await task(n - 1) + 1
    return 0


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def many(n):
    total = 0
    for _ in range(n):
        for x in small():
            total += x
    return total


for _ in range(40):
    list(walk(6)), many(20), run(task(5)), list(large())
print(list(walk(6)), many(100), run(task(50)), list(large()))

# New ones have nothing of the old ones, whatever made them, and of whatever type they were.
before = []
for _ in range(50):
    g = small()
    ref = weakref.ref(g)
    before.append((g.gi_running, g.gi_frame.f_lasti >= 0, g.gi_yieldfrom, g.__name__, g.gi_code is small.__code__, gc.is_tracked(g), sys.getrefcount(g)))
    next(g)
    small.__name__ = "renamed"
    h = small()
    before.append((h.__name__, g.__name__, next(h), list(g), list(h), g.gi_frame, h.gi_frame, ref() is g))
    small.__name__ = "small"
    del g, h
    assert ref() is None
    c = task(1)
    before.append((type(c).__name__, c.cr_origin, c.cr_await, run(c), c.cr_frame))
print(len(before), before[-3:], before[0:3] == before[-3:])

# Something clings to them: weak references, an exception that was being handled, itself.
log = []


def handled():
    try:
        raise KeyError(1)
    except KeyError:
        yield sys.exc_info()[0]
        log.append(sys.exc_info()[0])


def resurrected(keep):
    try:
        yield 1
    finally:
        keep.append(sys._getframe().f_locals["keep"])


for i in range(50):
    g = handled()
    r = weakref.ref(g, lambda _: log.append("gone"))
    next(g)
    if i % 2:
        list(g)
    del g
    keep = []
    g = resurrected(keep)
    next(g)
    del g
    assert keep[0] is keep
print(len(log), log[-3:])

# Their code dies with the last of them, and that makes others. A compilation in the background would hold on to it.
try:
    import columba
    columba.config(background=False)
except ImportError:
    pass


def made(text):
    namespace = {}
    exec(text, namespace)
    return namespace.pop("f")


def on_death(_):
    log.append(list(walk(3)) + list(small()))


log.clear()
for _ in range(30):
    f = made("def f():\n yield 1\n yield 2\n")
    watch = weakref.ref(f.__code__, on_death)
    for _ in range(30):
        g = f()
        list(g)
    del f
    assert not log
    del g
    assert log.pop() == [1, 2, 3, 1, 1], log
    assert watch() is None

# In cycles, which the collector takes apart; and finalised before.
class Holder:
    pass


def cyclic(holder):
    holder.seen = True
    yield holder


for _ in range(30):
    holders = []
    for i in range(40):
        holder = Holder()
        holder.generator = cyclic(holder)
        if i % 3:
            next(holder.generator)
        if i % 3 == 2:
            list(holder.generator)
        holders.append(weakref.ref(holder))
    del holder
    gc.collect()
    assert not any(ref() for ref in holders)
print(list(walk(4)), many(10))

# Each counts where it was made.
tracemalloc.start()
kept = [small() for _ in range(200)]
assert len([1 for g in kept if tracemalloc.get_object_traceback(g) is not None]) == 200
tracemalloc.stop()
print(sum(sum(g) for g in kept))
del kept

if "columba" in sys.modules:
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and columba.info(walk).entered:
        before = columba.stats()["generators_reused"]
        list(walk(6))
        assert columba.stats()["generators_reused"] > before
        columba.disable()
        list(walk(6)), run(task(9))
        columba.enable()
        list(walk(6)), run(task(9))
