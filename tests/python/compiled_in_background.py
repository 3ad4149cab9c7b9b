# A slow backend compiles while the program goes on: what is finished is used at once, whichever thread asks for it, and
# everything that can happen meanwhile leaves results as they are.
# modes: default
import os
import threading
import time

try:
    import columba
except ImportError:
    columba = None

ENABLED = columba is not None and columba.is_enabled()
SECONDS = 60


def until(done, act):
    """Acts until it is done; forever is an error."""
    end = time.monotonic() + SECONDS
    while True:
        result = act()
        if not ENABLED or done():
            return result
        assert time.monotonic() < end, "nothing was compiled"


def compiled(function):
    return lambda: columba.info(function).compiled


def square(x):
    return x * x + 1


def many(function, *arguments):
    def act():
        for _ in range(2000):
            result = function(*arguments)
        return result
    return act


# A function that is called.
print(until(compiled(square), many(square, 7)))


# A loop that runs: it is entered in the middle as soon as its version is there.
def count(seconds):
    total = turns = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for i in range(1000):
            total += i & 3
        turns += 1
        if not ENABLED or columba.info(count).loops_entered:
            break
    return total // turns


print(count(SECONDS))
if ENABLED:
    assert columba.info(count).loops_entered, columba.info(count)


# Types change, so that another version is made, while the first goes on.
def add(a, b):
    return a + b


print(until(compiled(add), many(add, 1, 2)))
for pair in [("a", "b"), (1.5, 2), ([1], [2]), ((), (1,)), (2**70, 1)] * 3:
    result = many(add, *pair)()
print(result, add("x", "y"), add(1, 2))
if ENABLED:
    until(lambda: columba.info(add).versions > 1, many(add, "c", "d"))


# The main thread waits, and another one calls.
def cube(x):
    return x * x * x - 1


results = []
thread = threading.Thread(target=lambda: results.append(until(compiled(cube), many(cube, 3))))
thread.start()
thread.join()
print(results)


# Exceptions and generators, as soon as they are compiled, and before.
def fails(x):
    if x > 2:
        raise ValueError(x)
    return x


def failures():
    seen = 0
    for i in range(2000):
        try:
            fails(i % 4)
        except ValueError as error:
            seen += error.args[0]
    return seen


def numbers(n):
    for i in range(n):
        yield i * 2


print(until(compiled(fails), failures))
print(until(compiled(numbers), lambda: sum(sum(numbers(5)) for _ in range(500))))


# Code that goes away while it is compiled.
def short_lived(k):
    namespace = {}
    exec(f"def f(x):\n    return x + {k}\n", namespace)
    function = namespace["f"]
    return sum(function(i) for i in range(3000))


print([short_lived(k) for k in range(20)][-1])


# A child is made, and Columba is disabled, while something is under way.
def in_child(x):
    return x * 3 - 1


many(in_child, 4)()
child = os.fork()
if child == 0:
    ok = until(compiled(in_child), many(in_child, 4)) == 11
    os._exit(0 if ok else 1)
print(os.waitpid(child, 0)[1])


def disabled(x):
    return x - 5


many(disabled, 4)()
if ENABLED:
    columba.disable()
many(disabled, 4)()
if ENABLED:
    columba.enable()
print(until(compiled(disabled), many(disabled, 4)))


# Asked not to wait, or to wait.
def waited(x):
    return x | 64


if ENABLED:
    columba.config(background=False)
many(waited, 1)()
if ENABLED:
    assert columba.info(waited).compiled, columba.info(waited)
    columba.config(background=True)
print(waited(3))
