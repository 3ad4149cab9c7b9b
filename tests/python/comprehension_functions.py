# Functions of comprehensions are used again; iterators are known behind yields and in comprehensions.
# compiled: squares, nested, closures, totals, again, escaping, reversed_ranges, ranges_in_generator, lists_in_generator
# compiled: passed_iterators, three_at_once, chosen
# optimised: squares: reuse_functions
# optimised: totals: reuse_functions
# optimised: reversed_ranges: intrinsics
# optimised: reversed_ranges: range_loops
# optimised: ranges_in_generator: range_loops
# optimised: lists_in_generator: list_loops
import gc
import sys
import types
import weakref


def squares(xs, k):
    return [x * k for x in xs], {x: k for x in xs}, {x + k for x in xs}


def nested(n, m):
    return [[i * j + n for j in range(m)] for i in range(n)]


def closures(n):
    return [f() for f in [lambda i=i: (i, n) for i in range(n)]], sum(i for i in range(n) if i != n - 1)


def totals(xs):
    return sum(x for x in xs), max(x for x in xs), tuple(x for x in xs), sorted(-x for x in xs), any(x > 2 for x in xs)


for _ in range(60):
    squares([1, 2], 3), nested(3, 2), closures(4), totals([1, 2, 3])
print(squares([1, 2.5], 2), nested(2, 3), closures(3), totals([3, 1, 2]))
print(squares((1,), 0), totals(range(4)), totals((True, 2)))


# One alive while the next is made: recursion, and generators that are suspended.
def again(n):
    return [again(n - 1) if n else 0 for _ in range(2)]


def suspended(n):
    return [(n * x for x in range(3)) for _ in range(3)]


for _ in range(40):
    again(2), [list(g) for g in suspended(2)]
made = [suspended(k) for k in range(4)]
print(again(3), [[sum(g) for g in row] for row in made])


# What the closure holds dies when it would have.
class Noted:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name, end="; ")
        if self.name == "inner":
            print([k * 2 for k in (1, 2)], end="; ")


def escaping(name):
    kept = Noted(name)
    out = [(x, kept.name) for x in (1, 2)]
    del kept
    print("left", end="; ")
    return out


stdout, sys.stdout = sys.stdout, types.SimpleNamespace(write=lambda text: 0, flush=lambda: 0)
for _ in range(60):
    escaping("quiet")
sys.stdout = stdout
print(escaping("a"), escaping("inner"))
thing = Noted("held by a generator")
lazy = (thing.name for _ in range(2))
print(next(lazy), end="; ")
lazy.close()
del lazy


# Globals and builtins that change are seen by the next one.
def names():
    return [GLOBAL + len(x) for x in ("a", "bc")]


GLOBAL = 1
for _ in range(60):
    names()
GLOBAL = 10
print(names())
len = lambda x: 100
print(names())
del len
print(names())
namespaces = [{"k": k, "__name__": f"module{k}"} for k in range(3)]
source = compile("def f(): return [k + i for i in range(2)], (lambda: 0).__module__\n", "made", "exec")
for namespace in namespaces:
    exec(source, namespace)
print([[namespace["f"]() for namespace in namespaces] for _ in range(40)][-1])
weak = weakref.ref(namespaces[0]["f"])
del namespace, namespaces
gc.collect()
print(weak())


# The function can be found while it lives, and is a whole one.
def found():
    cell = 7
    return [
        [(f.__name__, f.__module__, f.__closure__ is not None, f.__code__.co_name) for f in gc.get_objects() if type(f) is types.FunctionType and f.__name__ == "<listcomp>" and f.__closure__ and f.__closure__[0].cell_contents == cell]
        for _ in range(1)
    ][0]


for _ in range(25):
    result = found()
print(result)


def reversed_ranges(n, step):
    out = []
    for i in reversed(range(n)):
        out.append(i)
    for i in reversed(range(0, n, step)):
        out.append(-i)
    return out


for _ in range(40):
    reversed_ranges(4, 2)
print(reversed_ranges(5, 3), reversed_ranges(0, 1), reversed_ranges(3, -1))
print(list(reversed(range(2**64, 2**64 + 2))))


def big_reversed(n, m):
    out = []
    for i in reversed(range(n, m)):
        out.append(i)
    return out


for _ in range(40):
    big_reversed(1, 3)
print(big_reversed(2**70, 2**70 + 3), big_reversed(-2, 2))
reversed = lambda xs: [7, 8]
print(reversed_ranges(3, 1))
del reversed
print(reversed_ranges(3, 1))


def ranges_in_generator(n):
    for i in range(n):
        for j in range(i):
            yield i * j
        for k in range(3):
            pass
        yield -k


def lists_in_generator(xs):
    for x in xs:
        got = yield x
        if got:
            xs.append(got)


for _ in range(40):
    list(ranges_in_generator(4)), list(lists_in_generator([1, 2]))
print(list(ranges_in_generator(4)), sum(ranges_in_generator(30)))
generator = lists_in_generator([1, 2])
print(next(generator), generator.send(3), next(generator), next(generator, None))
print(list(lists_in_generator("ab")), list(lists_in_generator({3: 4})), list(lists_in_generator(ranges_in_generator(2))))


# An iterator that a loop behind a yield goes through is advanced by somebody else.
def shared(xs):
    it = iter(xs)
    for x in it:
        yield x, it


for _ in range(40):
    list(shared([1, 2]))
for xs in ([1, 2, 3, 4], (1, 2, 3, 4), range(1, 5)):
    print([(x, next(it, None)) for x, it in shared(xs)], end=" ")
print()


# A range's iterator that two loops and a call share.
def three_at_once(it):
    out = []
    for i in it:
        for j in it:
            out.append((i, j, next(it, None)))
            if j % 3 == 0:
                break
    for k in it:
        out.append(k)
    return out


def chosen(first, second, flag):
    out = []
    for i in first:
        out.append(i)
        break
    for i in second:
        out.append(i)
        break
    for i in first if flag else second:
        out.append((i, next(first, None), next(second, None)))
    return out


for _ in range(60):
    three_at_once(iter(range(5))), chosen(iter(range(5)), iter(range(3)), _ % 2)
print(three_at_once(iter(range(20))), three_at_once(iter([1, 2, 3, 4])))
print(chosen(iter(range(9)), iter(range(9)), True), chosen(iter(range(9)), iter(range(9)), False))


def passed_iterators(xs):
    return [x for x in xs], list(x for x in xs), [x for x in enumerate(xs)], [a for a, b in zip(xs, xs)]


for _ in range(40):
    passed_iterators([1, 2])
print(passed_iterators((1, 2)), passed_iterators(range(2)), passed_iterators("ab"), passed_iterators({1.5}))


# StopIteration's value where C code goes through a generator, and exceptions from it.
def returning():
    yield 1
    return "value"


def raising(n):
    for i in range(n):
        yield i
    raise KeyError(n)


def stopping():
    yield 1
    next(iter(()))


for _ in range(40):
    list(returning())
    for consume in (list, sum, sorted):
        try:
            consume(raising(2))
        except KeyError:
            pass
        try:
            consume(stopping())
        except RuntimeError as error:
            stopped = error
print(repr(stopped), repr(stopped.__cause__))
generator = returning()
print(next(generator))
try:
    next(generator)
except StopIteration as end:
    print(end.value)
print(next(generator, "over"))


def self_consuming():
    try:
        yield list(me)
    except ValueError as error:
        yield str(error)


for _ in range(40):
    me = self_consuming()
    out = list(me)
print(out)
