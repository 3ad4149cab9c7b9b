# Instances that are made and given back in place: finalisers, weak references, dictionaries, deep chains, classes that change, loops
# whose numbers stay raw beside them.
# compiled: chain, moved, slotted_chain, replaced, weakly, many, resurrecting, deep
import gc
import sys
import weakref

try:
    import columba
except ImportError:
    columba = None


class Noisy:
    def __init__(self, name): self.name = name
    def __del__(self): log.append(self.name)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, by): return Point(self.x + by, self.y - by)


class Derived(Point):
    def __init__(self, x, y, z):
        self.z = z
        self.y = y
        self.x = x


class Slotted:
    __slots__ = "first", "second"
    def __init__(self, first, second):
        self.first = first
        self.second = second


class SlottedChild(Slotted):
    __slots__ = "third",
    def __init__(self, first, second, third):
        self.first = first
        self.second = second
        self.third = third


class Weak:
    __slots__ = "value", "__weakref__"
    def __init__(self, value): self.value = value


log = []


def moved(n):
    """The old point goes at each store to the list, the numbers of the loop in registers."""
    points = [Point(0.0, 1.0), Point(1.5, 2)]
    total = 0.0
    for i in range(n):
        step = i * 0.5
        points[i & 1] = points[i & 1].moved(step)
        total += step
    return points[0].x, points[1].y, total


def chain(n):
    node = None
    for i in range(n):
        node = Point(i, node)
    return node


def slotted_chain(n):
    node = None
    for i in range(n):
        node = Slotted(i, node)
    return node


def replaced(values, n):
    """Attributes with finalisers go in the order of the keys, and see the numbers of the loop in this frame."""
    holder = [None]
    count = 0
    for i in range(n):
        count += 2
        holder[0] = Derived(values(f"x{i}"), values(f"y{i}"), values(f"z{i}"))
    holder[0] = None
    return count


def weakly(n):
    gone = []
    for i in range(n):
        thing = Weak(i)
        reference = weakref.ref(thing, lambda _: gone.append(i))
        point = Point(thing, i)
        other = weakref.ref(point, lambda _: gone.append(-i))
        point = thing = None
        assert reference() is None and other() is None
    return gone


def many(n):
    kept = [Point(i, i + 0.5) for i in range(n)]
    half = kept[::2]
    del kept
    return sum(p.x for p in half) + sum(p.y for p in half)


class Phoenix:
    nest = []
    def __init__(self, n): self.n = n
    def __del__(self): Phoenix.nest.append(self)


def resurrecting(n):
    for i in range(n):
        Point(Phoenix(i), i)
    return [p.n for p in Phoenix.nest[-3:]]


def deep(make, n):
    """A chain that goes at once: deallocations nested deeply."""
    node = make(n)
    node = None
    return n


class Looking:
    """Looks at the frame in which it dies."""
    seen = []
    def __init__(self, n): self.n = n
    def __del__(self):
        variables = sys._getframe(1).f_locals
        Looking.seen.append((variables.get("i"), variables.get("doubled"), self.n))


def observed(n):
    holder = [None]
    for i in range(n):
        doubled = i * 2
        holder[0] = Point(Looking(i), doubled)
    return len(Looking.seen)


def twice_the_same(n):
    """An object that both attributes refer to, and nobody else."""
    holder = [None]
    for i in range(n):
        noisy = Noisy(i)
        point = Point(noisy, noisy)
        noisy = None
        holder[0] = point
        point = None
    holder[0] = None
    return log[-3:]


def main():
    for _ in range(50):
        moved(20), chain(5), slotted_chain(5), replaced(Noisy, 3), weakly(2), many(10), resurrecting(2)
        deep(chain, 10), observed(3), twice_the_same(4)
    # What a second tier is made from later on need not be what the class is then.
    if columba and columba.is_enabled() and columba.config()["threshold"] == 20 and columba.config()["stress"] == "none":
        assert any(text.startswith("inline_instances") for text in columba.info(moved).optimisations)
    log.clear()
    print(moved(500))
    print(replaced(Noisy, 3), log)
    print(replaced(str, 3))
    print(weakly(3))
    print(many(5000))
    print(resurrecting(4), observed(5), Looking.seen[-3:])
    log.clear()
    print(twice_the_same(5), log)
    print(deep(chain, 100_000), deep(slotted_chain, 100_000))

    # A dictionary of its own, and one that outlives the instance.
    dictionaries = [vars(Point(i, [i])) for i in range(200)]
    print(dictionaries[7], len(dictionaries))
    child = [SlottedChild(i, Noisy(i), None).first for i in range(100)]
    print(child[-1], log[-2:])

    # The collector knows them: cycles are found, and there is no garbage behind.
    gc.collect()
    for i in range(2000):
        a = Point(i, None)
        a.y = Point(a, Noisy(-i))
    del a
    log.clear()
    gc.collect()
    print(len(log) > 0, gc.garbage)

    # The class gets a finaliser, loses it, and is no class of these instances any more.
    alive = Point(1, 2)
    Point.__del__ = lambda self: log.append(("gone", self.x))
    log.clear()
    print(moved(3), log)
    del Point.__del__
    log.clear()
    print(moved(3), log)
    Point.extra = 5
    print(moved(4), Point(1, 2).extra, alive.x)
    alive.__class__ = Derived
    del alive

    # A class that is gone leaves nothing behind.
    def made_and_dropped():
        class Local:
            def __init__(self, n): self.n = n
        for i in range(30):
            Local(i)
        return weakref.ref(Local)
    references = [made_and_dropped() for _ in range(30)]
    gc.collect()
    print(any(reference() for reference in references))
    before = sys.getrefcount(Point)
    moved(200)
    print(sys.getrefcount(Point) - before)

    if columba and columba.is_enabled():
        # Interpreters that count all references leave instances to CPython.
        stats = columba.stats()
        # By default it is a matter of time what is compiled.
        soon = columba.config()["threshold"] <= 20
        assert not soon or stats["instances_made"] > 100 or hasattr(sys, "gettotalrefcount"), stats
        assert not soon or stats["instances_given_back"] > 100 or hasattr(sys, "gettotalrefcount"), stats
        columba.config(disable_passes=["plain_instances"])
        made = columba.stats()["instances_made"]
        moved(100)
        assert columba.stats()["instances_made"] == made
        columba.config(disable_passes="")
        moved(100)
        assert not soon or columba.stats()["instances_made"] > made or hasattr(sys, "gettotalrefcount")


main()
