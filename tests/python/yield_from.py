# yield from: delegation to generators, iterators, and objects with their own send and throw.
def inner(n):
    total = 0
    for i in range(n):
        got = yield i
        total += got or 0
    return total


def outer(n):
    a = yield from inner(n)
    b = yield from inner(2)
    yield from "xy"
    c = yield from [7.5]
    return a, b, c


def drive(g, values):
    out = []
    try:
        out.append(next(g))
        for v in values:
            out.append(g.send(v))
    except StopIteration as e:
        out.append(("return", e.value))
    except (AttributeError, TypeError) as e:
        out.append(f"{type(e).__name__} {e}")
    return out


for _ in range(20):
    drive(outer(3), [1, 2, 3, 4, 5, None, None, None])
print(drive(outer(3), [1, 2, 3, 4, 5, None, None, None]))
print(drive(outer(3), [1, 2, 3, 4, 5, "no send on str"]))


def catching():
    while True:
        try:
            yield "waiting"
        except ValueError as e:
            yield f"inner {e}"
        except GeneratorExit:
            print("inner closed")
            raise


def delegate():
    try:
        yield from catching()
    finally:
        print("outer closed")


g = delegate()
print(next(g), g.throw(ValueError("a")), next(g), g.gi_yieldfrom.__name__)
try:
    g.throw(KeyError("k"))
except KeyError as e:
    print("through", e)
g = delegate()
next(g)
g.close()


class Custom:
    def __init__(self): self.n = 0
    def __iter__(self): return self

    def __next__(self):
        self.n += 1
        if self.n > 3:
            raise StopIteration("custom value")
        return self.n

    def throw(self, t, v=None, tb=None):
        return "custom throw", getattr(t, "__name__", str(t))

    def close(self):
        print("custom close")


def use():
    r = yield from Custom()
    yield r


print(list(use()))
g = use()
print(next(g), g.throw(IndexError), next(g))
g.close()


def deep(n):
    if n:
        r = yield from deep(n - 1)
        return r + 1
    x = yield "bottom"
    return x


g = deep(50)
print(next(g))
try:
    g.send(7)
except StopIteration as e:
    print(e.value)


def tree(t):
    if isinstance(t, tuple):
        for x in t:
            yield from tree(x)
    else:
        yield t


for _ in range(10):
    r = list(tree(((1, 2), (3, (4.5, (5,))), "a")))
print(r)
try:
    def bad(): yield from 5
    list(bad())
except TypeError as e:
    print(e)
