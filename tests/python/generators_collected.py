# Tuples and sets made of generators by compiled code: values, order, errors, frames, and who interferes meanwhile.
# compiled: counted, guarded, mixture, tuples, sets, large, fails_late, unhashable, nested, reentered, returned, traced, closed_over, several, shadowed
# optimised: tuples: collect_generators
# optimised: sets: collect_generators
# optimised: several: collect_generators
# optimised: counted: collect_yields
# optimised: guarded: collect_yields
# optimised: mixture: collect_yields
import gc
import sys
import traceback
import weakref


def tuples(n):
    return tuple(i * i for i in range(n))


def sets(n):
    return set(i % 5 for i in range(n))


def large(n):
    return tuple(str(i) for i in range(n))


for n in range(60):
    tuples(n), sets(n), large(n)
print(tuples(0), tuples(7), sets(0), sets(12), tuples(0) is tuple())
print(len(large(31)), len(large(32)), len(large(33)), large(5000)[-2:], type(tuples(3)), type(sets(3)))
print(tuples(100)[40:43], sum(tuples(3000)))


# An error in the generator, and one of what is done with its values: what was collected dies, in the order in which it does.
class Item:
    def __init__(self, n, log):
        self.n, self.log = n, log

    def __del__(self):
        self.log.append(self.n)


def broken(n, at, log):
    for i in range(n):
        if i == at:
            raise ValueError(i)
        yield Item(i, log)


def fails_late(n, at):
    log = []
    try:
        tuple(broken(n, at, log))
    except ValueError as e:
        lines = [(f.name, f.line) for f in traceback.extract_tb(e.__traceback__)]
        return e.args, lines, log
    return log


for _ in range(40):
    fails_late(4, 2)
print(fails_late(6, 3))
print(fails_late(40, 36))
print(fails_late(3, 9))


def unhashable(values):
    g = (v for v in values)
    try:
        return set(g)
    except TypeError as e:
        return str(e), list(g)


for _ in range(40):
    unhashable([1, 2, [], 3])
print(unhashable([1, 2, [], 3, 4]), unhashable([3, 3]))


# Values whose own methods run while the set is filled: they look at the generator, and use it.
class Nosy:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        states.append((source.gi_running, source.gi_frame is not None))
        if self.n == 2:
            states.append(next(source).n)
        return self.n

    def __eq__(self, other):
        return self.n == other.n


def nosy(n):
    for i in range(n):
        yield Nosy(i)


def nested(n):
    global source, states
    states = []
    source = nosy(n)
    return sorted(x.n for x in set(source))


for _ in range(40):
    nested(4)
print(nested(6), states)


# A generator that goes through itself.
def itself():
    yield 1
    try:
        yield tuple(me)
    except ValueError as e:
        yield str(e)
    yield 3


def reentered():
    global me
    me = itself()
    return tuple(me)


for _ in range(40):
    reentered()
print(reentered())


# What is returned is nobody's; a StopIteration inside is an error.
def returns(n):
    yield n
    return object()


def stops(n):
    yield n
    raise StopIteration(n)


def returned(f, n):
    try:
        return tuple(f(n))
    except RuntimeError as e:
        return str(e), type(e.__cause__)


for _ in range(40):
    returned(returns, 1), returned(stops, 1)
print(returned(returns, 5), returned(stops, 6))


# Frames: who calls whom, and what is being handled.
def looks(n):
    for i in range(n):
        f = sys._getframe()
        yield f.f_code.co_name, f.f_back.f_code.co_name, f.f_lineno - f.f_code.co_firstlineno, sys.exc_info()[0]


def several(n):
    try:
        raise KeyError
    except KeyError:
        return tuple(looks(n)), len(set(looks(n)))


for _ in range(40):
    several(3)
print(several(2))


# Tracing and profiling that begin in the middle.
events = []


def tracer(frame, event, arg):
    events.append((frame.f_code.co_name, event, frame.f_lineno - frame.f_code.co_firstlineno))
    return tracer


def begins(n, at):
    for i in range(n):
        if i == at:
            sys.setprofile(tracer)
        yield i


def traced(n, at):
    r = tuple(begins(n, at))
    return r


for _ in range(40):
    traced(4, 9)
result = traced(4, 1)
sys.setprofile(None)
print(result, [e for e in events if e[1] in ("call", "return")])


# References: of what the generator closed over, of values, of the generator itself.
def closed_over(o, n):
    return tuple(o for _ in range(n)), set(o for _ in range(n))


token = Item(0, [])
for _ in range(40):
    closed_over(token, 3)
before = sys.getrefcount(token)
kept = closed_over(token, 7)
print(sys.getrefcount(token) - before, len(kept[0]), len(kept[1]))
del kept
print(sys.getrefcount(token) - before)


def watched():
    yield 1
    yield 2


for _ in range(40):
    g = watched()
    tuple(g)
