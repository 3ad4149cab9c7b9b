# Coroutines and asynchronous iteration, driven by hand: awaited values, results, exceptions that pass through.
# compiled: Step.__await__, chain, failing, consume


class Step:
    def __init__(self, name):
        self.name = name

    def __await__(self):
        answer = yield self.name
        return answer * 2


class Countdown:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        return await Step(self.n)


class Manager:
    async def __aenter__(self):
        return await Step("enter")

    async def __aexit__(self, kind, error, trace):
        await Step("exit")
        return kind is KeyError


async def chain(n):
    total = 0
    for i in range(n):
        total += await Step(i)
    return total


async def failing():
    async with Manager() as value:
        await Step(value)
        raise KeyError("swallowed")
    result = await chain(2)
    raise ValueError(f"after {result}")


async def consume(n):
    seen = []
    async for item in Countdown(n):
        seen.append(item)
    else:
        seen.append("end")
    return seen


def drive(coroutine):
    asked, answer = [], None
    try:
        while True:
            asked.append(coroutine.send(answer))
            answer = len(asked)
    except StopIteration as stop:
        return asked, stop.value
    except ValueError as error:
        return asked, repr(error)


def main():
    print(drive(chain(4)), drive(failing()), drive(consume(3)))
    coroutine = chain(2)
    print(coroutine.send(None))
    try:
        coroutine.throw(RuntimeError("thrown in"))
    except RuntimeError as error:
        print(error)
    unused = chain(1)
    unused.close()
