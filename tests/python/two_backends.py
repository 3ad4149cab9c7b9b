# Whatever tier code is in, and while it changes tiers in the middle of a loop, results stay the same.
import sys
import threading
import weakref


def running(n):
    total, x = 0, 1.0
    for i in range(n):
        total += i & 7
        x = x * 0.999 + i % 3
    return total, x


def called(i):
    return (i * 3 + 1) & 0xFF


def calling(n):
    total = 0
    for i in range(n):
        total += called(i)
    return total


def generated(n):
    for i in range(n):
        try:
            if i % 97 == 0:
                raise ValueError(i)
            yield i
        except ValueError as error:
            yield -error.args[0]


print(running(400_000))
print([calling(20_000) for _ in range(10)][-1])
print(sum(generated(100_000)))
results = []
threads = [threading.Thread(target=lambda: results.append(running(60_000))) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(set(results)), results[0])

# Nothing is under way in the background when the program shall wait for it, so nothing holds on to code that is gone.
try:
    import columba
    columba.config(background=False)
except ImportError:
    columba = None


def made(text):
    namespace = {}
    exec(text, namespace)
    return namespace.pop("f")


TEXT = "def f(n):\n total = 0\n for i in range(n):\n  total += i & 7\n return total\n"
for _ in range(4):
    f = made(TEXT)
    reference = weakref.ref(f.__code__)
    kept = [f(300_000) for _ in range(25)]
    if columba and columba.is_enabled() and "," in columba.config()["backend"] and columba.config()["stress"] == "none":
        owners = {sys.getrefcount(f.__code__)}
        while columba.info(f).tier == "first":
            f(300_000)
            owners.add(sys.getrefcount(f.__code__))
        assert columba.info(f).tier == "second" and len(owners) == 1, owners
    del f
    assert reference() is None
print(kept[0])
