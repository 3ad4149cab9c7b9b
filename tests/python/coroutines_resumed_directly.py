# Coroutines that await coroutines: made, resumed and passed through by compiled code.
# compiled: fibonacci, chain, Iterator.__anext__, agen, uses_agen
# optimised: fibonacci: direct_generators
# optimised: chain: pass_delegators
# optimised: fibonacci: make_generators
# optimised: agen: make_generators
import asyncio
import sys
import types


async def fibonacci(n):
    if n <= 1:
        return n
    return await fibonacci(n - 1) + await fibonacci(n - 2)


def run(coroutine, *values):
    out = []
    try:
        out.append(coroutine.send(None))
        for value in values:
            out.append(coroutine.send(value))
    except StopIteration as stop:
        out.append(("returned", stop.value))
    return out


print([run(fibonacci(10)) for _ in range(3)][-1])


@types.coroutine
def suspend(value):
    return (yield value)


async def chain(level):
    if level == 0:
        got = await suspend("first")
        got = [got, await suspend("second")]
        return got
    try:
        return await chain(level - 1) + [level]
    except KeyError as e:
        return ["caught", e.args, level]


for _ in range(3):
    print(run(chain(4), 1.5, "x"))
    c = chain(3)
    c.send(None)
    print(c.cr_running, c.cr_await.cr_await is not None, c.cr_frame.f_lineno - c.cr_code.co_firstlineno)
    try:
        c.throw(KeyError("thrown"))
    except StopIteration as stop:
        print(stop.value)
    try:
        c.send(None)
    except RuntimeError as e:
        print(e)


async def twice(c):
    await c


c = chain(1)
run(c)
try:
    twice(c).send(None)
except RuntimeError as e:
    print(e)
run(c, 1, 2)
try:
    twice(c).send(None)
except RuntimeError as e:
    print(e)


async def stops():
    raise StopIteration(3)


async def awaits_stops():
    await stops()


for _ in range(3):
    try:
        awaits_stops().send(None)
    except RuntimeError as e:
        print(e, repr(e.__cause__))


class Iterator:
    def __init__(self, n):
        self.i, self.n = 0, n

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        self.i += 1
        if self.i > self.n:
            raise StopAsyncIteration
        return self.i


async def agen(n):
    for i in range(n):
        await asyncio.sleep(0)
        got = yield i
    await asyncio.sleep(0)


async def uses_agen(n):
    out = []
    async for i in agen(n):
        out.append(i)
    async for i in Iterator(n):
        out.append(i)
    return out + [x async for x in agen(2)]


async def cancelled():
    async def forever():
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            out.append("ended")

    out = []
    task = asyncio.create_task(forever())
    for _ in range(4):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        out.append("cancelled")
    return out


async def main():
    print(await asyncio.gather(*(uses_agen(n) for n in range(4))))
    print([await cancelled() for _ in range(3)])


asyncio.run(main())

sys.set_coroutine_origin_tracking_depth(2)


async def awaits_tracked():
    c = fibonacci(1)
    print(c.cr_origin[0][2], len(c.cr_origin))
    return await c


for _ in range(3):
    run(awaits_tracked())
sys.set_coroutine_origin_tracking_depth(0)
