# Generators: send, throw, close, return values, state across suspensions, and errors.
# compiled: count, echo, fib
import sys


def count(n):
    i = 0
    while i < n:
        got = yield i
        if got is not None:
            i = got
        i += 1
    return "done"


def run(g):
    out = []
    while True:
        try:
            out.append(next(g))
        except StopIteration as e:
            return out, e.value


for _ in range(20):
    r = run(count(5))
print(r)
g = count(100)
print(next(g), g.send(10), next(g), g.send(-(2**70)), g.send(0.5), next(g))


def echo():
    log = []
    value = None
    while True:
        try:
            value = yield value, len(log)
            log.append(value)
        except ValueError as e:
            value = "caught " + str(e)
        except GeneratorExit:
            print("closing", log)
            raise
        finally:
            log.append("f")


g = echo()
print(next(g), g.send(1), g.throw(ValueError("v")), g.send(2), g.throw(ValueError, "w"))
g.close()
g.close()
try:
    next(g)
except StopIteration as e:
    print("stopped", e.value)
try:
    count(1).send(3)
except TypeError as e:
    print(e)


def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


f = fib()
print([next(f) for _ in range(100)][-1])


def reentrant():
    yield next(me)


me = reentrant()
try:
    next(me)
except ValueError as e:
    print(e)


def bad_close():
    try:
        yield 1
    except GeneratorExit:
        yield 2


g = bad_close()
next(g)
try:
    g.close()
except RuntimeError as e:
    print(e)


def raises_stop():
    yield 1
    raise StopIteration("x")


try:
    list(raises_stop())
except RuntimeError as e:
    print(e, repr(e.__cause__), e.__suppress_context__)


def unstarted():
    print("never")
    yield


g = unstarted()
try:
    g.throw(KeyError("k"))
except KeyError as e:
    print("thrown", e)
print(g.gi_frame is None, g.gi_running, g.gi_yieldfrom)


def state():
    x = 1.5
    y = yield
    print(g.gi_running, g.gi_frame.f_locals is not None, sorted(sys._getframe().f_locals))
    yield x, y


g = state()
next(g)
print(g.gi_frame.f_locals, g.gi_frame.f_lineno - g.gi_code.co_firstlineno)
print(g.send(2), g.gi_frame.f_locals)


def throw_in_loop(n):
    hits = 0
    for i in range(n):
        try:
            yield i
        except KeyError:
            hits += 1
    return hits


g = throw_in_loop(50)
next(g)
for _ in range(30):
    g.throw(KeyError)
print(run(g))


def context():
    try:
        raise ValueError("outer")
    except ValueError:
        yield sys.exc_info()[0]
        yield sys.exc_info()[0]


g = context()
try:
    raise TypeError
except TypeError:
    print(next(g), sys.exc_info()[0])
print(next(g), sys.exc_info()[0])
print(sum(x * x for x in range(100)), list(zip(count(3), fib())), max((i for i in range(3)), default=0))


def finaliser():
    try:
        yield 1
    finally:
        print("finalised")


g = finaliser()
next(g)
del g
for x in finaliser():
    break
print("end")
