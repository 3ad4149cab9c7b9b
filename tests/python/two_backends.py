# Whatever tier code is in, and while it changes tiers in the middle of a loop, results stay the same.
import threading


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
