# Generators: resumed in the middle of loops, sent values, closed, thrown into, several alive at once, delegating.
# compiled: squares, echo, tree, interleaved, guarded


def squares(n):
    total = 0
    for i in range(n):
        total += i
        yield i * i, total


def echo():
    received = []
    while True:
        value = yield received
        if value is None:
            return len(received)
        received = received + [value]


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def delegating():
    count = yield from echo()
    yield "echoed", count


def interleaved(n):
    a, b = squares(n), squares(n + 2)
    return [(x, y) for x, y in zip(a, b)], next(b, "empty")


def guarded(log):
    try:
        for i in range(10):
            try:
                yield i
            except KeyError as error:
                log.append(("inside", error.args))
    finally:
        log.append("closed")


def main():
    print(list(squares(5)), list(tree(3)), interleaved(3))
    d = delegating()
    print(next(d), d.send(1), d.send(2.5), next(d), next(d, "end"))
    log = []
    g = guarded(log)
    print(next(g), next(g), g.throw(KeyError("k")), next(g))
    g.close()
    print(log, next(g, "finished"))
    try:
        g = guarded(log)
        next(g)
        g.throw(ValueError("outside"))
    except ValueError as error:
        print(error, log)
    g = squares(3)
    print(next(g), sum(x for x, _ in g), [x for x in (n * 2 for n in range(4)) if x], next(g, None))
