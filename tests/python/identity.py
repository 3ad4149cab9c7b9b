# Unboxing must not be seen through `is` and through containers that compare by identity first.
nan = float("nan")


def same(x):
    y = x
    return x is y, y is x, [x] == [x], x in [x], (x,) == (x,), [x].index(x), [x].count(x)


for _ in range(30):
    same(1.5)
for x in (nan, 1.5, 10**20, 300, "s", None, 5):
    print(same(x))


def through_loop(x, n):
    first = x
    for i in range(n):
        y = x
        if y is not first:
            return "lost", i
    return y is first


print(through_loop(nan, 100), through_loop(1e300, 100), through_loop(12345678901, 100))


def computed(a, b):
    x = a * b
    y = x
    box = [x, y]
    return x is y, box[0] is box[1], box[0] is x, x in box


for _ in range(30):
    r = computed(1.5, 2.25)
print(r, computed(10**10, 10**10), computed(1000, 1000))


def kept(values):
    kept = []
    for v in values:
        w = v
        kept.append(w)
        kept.append(w)
    return [kept[i] is kept[i + 1] for i in range(0, len(kept), 2)], all(a is b for a, b in zip(values, kept[::2]))


print(kept([0.5, 1.25, 1000, nan, 2**65]))


def small(n):
    a = n - 1
    b = n - 1
    return a is b


print([small(n) for n in (1, 100, 257, -4)])


def same_as_constant():
    x = None
    y = ...
    return x is None, y is Ellipsis, True is (1 == 1), (x is not None) is False


print(same_as_constant())
