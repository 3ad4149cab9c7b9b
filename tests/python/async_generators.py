# Async generators: iteration, asend, athrow, aclose, finalisation.
import asyncio


async def ticker(n):
    try:
        for i in range(n):
            got = yield i * 1.5
            if got:
                yield ("got", got)
            await asyncio.sleep(0)
    except KeyError as e:
        yield ("caught", str(e))
    finally:
        print("ticker ends")


async def double(source):
    async for x in source:
        yield x * 2


async def main():
    for _ in range(5):
        r = [x async for x in ticker(4)]
    print(r)
    print([x async for x in double(double(ticker(3)))])
    g = ticker(5)
    print(await anext(g), await g.asend("hello"), await anext(g))
    print(await g.athrow(KeyError("k")))
    try:
        await anext(g)
    except StopAsyncIteration:
        print("stopped")
    g = ticker(5)
    await anext(g)
    await g.aclose()
    await g.aclose()
    print(await anext(g, "default"))
    async for x in (g := ticker(5)):
        break
    await g.aclose()
    gen = (i * j async for i in ticker(2) for j in (1, 2) if i + j > 1)
    print([x async for x in gen])

    async def raises():
        yield 1
        raise StopAsyncIteration

    try:
        async for _ in raises():
            pass
    except RuntimeError as e:
        print(e)

    async def awaits():
        yield await asyncio.sleep(0, "slept")
        yield [x async for x in ticker(1)]

    print([x async for x in awaits()])


asyncio.run(main())
