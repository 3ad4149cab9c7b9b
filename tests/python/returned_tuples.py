# Functions that return tuples, inlined: the tuple is built when the body is over, or not at all where it is unpacked at once.
# compiled: bounds, swap, whole, identical, mixed
# optimised: bounds: unpack_results
# optimised: swap: unpack_results
# optimised: whole: inline_calls
import sys


class Range:
    def __init__(self, low, high):
        self.low = low
        self.high = high
        self.items = [low, high, "x"]

    def domain(self):
        return (self.items[0], self.items[len(self.items) - 2])

    def both(self):
        return self.low, self.high


def pair(a, b):
    return b, a


def sums(a, b):
    return a + b, a - b, a * b


def constants(x):
    return 1, "c", 2.5, None, x, x


def nested(a, b):
    return (a, b), b


def conditional(a):
    if a > 2:
        return a, 1
    return 0, a


def bounds(r, n):
    total = 0
    for i in range(n):
        low, high = r.both()
        total += low + high * i
        low, high = r.domain()
        total -= high
    return total


def swap(a, b, n):
    for _ in range(n):
        a, b = pair(a, b)
        s, d, p = sums(a, b)
        if d > 0:
            a = d
    return a, b, s, d, p


def whole(r, n):
    kept = []
    for i in range(n):
        t = r.domain()
        kept.append(t)
        if t[0] > t[1]:
            raise ValueError
        u = r.both()
        kept.append(u is t)
        kept.append(sums(i, 2.0))
    return kept[-3:], type(t) is tuple, len(kept)


def identical(n):
    for _ in range(n):
        one, text, number, none, x, y = constants([])
        t = constants(number)
        u = constants(number)
    return (one, text, none, x is y, t == u, t[2] is number, t[2] is u[2], t[4] is t[5], t[4] is number)


def mixed(values):
    results = []
    for value in values:
        a, b = conditional(value)
        results.append(a)
        results.append(b)
        (c, d), e = nested(value, a)
        results.append((c, d, e))
    return results


def wrong_count(n):
    caught = 0
    for _ in range(n):
        try:
            a, b = sums(1, 2)
        except ValueError as error:
            caught += 1
            text = str(error)
        try:
            a, b, c, d = sums(1, 2)
        except ValueError as error:
            text += str(error)
    return caught, text


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        log.append(self.name)


log = []


def made(i):
    return Noisy(i), i


def dying(n):
    for i in range(n):
        noisy, number = made(i)
        log.append(-number)
    return number


def recursive(n):
    if n == 0:
        return 0, 1
    a, b = recursive(n - 1)
    return b, a + b


for _ in range(60):
    result = [
        bounds(Range(1, 5), 20), bounds(Range(1.5, 5), 20), swap(3, 1, 10), swap(3.5, 1, 10), whole(Range(1, 2), 10), identical(5),
        mixed([1, 2, 3, 4.5]), wrong_count(3), recursive(30),
    ]
print(*result, sep="\n")
print(bounds(Range(2**70, 1), 5), swap("ab", "c", 0) if False else None)
try:
    swap("ab", "c", 3)
except TypeError as error:
    print(error)
for _ in range(30):
    dying(10)
print(log[-24:], len(log))
x = object()
count = sys.getrefcount(x)
for _ in range(50):
    a, b = pair(x, x)
    t = pair(x, x)
    del a, b, t
print(sys.getrefcount(x) - count)


# The function is replaced.
def user(n):
    return [sum(pair(i, 1)) for i in range(n)]


def unpacking_user(n):
    total = 0
    for i in range(n):
        a, b = pair(i, 1)
        total += a * 10 + b
    return total


for _ in range(40):
    result = user(5), unpacking_user(5)
print(result)
pair = lambda a, b: [a, b]
for _ in range(40):
    result = user(5), unpacking_user(5)
print(result)
