# Dictionaries with nested tuples as keys, whose hashes are kept: right hashes, classes of tuples that change, subclasses of dict, what
# must not be kept.
# compiled: fill, read, present, looked_up, counted, in_order, stored
import collections
import gc
import random
import sys
import time
import weakref

State = collections.namedtuple("State", "position energy")
Pair = collections.namedtuple("Pair", "left right")


class Plain(tuple):
    """Instances have dictionaries."""


class Bare(tuple):
    __slots__ = ()


class Hashing(tuple):
    __slots__ = ()
    def __hash__(self):
        calls.append(len(self))
        return 5


class Noisy:
    def __init__(self, n): self.n = n
    def __hash__(self):
        calls.append(self.n)
        return self.n
    def __eq__(self, other):
        calls.append("eq")
        return isinstance(other, Noisy) and self.n == other.n


class Filling(dict):
    def __missing__(self, key):
        calls.append("missing")
        return len(key)


class Reading(dict):
    def __getitem__(self, key): return "read"


class Writing(dict):
    def __setitem__(self, key, value): dict.__setitem__(self, key, (value,))


calls = []


def fill(dictionary, keys):
    for key in keys:
        dictionary[key] = 1
        dictionary[key] += 1
    return dictionary


def read(dictionary, keys):
    found = []
    for key in keys:
        found.append(dictionary[key] + dictionary[key])
    return found


def present(dictionary, keys):
    return [key in dictionary and key in dictionary for key in keys]


def looked_up(dictionary, keys):
    return [dictionary.get(key, 0) for key in keys for _ in range(2)]


def counted(keys):
    counts = collections.defaultdict(int)
    for key in keys:
        counts[key] += 1
        counts[key] += 1
    return counts


def in_order(keys):
    ordered = collections.OrderedDict()
    for key in keys:
        ordered[key] = key[0]
    return [ordered[key] for key in keys]


def stored(dictionary, key):
    dictionary[key] = 3
    return dictionary[key]


def shown(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)


def random_key(rng, depth=0):
    if depth and rng.random() < 0.6:
        return rng.choice([
            rng.randrange(-3, 3), rng.randrange(-2**70, 2**70), rng.randrange(2**29, 2**31), rng.random(), -0.0, 1.0, None, True, "text",
            str(rng.random()), "é" * 5, -1, 2**61 - 1, 2**61 - 2, -(2**61) + 1, float("inf"),
        ])
    kind = rng.choice([tuple, tuple, tuple, Bare, Plain, lambda items: Pair(*(list(items) + [0, 0])[:2])])
    return kind([random_key(rng, depth + 1) for _ in range(rng.randrange(0, 4 if depth < 4 else 1))])


def main():
    some = [(1, (2, 3)), State((1, 2), 0.5), ((), ()), (("a", "b"), None), Pair(State((-1, -2), -1), (True, 1.0))]
    for _ in range(60):
        read(fill({}, some), some), present({some[0]: 1}, some), looked_up({some[1]: 2}, some), counted(some), in_order(some[:2])
        stored({}, some[0])
    print(read(fill({}, some), some), present({some[0]: 1}, some), looked_up({some[1]: 2}, some))
    print(counted(some), in_order(some[:2]))

    # The hashes are those of the interpreter: what one has stored the other finds, under equal keys of other types, too.
    rng = random.Random(7)
    keys = [random_key(rng) for _ in range(3000)]
    rng.seed(7)
    equal = [random_key(rng) for _ in range(3000)]
    known = {key: number for number, key in enumerate(equal)}
    print([known[key] for key in keys] == looked_up(known, keys)[::2] == looked_up(known, keys)[1::2])
    mine = fill({}, keys)
    print(len(mine), all(key in mine for key in equal), all(present(mine, keys)), sum(counted(keys).values()))
    exact = [(1, (2, 3)), (1.0, (2, 3)), (True, (2.0, 3))]
    print(read(fill({}, exact[:1]), exact), stored({}, ((0.0, -0.0), 0)))

    # Objects with hashes of their own are asked each time.
    deep = (1, (Noisy(3), 2))
    calls.clear()
    print(shown(stored, {}, deep), calls)
    calls.clear()
    print(shown(stored, {}, (1, Hashing((2, 3)))), calls)
    calls.clear()
    print(shown(stored, {}, Hashing((1, (2, 3)))), calls)
    print(shown(stored, {}, (1, (2, []))), shown(stored, {}, ((1, {}), 2)), shown(read, {}, [(1, (2, 3))]))
    print(stored({}, (1, time.gmtime(0))), stored({}, Plain([(1, 2), 3])), stored({}, (frozenset([1]), (2,))))

    # A class of tuples gets a hash of its own, and loses it.
    key = (State((5, 6), 7), (8, 9))
    dictionary = {}
    print(stored(dictionary, key), stored(dictionary, key))
    State.__hash__ = lambda self: calls.append("own") or 1
    calls.clear()
    print(shown(read, dictionary, [key]), calls)
    print(stored({}, key), calls)
    del State.__hash__
    calls.clear()
    print(read(dictionary, [key]), stored(dictionary, key), calls)

    # Subclasses of dict.
    calls.clear()
    print(read(Filling(), [(1, (2,)), ((1,), 2)]), calls)
    print(looked_up(Filling(), [(1, (2,))]), read(Reading(), [(1, (2,))]), stored(Writing(), ((1,), 2)))
    calls.clear()
    print(read(Filling({Noisy(4): 1}), [Noisy(4)]), calls)
    print(shown(read, collections.OrderedDict(), [((1,), 2)]), shown(read, collections.defaultdict(), [((1,), 2)]))
    print(collections.Counter([((1,), 2)])[((1,), 3)], shown(stored, collections.Counter(), ((1,), 2)))

    # Keys and what is in them go; classes of tuples go, too.
    class Item:
        pass
    item = Item()
    gone = weakref.ref(item)
    stored({}, (1, (item, 2)))
    del item
    print(gone() is None)
    def local_class():
        local = collections.namedtuple("local", "a b")
        stored({}, (local(1, 2), 3))
        return weakref.ref(local)
    references = [local_class() for _ in range(5)]
    # Enough others at other addresses.
    for key in [(n, (n, n)) for n in range(5000)]:
        stored({}, key)
    gc.collect()
    print([reference() for reference in references].count(None) >= 4)

    try:
        import columba
    except ImportError:
        return
    if columba.is_enabled() and columba.config()["threshold"] <= 20:
        few = [(n, (n, n)) for n in range(8)]
        before = columba.stats()["hashes_reused"]
        # Enough for a pause, after hashes that nobody asked for again, to be over.
        for n in range(20_000):
            stored({}, few[n % 8])
        assert columba.stats()["hashes_reused"] > before + 10_000, columba.stats()
        columba.config(disable_passes="keep_hashes")
        before = columba.stats()["hashes_reused"]
        stored({}, few[0])
        assert columba.stats()["hashes_reused"] == before
        columba.config(disable_passes="")


main()
