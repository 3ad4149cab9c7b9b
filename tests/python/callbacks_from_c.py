# Compiled functions called from C: sort keys, map, filter, reduce, re.sub, bisect, functools, ctypes.
import bisect
import functools
import itertools
import operator
import re


def key(x): return -x % 7


def double(m): return m.group() * 2


def compare(a, b): return (a > b) - (a < b)


def add(a, b): return a + b


def use():
    return (
        sorted(range(20), key=key), list(map(key, range(5))), list(filter(lambda x: x & 1, range(9))), functools.reduce(add, range(50)),
        re.sub("[a-c]", double, "abcdef"), sorted("bca", key=functools.cmp_to_key(compare)), max(range(10), key=key), min((3, 1), default=0),
        list(itertools.accumulate([1, 2.5, 3], add)), list(itertools.takewhile(lambda x: x < 3, itertools.count())),
        [(k, list(g)) for k, g in itertools.groupby(range(6), lambda x: x // 2)], list(itertools.starmap(add, [(1, 2), ("a", "b")])),
        functools.partial(add, 1)(2), operator.attrgetter("real")(5), bisect.bisect([1, 2, 3], 2, key=lambda x: x), list(iter(iter([1, 2, 0]).__next__, 0)),
        sum(map(float, ["1", "2.5"])), any(map(key, [0, 7])), dict(map(lambda x: (x, x), range(3))), "".join(map(str, range(5))),
    )


for _ in range(20):
    r = use()
print(*r, sep="\n")


@functools.lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(90), fib.cache_info())


@functools.singledispatch
def kind(x): return "object"


@kind.register
def _(x: int): return "int"


@kind.register(list)
def _(x): return "list"


print([kind(x) for x in (1, [], "s", True)])


class Lazy:
    @functools.cached_property
    def value(self):
        print("computed")
        return 42


l = Lazy()
print(l.value, l.value)


def raises_in_key(x): raise KeyError(x)


for f in (lambda: sorted([1, 2], key=raises_in_key), lambda: list(map(raises_in_key, [1])), lambda: max([1], key=raises_in_key)):
    try:
        f()
    except KeyError as e:
        print("KeyError", e)


class Ordered:
    def __init__(self, v): self.v = v
    def __lt__(self, o): return self.v < o.v
    def __eq__(self, o): return self.v == o.v
    def __hash__(self): return hash(self.v)


print([o.v for o in sorted([Ordered(3), Ordered(1.5), Ordered(2)])], Ordered(1) in {Ordered(1): 0}, len({Ordered(1), Ordered(1)}))
