"""Greenlets that switch in the middle of compiled loops, generators, handlers and deep calls."""

import sys

import greenlet

log = []


def worker(name, n):
    total = 0.0
    local = [name] * 2
    for i in range(n):
        total += i * 0.5
        if i % 10 == 0:
            got = main.switch((name, i))
            total += got or 0
    log.append((name, total, local))
    return name


main = greenlet.getcurrent()
for _ in range(20):
    log.clear()
    tasks = [greenlet.greenlet(worker) for _ in range(3)]
    seen = [t.switch(f"g{k}", 35) for k, t in enumerate(tasks)]
    while any(not t.dead for t in tasks):
        for k, t in enumerate(tasks):
            if not t.dead:
                seen.append(t.switch(k + 0.5))
print(len(seen), seen[-6:])
print(*log, sep="\n")


def deep(n):
    x = n * 1.5
    if n == 0:
        y = main.switch("bottom")
        return y
    return deep(n - 1) + x


gs = [greenlet.greenlet(deep) for _ in range(5)]
print([g.switch(60 + k) for k, g in enumerate(gs)])
print([g.switch(k) for k, g in reversed(list(enumerate(gs)))])


def handler():
    try:
        for i in range(100):
            main.switch(i)
    except ValueError as error:
        main.switch(("caught", str(error), sys.exc_info()[0].__name__))
        raise KeyError("out")
    finally:
        log.append("finally")


g = greenlet.greenlet(handler)
print(g.switch(), g.switch(), g.throw(ValueError("thrown in")))
try:
    g.switch()
except KeyError as error:
    print(error, log[-1])


def generator():
    for i in range(5):
        main.switch(("from generator", i))
        yield i


g = greenlet.greenlet(lambda: sum(generator()))
print([g.switch() for _ in range(6)])


def killed():
    try:
        main.switch("alive")
    except greenlet.GreenletExit:
        log.append("exit")
        raise


g = greenlet.greenlet(killed)
print(g.switch())
del g
print(log[-1])


def frames():
    inner = 5
    main.switch(1)
    return inner


g = greenlet.greenlet(frames)
g.switch()
print(g.gr_frame.f_locals, g.gr_frame.f_code.co_name, g.switch())
