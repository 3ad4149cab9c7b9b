# A list that grows or shrinks under a running loop.
def grows():
    items = [1, 2, 3]
    for x in items:
        if len(items) < 10:
            items.append(x * 2)
    return items


def shrinks():
    items = list(range(10))
    seen = []
    for x in items:
        seen.append(x)
        if x % 2 == 0:
            items.remove(x)
    return seen, items


def cleared():
    items = list(range(5))
    seen = []
    for x in items:
        seen.append(x)
        items.clear()
    return seen


def replaced():
    items = [1, 2, 3, 4]
    seen = []
    for i, x in enumerate(items):
        items[:] = items[:-1] if i == 1 else items
        seen.append(x)
    return seen


def by_index(n):
    items = list(range(n))
    total = 0
    i = 0
    while i < len(items):
        total += items[i]
        if i == 3:
            del items[5:]
        i += 1
    try:
        items[i]
    except IndexError as e:
        return total, str(e)


for _ in range(20):
    results = grows(), shrinks(), cleared(), replaced(), by_index(20)
print(*results, sep="\n")


def negative(items):
    return items[-1], items[-len(items)], items[len(items) - 1]


print(negative([1, 2, 3]), negative((4, 5)), negative("ab"))
for f in (lambda l: l[3], lambda l: l[-4], lambda l: l["a"], lambda l: l[2**70], lambda l: l.pop(7)):
    try:
        f([1, 2, 3])
    except (IndexError, TypeError) as e:
        print(type(e).__name__, e)


def stores(n):
    items = [0] * n
    for i in range(n):
        items[i] = i * 0.5
        items[-1 - i] += 1
    return items


print(stores(8))


def iterator_after_end():
    items = [1]
    it = iter(items)
    out = [next(it), next(it, "end")]
    items.append(2)
    return out + [next(it, "end")]


print(iterator_after_end())
