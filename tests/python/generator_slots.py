# C code that sends to coroutines and generators: asyncio's tasks, `PyIter_Send`, the interpreter's own await.
# compiled: steps, summed, leaf, middle, failing, delegating
# optimised: steps: iterate_generators
# optimised: leaf: iterate_generators
import asyncio
import ctypes
import sys
import traceback
import types

send = ctypes.pythonapi.PyIter_Send
send.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.POINTER(ctypes.py_object)]
send.restype = ctypes.c_int


def sent(target, value):
    """What a send by C code gives: 1 and what was yielded, 0 and what was returned, or the error."""
    result = ctypes.py_object()
    try:
        status = send(target, value, ctypes.byref(result))
    except BaseException as error:
        return type(error).__name__, str(error), repr(error.__cause__)
    return status, result.value


def steps(n):
    total = 0
    for i in range(n):
        total += (yield total) or 0
    return total


def delegating(n):
    return (yield from steps(n)) * 2


@types.coroutine
def leaf(value):
    return (yield value)


async def middle(value):
    return await leaf(value) + await leaf(value + 1)


async def failing(value):
    try:
        await leaf(value)
    except KeyError as error:
        await leaf(sys.exc_info()[1] is error)
        raise StopIteration(value)


def summed(make, values):
    target = make()
    return [sent(target, value) for value in values]


for _ in range(60):
    summed(lambda: steps(3), [None, 1, 2, 3])
    summed(lambda: delegating(2), [None, 1, 2])
    summed(lambda: middle(5), [None, 10, 20])
    summed(lambda: failing(1), [None, 1])
print(summed(lambda: steps(3), [None, 1, None, 3, 4]), summed(lambda: steps(0), [None, None]))
print(summed(lambda: steps(2), [7, None, "x"]), summed(lambda: delegating(2), [None, 1, 2, 3]))
print(summed(lambda: middle(5), [3, None, 10, 20, None]), summed(lambda: middle(1), [None, "a", 1]))

coroutine = failing(4)
print(sent(coroutine, None), coroutine.throw(KeyError), sent(coroutine, None), sys.exc_info())


def reentered():
    yield 1
    yield sent(running, None), running.gi_running
    yield 2


for _ in range(40):
    running = reentered()
    out = [sent(running, None) for _ in range(4)]
print(out)

# Tasks of asyncio: results, errors with their tracebacks, and cancelling.
order = []


async def work(n, log):
    for i in range(n):
        await asyncio.sleep(0)
        log.append((n, i))
    if n == 3:
        raise ValueError(n)
    return n


async def gathered(log):
    results = await asyncio.gather(*[work(n, log) for n in range(5)], return_exceptions=True)
    task = asyncio.ensure_future(work(50, []))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        results.append("cancelled")
    return results


for _ in range(40):
    log = []
    results = asyncio.run(gathered(log))
error = results[3]
print([repr(result) for result in results], log)
print([(frame.name, frame.line) for frame in traceback.extract_tb(error.__traceback__)])


# A trace function that is set while a task runs sees what is resumed from then on.
async def traced():
    await asyncio.sleep(0)
    sys.settrace(tracer)
    await asyncio.sleep(0)
    await leafless()
    sys.settrace(None)


async def leafless():
    return 1


events = []


def tracer(frame, event, argument):
    if frame.f_code in (traced.__code__, leafless.__code__):
        events.append((frame.f_code.co_name, event, frame.f_lineno - frame.f_code.co_firstlineno))
    return tracer


for _ in range(30):
    events.clear()
    asyncio.run(traced())
print(events)


def deep(n):
    """A chain of awaits, each resumed by C code."""
    async def link(n):
        if n:
            return await Through(link(n - 1))
        return await leaf(0)
    return link(n)


class Through:
    def __init__(self, target):
        self.target = target

    def __await__(self):
        return self.target.__await__()


for _ in range(40):
    summed(lambda: deep(5), [None, 3])
print(summed(lambda: deep(60), [None, 3]))

if "columba" in sys.modules:
    import columba

    def slot(ty):
        """`tp_as_async->am_send`"""
        return ctypes.c_void_p.from_address(ctypes.c_void_p.from_address(id(ty) + 80).value + 24).value

    if columba.is_enabled() and columba.stats()["hook"] != "none":
        async def agen():
            yield

        ours = types.GeneratorType, types.CoroutineType
        plain = slot(type(agen()))
        assert all(slot(ty) != plain for ty in ours)
        if columba.config()["stress"] == "none" and columba.info(steps).entered:
            before = columba.stats()["generators_iterated"]
            summed(lambda: steps(3), [None, 1, 2, 3])
            assert columba.stats()["generators_iterated"] == before + 4
        columba.disable()
        assert all(slot(ty) == plain for ty in ours)
        assert summed(lambda: steps(1), [None, 5])[1] == (0, 5)
        columba.enable()
        assert all(slot(ty) != plain for ty in ours)
