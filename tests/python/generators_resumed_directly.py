# Generators resumed by compiled code without CPython's calls: what their frames, states and exceptions look like meanwhile.
# compiled: count, total, delegate, tree_values, deep, Tree.__iter__, outer_handler, inner_handler
# optimised: total: direct_generators
# optimised: delegate: direct_generators
# optimised: delegate: pass_delegators
# optimised: Tree.__iter__: pass_delegators
# optimised: count: make_generators
# optimised: dropped: close_generators
import gc
import sys
import traceback
import weakref


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1
    return n


def total(n):
    s = 0
    for i in count(n):
        s += i
    return s


print([total(n) for n in range(30)][-1])


class Tree:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def tree(values):
    if not values:
        return None
    middle = len(values) // 2
    return Tree(tree(values[:middle]), values[middle], tree(values[middle + 1 :]))


def tree_values(t):
    return [v for v in t]


print(tree_values(tree(list(range(60)))) == list(range(60)))


# Values go down a chain, yields and return values come up.
def delegate(n, level):
    if level == 0:
        got = []
        for i in range(n):
            got.append((yield i))
        return got
    result = yield from delegate(n, level - 1)
    return result + [level]


def run(g, *values):
    out = [next(g)]
    try:
        for value in values:
            out.append(g.send(value))
    except StopIteration as stop:
        out.append(stop.value)
    return out


for _ in range(20):
    r = run(delegate(3, 4), "a", 1.5, None)
print(r)


# Exceptions from the bottom find the handlers in between, and tracebacks name every frame.
def deep(level):
    if level == 0:
        yield 0
        yield 1 / 0
    try:
        yield from deep(level - 1)
    finally:
        log.append(level)


log = []
for _ in range(3):
    g = deep(3)
    next(g)
    try:
        next(g)
    except ZeroDivisionError as e:
        print([(f.name, f.line) for f in traceback.extract_tb(e.__traceback__)], log, g.gi_frame)
    log.clear()


def handled(level):
    try:
        yield from (handled(level - 1) if level else count(2))
        raise KeyError(level)
    except KeyError as e:
        yield ("caught", e.args[0], sys.exc_info()[1] is e)
    yield sys.exc_info()[1]


print([list(handled(2)) for _ in range(3)][-1])


# The frame of a generator that another runs for: states, line numbers, what it delegates to.
def watched():
    yield (outer.gi_running, outer.gi_yieldfrom, outer.gi_frame.f_lineno - outer.gi_code.co_firstlineno)
    frame = sys._getframe()
    names = []
    while frame.f_code is not watching.__code__ or len(names) < 2:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    yield names, frame.f_lineno - watching.__code__.co_firstlineno, sorted(frame.f_locals)
    for attempt in outer.__next__, outer.close, lambda: outer.throw(KeyError):
        try:
            attempt()
        except ValueError as e:
            yield str(e)


def watching(level):
    local = level
    if level:
        yield from watching(level - 1)
    else:
        yield from watched()


for _ in range(3):
    outer = watching(2)
    r = []
    for x in outer:
        r.append((x, outer.gi_running, outer.gi_yieldfrom is not None, outer.gi_frame.f_locals["local"]))
print(r)


# The handled exception belongs to the generator that handles it, not to who resumes it.
def inner_handler():
    yield repr(sys.exc_info()[1])
    try:
        raise ValueError("inner")
    except ValueError:
        yield repr(sys.exc_info()[1])
        yield repr(sys.exc_info()[1])
    yield repr(sys.exc_info()[1])


def outer_handler():
    try:
        raise KeyError("outer")
    except KeyError:
        yield from inner_handler()


def collect():
    out = []
    for x in outer_handler():
        out.append((x, sys.exc_info()[1]))
    return out


print([collect() for _ in range(3)][-1])