g = watched()
w = weakref.ref(g)
print(next(g), tuple(g), tuple(g), g.gi_frame, g.gi_running)
del g
gc.collect()
print(w() is None)


# Deep recursion through generators.
def deep(n):
    yield n
    if n:
        yield tuple(deep(n - 1))


def depth(t):
    n = 0
    while len(t) > 1:
        t, n = t[1], n + 1
    return n


for _ in range(40):
    tuple(deep(5))
print(depth(tuple(deep(50))))
limit = sys.getrecursionlimit()
try:
    tuple(deep(10**6))
except RecursionError as e:
    print(e)
print(sys.getrecursionlimit() == limit, depth(tuple(deep(60))))


# The names may mean something else; subclasses are not what the types make.
class tuple2(tuple):
    pass


def shadowed(tuple, n):
    return tuple(i for i in range(n))


for _ in range(40):
    shadowed(tuple2, 3)
print(shadowed(list, 3), type(shadowed(tuple2, 2)).__name__, shadowed(sum, 4))


# Other iterables go the usual way.
def converted(x):
    return tuple(x), set(x)


for _ in range(40):
    converted([1, 2])
print(converted("aab")[0], sorted(converted((3, 1, 3))[1]), converted(range(2)), converted({})[0])
try:
    converted(3)
except TypeError as e:
    print(e)


# Generators that give their values without being left: what their frames hold when somebody looks at last.
def counted(n, at, step):
    total = 0
    scale = 0.5
    for i in range(n):
        total += i * step
        scale = scale + 0.25
        if i == at:
            seen.append((sys._getframe().f_locals["total"], sys._getframe().f_back.f_code.co_name, g.gi_running, g.gi_frame.f_lineno))
        yield total if i % 2 else scale
    return total


def through(make, n, at, step=1):
    global g
    g = counted(n, at, step)
    result = make(g)
    return len(result), sorted(result)[:3], g.gi_frame


seen = []
for _ in range(60):
    through(tuple, 8, 5), through(set, 8, 5)
seen.clear()
print(through(tuple, 8, 5), through(set, 8, 7), through(tuple, 70, 60), through(set, 70, 0), seen)
try:
    through(tuple, 9, 20, "x")
except TypeError as e:
    print(e, e.__traceback__.tb_next.tb_next.tb_frame.f_locals)
print(through(tuple, 6, 3, 1.5), through(set, 6, 3, 2**70), through(set, 6, 9, True))
half = counted(6, 9, 1)
print(next(half), half.send("sent"), tuple(half), tuple(half))


# Handlers around a yield, and what the generator does when the one who takes its values fails.
def guarded(values, log):
    for v in values:
        try:
            log.append("in")
            yield v
            log.append("out")
        except GeneratorExit:
            log.append("exit")
            raise
        finally:
            log.append("finally")


def collect_guarded(values):
    log = []
    try:
        return sorted(set(guarded(values, log))), log
    except TypeError as e:
        return str(e), log


for _ in range(60):
    collect_guarded([1, 2])
print(collect_guarded([1, 2, 1]))
print(collect_guarded([1, 2, [], 3]))
print(len(tuple(guarded(range(100), []))))


# A set whose plain values meet others with methods of their own, which look at the generator.
class Equal:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n

    def __eq__(self, other):
        looks.append((type(other).__name__, mixed.gi_running, mixed.gi_frame.f_locals["i"]))
        return False


class Int(int):
    def __hash__(self):
        looks.append(("hash", mixed.gi_running, mixed.gi_frame.f_locals["i"]))
        return int.__hash__(self)


def mixture(n, special):
    for i in range(n):
        yield special.get(i, i % 4)


def collect_mixture(n, special):
    global mixed
    mixed = mixture(n, special)
    return len(set(mixed))


looks = []
for _ in range(60):
    collect_mixture(6, {})
print(collect_mixture(9, {3: Equal(1), 6: Int(2)}), looks)
looks.clear()
print(collect_mixture(12, {0: "a", 1: None, 2: 2.0, 5: Equal(2), 7: b"x", 8: (1, 2)}), looks)


# Another generator is gone through while one is: each has its own values.
def inner(n):
    for i in range(n):
        yield i


def outer(n):
    for i in range(n):
        yield sum(tuple(inner(i))) + len(set(inner(i))) + next(inner(5))


for _ in range(60):
    tuple(outer(4))
print(tuple(outer(9)), sorted(set(outer(7))), list(outer(5)))


# Switched off from within, and traced.
def traced_from(n, at):
    for i in range(n):
        if i == at:
            sys.settrace(tracer)
        yield i
    sys.settrace(None)


def tracer(frame, event, arg):
    if frame.f_code is traced_from.__code__:
        events.append((event, frame.f_lineno - traced_from.__code__.co_firstlineno))
    return tracer


events = []
for _ in range(60):
    tuple(traced_from(4, 9))
print(tuple(traced_from(4, 2)), set(traced_from(3, 0)), events)
