# Unpacking of every kind, and its errors.
def pair(x):
    a, b = x
    return a, b


def star(x):
    a, *b, c = x
    return a, b, c


def nested(x):
    (a, [b, *c]), d = x
    return a, b, c, d


def run(f, x):
    try:
        return f(x)
    except (ValueError, TypeError) as e:
        return type(e).__name__, str(e)


def generator(n):
    for i in range(n):
        yield i


for _ in range(15):
    for x in ((1, 2), [3, 4], "ab", {5: 6, 7: 8}, range(2), (1,), (1, 2, 3), 5, None, generator(2), generator(1), generator(3)):
        pair(x) if x in ((1, 2), [3, 4]) else run(pair, x)
for x in ((1, 2), [3, 4], "ab", {5: 6, 7: 8}, range(2), (1,), (1, 2, 3), 5, None, [], generator(2), generator(1), generator(3)):
    print(run(pair, x))
for x in ((1, 2), (1,), (), "abcdef", range(5), generator(4), generator(1), 3.5):
    print(run(star, x))
for x in (((1, "xyz"), 4), ((1, [2]), 3), ((1, []), 3), (1, 2)):
    print(run(nested, x))


def swap(n):
    a, b, c = 1, 2.5, "x"
    for _ in range(n):
        a, b, c = b, c, a
    return a, b, c


print(swap(10), swap(11), swap(100))


class Broken:
    def __iter__(self):
        yield 1
        raise KeyError("inside")


try:
    pair(Broken())
except KeyError as e:
    print("KeyError", e)
first, *_ = *range(3), *"ab"
print(first, _, [*range(3), *(4, 5)], {*[1, 1, 2]}, (*(), 1), {**{"a": 1}, "b": 2})
for i, (a, b) in enumerate(zip("ab", [1, 2])):
    print(i, a, b)
x = y = z = [0]
x[0], i = 5, 1
print(x, y is z)
i = 0
i, x[i] = 0, 7
print(i, x)