# throw and close reach the bottom, and finalisers run when the last reference goes.
def closing(level):
    try:
        if level:
            yield from closing(level - 1)
        else:
            yield 1
            yield 2
    except KeyError as e:
        yield "thrown " + str(e) + str(level)
    finally:
        log.append(level)


for _ in range(3):
    g = closing(2)
    print(next(g), g.throw(KeyError("k")), list(g), log)
    log.clear()
    g = closing(3)
    next(g)
    next(g)
    del g
    print(log)
    log.clear()
    g = closing(1)
    next(g)
    g.close()
    print(log, g.gi_frame, g.gi_running)
    log.clear()


# A generator that resumes itself, and one that ends while its frame is looked at.
def itself(level):
    if level:
        yield from itself(level - 1)
    else:
        for x in me:
            yield x


for _ in range(3):
    me = itself(2)
    try:
        next(me)
    except ValueError as e:
        print(e)


def seen():
    local = [1]
    frames.append(sys._getframe())
    yield local
    return local


frames = []
for x in seen():
    pass
print(frames[0].f_locals, frames[0].f_back)


# StopIteration that escapes becomes a RuntimeError, in loops too.
def stops(level):
    if level:
        yield from stops(level - 1)
    yield 1
    raise StopIteration(level)


def loop_over_stops():
    for _ in stops(2):
        pass


for _ in range(3):
    try:
        loop_over_stops()
    except RuntimeError as e:
        print(e, repr(e.__cause__))


# Too deep.
def bottomless(n):
    yield n
    yield from bottomless(n + 1)


def sink():
    for n in bottomless(0):
        pass


for _ in range(3):
    try:
        sink()
        print("no error")
    except RecursionError as e:
        print(type(e).__name__)


# Garbage collections in a chain; references.
class Node:
    pass


def collecting(level):
    held = Node()
    held.me = held
    refs.append(weakref.ref(held))
    if level:
        yield from collecting(level - 1)
    else:
        for i in range(3):
            gc.collect()
            yield i


for _ in range(3):
    refs = []
    r = list(collecting(3))
    gc.collect()
    print(r, [ref() for ref in refs])


# Generators with arguments, defaults, cells and free variables.
def makes(a, b=2, *, c=3):
    def closure(d, e=5):
        nonlocal a

        def innermost():
            return a, d, e
        yield innermost()
        d = a = 7
        yield innermost()

    return closure


for n in range(3):
    closure = makes(n)
    print(list(closure(4)), [x for x in closure(4, 6)], closure(1).__qualname__)
try:
    for x in closure():
        pass
except TypeError as e:
    print(e)


# Tracing that is switched on below a chain sees what ends above it.
def switches(level):
    if level:
        yield from switches(level - 1)
    else:
        yield 0
        sys.setprofile(lambda frame, event, arg: events.append((event, frame.f_code.co_name)))
        yield 1
        sys.setprofile(None)
        yield 2


for _ in range(3):
    events = []
    r = []
    for x in switches(2):
        r.append(x)
    print(r, [event for event in events if event[1] == "switches"][:3])


# A generator that is closed where no handler is: the stack goes before the locals, and finalisers see no exception.
class Noisy:
    def __init__(self, name):
        self.name = name

    def __iter__(self):
        return self

    def __next__(self):
        return 1

    def __del__(self):
        log.append((self.name, sys.exc_info()[0], sys._getframe(1).f_code.co_name))


def dropped():
    local = Noisy("local")
    for x in Noisy("iterator"):
        yield x


def drops():
    g = dropped()
    next(g)
    del g
    g = dropped()
    next(g)
    g.close()
    g.close()
    print(g.gi_frame, any(x for x in Noisy("any")))
    g = dropped()
    next(g)
    try:
        g.throw(GeneratorExit)
    except GeneratorExit as e:
        print([f.name for f in traceback.extract_tb(e.__traceback__)])
    try:
        raise KeyError
    except KeyError:
        g = dropped()
        next(g)
        del g


for _ in range(3):
    log.clear()
    drops()
    print(log)
