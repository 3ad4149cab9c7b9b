# What is taken apart is a list at one time and a tuple at another; then something else.
# compiled: either
# optimised: either: inline_containers


class Length:
    def __iter__(self):
        return iter("xyz")


def sum_of(sequence):
    a, b, c = sequence
    return a + b + c


def twice(sequence):
    a, b, c = sequence
    d, e, f = sequence
    g, h, i = sequence
    return [a, e, i]


def either(sequence):
    a, b, c = sequence
    c, b, a = sequence
    return (a, b, c)


def attempt(function, sequence):
    try:
        return function(sequence)
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


KINDS = [(1, 2, 3), [4, 5, 6], (7.5, 8.5, 9.5), ["a", "b", "c"]]
OTHERS = [{1: 0, 2: 0, 3: 0}, "pqr", Length(), (1, 2), [1, 2, 3, 4], 5, None, range(3)]

for round in range(300):
    results = [(sum_of(kind), twice(kind), either(kind)) for kind in KINDS]
print(results)

for round in range(40):
    for other in OTHERS:
        results.append((attempt(sum_of, other), attempt(twice, other)))
print(results[-len(OTHERS):])

# The list changes while it is taken apart by a store that runs Python: what was read stays.
class Changing:
    def __init__(self, items):
        self.items = items

    def __del__(self):
        self.items.clear()


def changed(items):
    a = b = None
    a = Changing(items)
    a, b, c = items
    return a, b, c, items


for round in range(300):
    last = changed([1, 2, 3]) if round % 2 else changed([4, [5], 6])
print(last)
