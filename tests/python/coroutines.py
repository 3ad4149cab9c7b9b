# Coroutines: await, async with, async for, exceptions, cancellation, and driving by hand.
import asyncio
import types


@types.coroutine
def pause(x):
    got = yield x
    return got


async def add(n):
    total = 0
    for i in range(n):
        total += await pause(i)
    return total


def drive(c, f):
    sent = None
    out = []
    while True:
        try:
            v = c.send(sent)
            out.append(v)
            sent = f(v)
        except StopIteration as e:
            return out, e.value


for _ in range(20):
    r = drive(add(5), lambda v: v * 1.5)
print(r, drive(add(3), lambda v: 2**63))


class Manager:
    def __init__(self, name, swallow=False): self.name, self.swallow = name, swallow

    async def __aenter__(self):
        await pause("enter " + self.name)
        return self

    async def __aexit__(self, t, v, tb):
        await pause("exit " + self.name)
        return self.swallow


async def managed(fail):
    async with Manager("a") as a, Manager("b", True):
        if fail:
            raise KeyError(a.name)
        return "returned from inside"
    return "after"


print(drive(managed(False), lambda v: v), drive(managed(True), lambda v: v))


class Iter:
    def __init__(self, n): self.n = n
    def __aiter__(self): return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        await pause("next")
        return self.n


async def loops():
    out = [x async for x in Iter(3)]
    async for x in Iter(4):
        if x == 1:
            break
        if x == 2:
            continue
        out.append(x)
    else:
        out.append("else")
    async for x in Iter(1):
        out.append(x)
    else:
        out.append("else")
    out.append({x: await pause(x) async for x in Iter(2)})
    out.append([await pause(i) for i in range(2)])
    return out


print(drive(loops(), lambda v: v))


async def worker(name, n, log):
    try:
        for i in range(n):
            log.append((name, i))
            await asyncio.sleep(0)
        return n
    except asyncio.CancelledError:
        log.append((name, "cancelled"))
        raise
    finally:
        log.append((name, "finally"))


async def main():
    log = []
    results = await asyncio.gather(worker("a", 3, log), worker("b", 2, log))
    print(results, log)
    log = []
    t = asyncio.create_task(worker("c", 1000, log))
    for _ in range(5):
        await asyncio.sleep(0)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print("cancelled", log[-2:])

    async def fails():
        await asyncio.sleep(0)
        raise ValueError("async")

    print(await asyncio.gather(fails(), worker("d", 1, []), return_exceptions=True))
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except asyncio.TimeoutError:
        print("timeout")
    q = asyncio.Queue(2)

    async def producer():
        for i in range(50):
            await q.put(i)
        await q.put(None)

    async def consumer():
        total = 0
        while (x := await q.get()) is not None:
            total += x
        return total

    print((await asyncio.gather(producer(), consumer()))[1])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(n, n, [])) for n in range(1, 4)]
    print([t.result() for t in tasks])


asyncio.run(main())
c = add(1)
print(c.cr_frame is not None, c.cr_await, c.send(None), c.cr_await.__name__)
try:
    c.throw(RuntimeError("thrown in"))
except RuntimeError as e:
    print(e)
try:
    c.send(None)
except RuntimeError as e:
    print(e)


async def bad():
    await 5


try:
    bad().send(None)
except TypeError as e:
    print(e)


async def bad_with():
    async with 5:
        pass


try:
    bad_with().send(None)
except (AttributeError, TypeError) as e:
    print(type(e).__name__, e)
