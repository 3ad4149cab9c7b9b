# The hook is parked while nothing compiled runs and calls are frequent: loops that start meanwhile are found all the same, also in
# functions that the interpreter has inlined into their callers, and whatever else happens then is as ever.
import functools
import os
import sys
import threading
import traceback

ENABLED = False
if "columba" in sys.modules:
    import columba

    ENABLED = columba.is_enabled()
# With the default threshold nothing is compiled but loops; smaller thresholds never park.
PARKS = ENABLED and columba.config()["threshold"] >= 256
if PARKS:
    columba.config(threshold=1 << 40)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def park():
    """Calls until the hook is parked, which compiled code delays."""
    for _ in range(1000 if PARKS else 1):
        fib(15)
        if PARKS and columba.stats()["hook"] == "parked":
            break
    else:
        assert not PARKS, columba.stats()


def long_loop(n, fails=False):
    total = 0.0
    for i in range(n):
        total += i * 0.5
    if fails:
        raise ValueError(total)
    return total


def middle(n, fails=False):
    got = long_loop(n, fails)
    return got + 1


def outer(n, fails=False):
    try:
        return [0, middle(n, fails)][1]
    except ValueError as error:
        return error.args, [(entry.name, entry.lineno) for entry in traceback.extract_tb(error.__traceback__)]


class Table:
    def __getitem__(self, n):
        return middle(n)


def twice(n):
    def looping(n):
        total = 0
        for i in range(n):
            total += i & 3
        return total, sys._getframe(1).f_lineno, sys._getframe(2).f_code.co_name

    return looping(n), looping(n + 1)


def generated(n):
    yield middle(n)
    got = yield twice(n)
    yield got, outer(n, True)


def values_of(n):
    generator = generated(n)
    return [next(generator), next(generator), generator.send("sent")]


def kept_frames(n):
    frames = []

    def inner(n):
        total = 0
        frames.append(sys._getframe())
        for i in range(n):
            total += i
        return total

    def caller(n):
        return inner(n) + 1

    got = caller(n)
    frame = frames[0]
    return got, frame.f_locals["total"], frame.f_back is None or frame.f_back.f_code.co_name


def deep(n):
    return long_loop(1000) if n == 0 else deep(n - 1) + 1


def in_thread(function, *arguments):
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments)))
    thread.start()
    thread.join()
    return results


def in_child(function, *arguments):
    pid = os.fork()
    if pid == 0:
        same = function(*arguments) == function(*arguments)
        os._exit(7 if same else 8)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def traced(n):
    lines = []

    def trace(frame, event, argument):
        lines.append((frame.f_code.co_name, event))
        return trace if frame.f_code is fib.__code__ else None

    sys.settrace(trace)
    try:
        fib(n)
    finally:
        sys.settrace(None)
    return lines


def main():
    for n in (0, 10, 600_000):
        park()
        print(outer(n))
        park()
        print(outer(n, True))
        park()
        print(Table()[n])
        park()
        print(twice(n))
        park()
        print(values_of(n))
        park()
        print(kept_frames(n))
        park()
        print(functools.reduce(lambda total, n: total + outer(n), [n, n // 2, 1], 0))
        park()
        print(in_thread(outer, n))
    park()
    print(deep(800))
    park()
    print(traced(4))
    park()
    print(in_child(outer, 300_000))
    if ENABLED:
        park()
        columba.disable()
        assert columba.stats()["hook"] == "none", columba.stats()
        fib(15)
        assert columba.stats()["hook"] == "none", columba.stats()
        columba.enable()
        assert columba.stats()["hook"] == "columba", columba.stats()
        park()
        columba.config(parking=False)
        assert columba.stats()["hook"] == "columba", columba.stats()
        fib(18)
        assert columba.stats()["hook"] == "columba", columba.stats()
        columba.config(parking=True)
        fib(18)
    print(outer(1000))


main()
if PARKS:
    # On a busy machine a loop may end before it is found.
    for _ in range(50):
        stats = columba.stats()
        if stats["times_parked"] > 2 and stats["inlined_loops_extracted"] > 0:
            break
        park()
        outer(600_000)
    stats = columba.stats()
    assert stats["times_parked"] > 2 and stats["inlined_loops_extracted"] > 0, stats
    assert columba.info(long_loop).loops_entered, columba.info(long_loop)
