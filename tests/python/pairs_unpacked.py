# Loops over enumerate and zip that unpack their items: without the tuple, and as if with it.
# compiled: indexed, weighted, dot, three, inner_raises, first_is_longer, second_raises, nested, kept, unkept, grown, shared
# compiled: huge_start, negative_start, strictly, wrong_count, generator_pairs, over_generator, left_early, tuple_items, finalised
# optimised: indexed: unpack_iterators
# optimised: weighted: unpack_iterators
# optimised: dot: unpack_iterators
# optimised: three: unpack_iterators
# optimised: nested: unpack_iterators
# optimised: over_generator: unpack_iterators
# optimised: tuple_items: tuple_loops
import sys
import traceback


def indexed(xs):
    out = []
    for i, x in enumerate(xs):
        out.append((i, x))
    return out


def weighted(xs):
    s = 0.0
    for i, x in enumerate(xs):
        s += i * x
    return s


def dot(p, q):
    s = 0
    for a, b in zip(p, q):
        s += a * b
    return s


def three(p, q, r):
    out = []
    for a, b, c in zip(p, q, r):
        out.append(a + b * c)
    return out


for _ in range(40):
    indexed("abc"), weighted([1.5, 2.5]), dot([1, 2], [3, 4]), three([1], (2,), {3: 4})
print(indexed([]), indexed("xyz"), indexed({1: 2, 3: 4}), indexed((None, True)), indexed(range(3)))
print(weighted([0.5] * 9), weighted([1, 2, 3]), weighted([True, 2.5]), weighted(x / 2 for x in range(5)))
print(dot([1, 2, 3], [4, 5]), dot([], [1]), dot([1], []), dot(range(5), [2.5] * 9), dot((1, 2), (3, 4)))
print(dot([10**30], [10**30]), three("ab", "cd", [1, 2]), three([1, 2], [3], [5, 6, 7]))


# Exceptions of inner iterators, and where they leave the others.
class Bad:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        self.n -= 1
        if self.n == 0:
            raise ValueError("no more")
        return self.n


def inner_raises(xs):
    try:
        for i, x in enumerate(xs):
            last = i, x
    except ValueError as error:
        tb = error.__traceback__
        return last, str(error), [f.lineno - inner_raises.__code__.co_firstlineno for f in traceback.extract_tb(tb)[:1]]
    return last


def first_is_longer(p, q):
    p, q = iter(p), iter(q)
    for a, b in zip(p, q):
        pass
    return list(p), list(q)


def second_raises(p, q):
    p = iter(p)
    try:
        for a, b in zip(p, q):
            pass
    except ValueError as error:
        return a, b, list(p), len(traceback.extract_tb(error.__traceback__))


for _ in range(40):
    result = inner_raises(Bad(4)), first_is_longer([1, 2, 3], [4]), second_raises([1, 2, 3, 4], Bad(3))
print(result)
try:
    weighted(7)
except TypeError as error:
    print(error)


# What is unpacked further.
def nested(p, q):
    out = []
    for i, (a, b) in enumerate(zip(p, q)):
        out.append(i + a * b)
    return out


for _ in range(40):
    nested([1, 2], [3, 4])
print(nested([1, 2, 3], [4, 5, 6]), nested([1.5], [2]))


class Item:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name, end="; ")


# A local variable that nothing else binds keeps an item as long as the iterator's tuple would.
def kept(n):
    for i, x in enumerate(Item(k) for k in range(n)):
        print("turn", i, end="; ")
    print("end", end="; ")


# Here only the tuple does.
def unkept(n):
    for i, x in enumerate(Item(k) for k in range(n)):
        x = None
        print("turn", i, end="; ")
    print("end", end="; ")


class Quiet(Item):
    def __del__(self):
        pass


Loud, Item = Item, Quiet
for _ in range(40):
    sys.stdout.write("")
    stdout, sys.stdout = sys.stdout, type("Null", (), {"write": lambda self, text: 0, "flush": lambda self: 0})()
    kept(2), unkept(2)
    sys.stdout = stdout
Item = Loud
kept(3)
print()
unkept(3)
print()


# The list changes meanwhile; the iterator is used elsewhere meanwhile.
def grown(xs, n):
    out = []
    for i, x in enumerate(xs):
        if len(xs) < n:
            xs.append(x + 1)
        out.append((i, x))
        if i == 6:
            del xs[3:]
    return out


def shared(xs):
    pairs = enumerate(xs)
    out = []
    for i, x in pairs:
        out.append((i, x, next(pairs, None)))
    return out, list(pairs)


for _ in range(40):
    grown([1], 3), shared([1, 2, 3])
print(grown([1, 2], 9), shared([1.5, 2.5, 3.5]))


# Indices that are no machine ints.
def huge_start(xs, start):
    out = []
    for i, x in enumerate(xs, start):
        out.append(i)
    return out


def negative_start(xs):
    s = 0
    for i, x in enumerate(xs, -2):
        s += i * x
    return s


for _ in range(40):
    huge_start("abc", 5), negative_start([1, 2, 3])
for start in (0, -1, 2**62 - 1, 2**62, sys.maxsize - 1, sys.maxsize, 2**64, -(2**63), -(2**70), True):
    print(huge_start("abcd", start), end=" ")
print(negative_start([1, 2, 3, 4]), negative_start([1.5]))


def strictly(p, q):
    try:
        for a, b in zip(p, q, strict=True):
            last = a, b
    except ValueError as error:
        return last, str(error)
    return last


def wrong_count(pairs):
    try:
        for a, b in pairs:
            pass
    except (ValueError, TypeError) as error:
        return str(error)
    return a, b


for _ in range(40):
    strictly([1, 2], [3, 4]), wrong_count(zip([1], [2]))
print(strictly([1, 2], [3]), strictly([1], [2, 3]), wrong_count(zip("ab", "cd", "ef")), wrong_count(zip("ab")))
print(wrong_count(enumerate("ab")), wrong_count([(1, 2), [3, 4]]), wrong_count([1]))


def generator_pairs(p, q):
    for i, (a, b) in enumerate(zip(p, q)):
        yield i, a + b


def over_generator(p, q):
    out = []
    for i, (k, v) in enumerate(generator_pairs(p, q)):
        out.append(i * k + v)
    return out


for _ in range(40):
    over_generator([1, 2, 3], [4, 5, 6])
print(over_generator(range(6), [0.5] * 6), list(generator_pairs("ab", "cd")))


def left_early(p):
    pairs = zip(p, p)
    for a, b in pairs:
        if a > 2:
            break
    return a, b, list(pairs)


def tuple_items(xs):
    s = 0
    for x in (1, 2.5, xs):
        s += x
    for x in tuple(range(4)):
        s += x
    for x in ():
        s += x
    return s


for _ in range(40):
    left_early([1, 2, 3, 4, 5]), tuple_items(3)
print(left_early([1, 2, 3, 4, 5]), left_early([5]), tuple_items(4), tuple_items(1j))


# A finaliser runs Python in the middle of a turn, and replaces the list.
def finalised(xs):
    out = []
    for i, x in enumerate(xs):
        out.append(i)
        if i == 1:
            xs[:] = []
    return out


for _ in range(40):
    finalised([1, 2, 3])
print(finalised([Item("a"), Item("b"), Item("c")]))

# A builtin that is replaced is honoured.
enumerate = lambda xs: [("replaced", x) for x in xs]
print(indexed("ab"))
del enumerate
print(indexed("ab"))
