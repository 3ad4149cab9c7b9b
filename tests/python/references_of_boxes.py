# A number that leaves registers for the value stack becomes an object with as many references as it has holders: memory
# does not grow. What is still there after many calls is counted in CPython's blocks.
import sys


def in_tuple(x, y): return (x * 2.5, y)


def in_list_of_ints(x, y): return [int(x) * 1000, x * 1.5]


def in_dict(x, y): return {x * 2.5: x * 4.5}


def in_f_string(x, y): return f"{x * 2.5}"


def argument(x, y): return max(x * 2.5, x * 3.5)


def starred_argument(x, y): return (lambda *a, **k: a)(*[x * 2.5], **{"k": x * 7.5})


def chosen(x, y):
    z = x * 2.5 if y else y
    return z, z


def truth_or(x, y): return x > 1 or [y]


def truth_and(x, y): return x < 1 and [y]


def number_or(x, y): return x * 2.5 or [y]


def number_or_in_loop(x, y):
    for _ in range(3):
        y = (x * 2.5) or y
    return y


def copied_on_the_stack(x, y):
    a = b = c = x * 2.5
    return a, (b, c)


def under_a_call_that_fails(x, y):
    try:
        return (x * 2.5) + max(x * 3.5, [])
    except TypeError:
        return x * 2.5


def under_a_local_that_changes(x, y):
    x = x * 2.5
    return x, (x := x + 1.0), x


def compared_in_a_chain(x, y): return y < x * 2.5 < [x * 3.5][0]


def yielded(x, y):
    def numbers():
        yield x * 2.5
        yield x > 1 or y
    return list(numbers())


def kept_across_a_yield(x, y):
    def numbers():
        return [x * 2.5, (yield 1), x * 3.5]
    return list(numbers())


class Node:
    def __init__(self): self.hits = 0

    def limited(self, n):
        if n < 8:
            return n * 2
        for i in range(n):
            self.hits = i
        return self.hits


node = Node()


def under_a_call_that_one_path_makes(x, y):
    for z in (x, int(x)):
        for n in range(10):
            z += n
            y = (z + node.limited(n)) * 0.5
    return z, y


def under_an_object_that_dies(x, y):
    for z in (x, int(x)):
        for n in range(10):
            z += n
            y = (z + Node().hits) * 0.5
    return z, y


def beside_a_slice(x, y):
    for z in (x, int(x)):
        for n in range(10):
            z += n
            y = (z + len("letters"[n:9 - n])) * 0.5 + (z + len([n, n][:n])) * 2
    return z, y


def measured(f):
    for _ in range(50):
        f(1000.0, 3.0)
    blocks = sys.getallocatedblocks()
    for _ in range(2000):
        f(1000.0, 3.0)
    return sys.getallocatedblocks() - blocks


for f in (in_tuple, in_list_of_ints, in_dict, in_f_string, argument, starred_argument, chosen, truth_or, truth_and, number_or,
          number_or_in_loop, copied_on_the_stack, under_a_call_that_fails, under_a_local_that_changes, compared_in_a_chain,
          yielded, kept_across_a_yield, under_a_call_that_one_path_makes, under_an_object_that_dies, beside_a_slice):
    print(f.__name__, f(1000.0, 3.0), "flat" if measured(f) < 1000 else "grows")
before = sys.getrefcount(True), sys.getrefcount(False)
for _ in range(2000):
    truth_or(1000.0, 3.0), truth_and(1000.0, 3.0)
after = sys.getrefcount(True), sys.getrefcount(False)
print([abs(b - a) < 1000 for a, b in zip(before, after)])
