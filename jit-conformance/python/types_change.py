# Values whose types change midway: what compiled code guessed is wrong in every way, once, again and for ever.
# compiled: add, total, compare, index, method, truth


def add(a, b):
    return a + b


def total(values):
    result = 0
    for value in values:
        result = result + value
    return result


def compare(a, b):
    return "less" if a < b else "not less"


def index(c, i):
    return c[i]


def method(o):
    return o.count(1)


def truth(x):
    return "yes" if x else "no"


class Odd:
    def __add__(self, other):
        return "odd plus", other

    def __radd__(self, other):
        return "odd after", other

    def __lt__(self, other):
        return []

    def __getitem__(self, i):
        return "item", i

    def count(self, x):
        return "counted", x

    def __bool__(self):
        return False


def main():
    pairs = [(1, 2), (3, 4), (5, 6), (1.5, 2), ("a", "b"), (2**62, 2**62), (2.5, 0.5), (True, 1), ([1], [2]), (Odd(), 1)]
    print([add(a, b) for a, b in pairs + pairs[:3]], add(1, Odd()))
    print(total([1, 2, 3]), total([1, 2.5, 3]), total([2**62, 2**62, 1]), total([0.1, 1, True]), total([1, Odd()]))
    print([compare(a, b) for a, b in ((1, 2), (2.5, 1), ("a", "b"), (1, 2**70), ([1], [2]), (1, 1.5), (Odd(), 0))])
    print([index(c, 0) for c in ([1], (2,), "x", {0: 3}, range(4, 5), b"z", Odd(), [2.5])])
    print([method(o) for o in ([1, 1], (1, 2), Odd(), range(3))])
    print([truth(x) for x in (1, 0, 0.0, -0.0, "", "a", [], [0], None, Odd(), True, float("nan"), 2**70)])
    for function, args in ((add, (1, "a")), (total, ([1, None],)), (compare, (1, None)), (index, (5, 0)), (method, (5,))):
        try:
            function(*args)
        except (TypeError, AttributeError) as error:
            print(error)
