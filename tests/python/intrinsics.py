# Calls of builtins that are done in their place: edge cases, patched builtins, subclasses, types that change, errors.
import math
import sys
import traceback

INF, NAN = math.inf, math.nan


def show(function, *arguments):
    """The result with its type, or the error with the lines it came from."""
    try:
        result = function(*arguments)
    except Exception as error:
        lines = [(entry.name, entry.line) for entry in traceback.extract_tb(error.__traceback__)[1:]]
        return f"{type(error).__name__}: {error} {lines}"
    return f"{type(result).__name__} {result!r}"


def all_of(function, arguments):
    for repeat in range(45):
        shown = [show(function, *a) if type(a) is tuple else show(function, a) for a in arguments]
        if repeat in (0, 44):
            print(function.__name__, shown)


def check(function, least=1):
    """That the function is compiled with intrinsics, where this is known."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if not columba.is_enabled() or config["stress"] != "none" or config["threshold"] != 20:
        return
    info = columba.info(function)
    counts = [int(name.split("x")[-1]) for name in info.optimisations if name.startswith("intrinsics")]
    assert counts and counts[0] >= least, (function.__name__, info.optimisations)


# ---- len ----

class Sized:
    def __init__(self, n): self.n = n
    def __len__(self): return self.n


class LongList(list):
    def __len__(self): return list.__len__(self) + 100


class LongStr(str):
    def __len__(self): return 77


class Broken:
    def __len__(self): raise KeyError("length")


def length(x): return len(x)
def twice(x): return len(x) + len(x)


for _ in range(60):
    twice([1, 2])
check(twice, 2)
everything = [[], [1, 2], (), (1,), "", "abc", "\u1234\U00012345", {}, {1: 2}, set(), {1}, frozenset((1, 2)), b"xyz", bytearray(3), range(7),
              range(10**30), Sized(5), Sized(-1), Sized(1.5), Sized(10**30), LongList((1, 2)), LongStr("a"), Broken(), 5, None, 1.5, object]
for _ in range(5):
    shown = [show(length, x) for x in everything]
print(shown)
all_of(length, [(x,) for x in everything])
all_of(twice, [(x,) for x in everything])


def growing(n):
    xs, d, s, text, b = [], {}, set(), "", bytearray()
    out = []
    for i in range(n):
        xs.append(i)
        d[i % 7] = i
        s.add(i % 5)
        text += "x"
        b.append(i)
        out.append((len(xs), len(d), len(s), len(text), len(b), len(out)))
        if i % 3 == 0:
            xs.pop()
            del d[i % 7]
            s.discard(i % 5)
    return out


for _ in range(60):
    grown = growing(30)
print(grown)
check(growing, 9)


# ---- isinstance ----

class Base: pass
class Derived(Base): pass
class Other: pass


class Meta(type):
    def __instancecheck__(cls, instance): return "asked"


class Strange(metaclass=Meta): pass


class Lying:
    @property
    def __class__(self): return Base


class LyingByGetattribute:
    def __getattribute__(self, name): return Base if name == "__class__" else object.__getattribute__(self, name)


class Raising:
    @property
    def __class__(self): raise ValueError("no class")


class Int(int): pass


def of_base(x): return isinstance(x, Base)
def of_int(x): return isinstance(x, int)
def of_derived(x): return isinstance(x, Derived)
def of_strange(x): return isinstance(x, Strange)
def of_tuple(x): return isinstance(x, (int, Base))
def of_anything(x, c): return isinstance(x, c)


objects = [Base(), Derived(), Other(), Lying(), LyingByGetattribute(), Raising(), Strange(), Int(3), 3, True, 2.5, None, "s", [], Base, int]
for function in of_base, of_int, of_derived, of_strange, of_tuple:
    for x in objects:
        for _ in range(25):
            answer = show(function, x)
        print(function.__name__, type(x).__name__, answer)
for function, x in (of_base, Derived()), (of_int, 3), (of_derived, Other()):
    def alone(x, function=function): return function(x)
    all_of(function, [(x,)])
all_of(of_anything, [(3, int), (3, str), (3, (str, int)), (3, int | str), (3, 3), (3, (str, 3)), (Derived(), Base), (3, list[int])])


def count_instances(xs):
    n = 0
    for x in xs:
        if isinstance(x, Base):
            n += 1
        if isinstance(x, float):
            n += 10
    return n


for _ in range(60):
    count_instances([Derived(), Derived()])
check(count_instances, 2)
print(count_instances([Derived(), 1.5, Other(), Lying()]))
late = Other()
for _ in range(60):
    count_instances([late, late])
late.__class__ = Derived
print(count_instances([late]))


class Moving(Other): pass


moving = [Moving()]
for _ in range(60):
    before = count_instances(moving)
Moving.__bases__ = (Base,)
print(before, count_instances(moving))


class Ordinary(type): pass
class Moving(Base, metaclass=Ordinary): pass


moving = [Moving()]
Ordinary.__instancecheck__ = lambda cls, x: cls is Moving and x == 3
print(of_anything(moving[0], Moving), of_anything(3, Moving))


def of_moving(x): return isinstance(x, Moving)
all_of(of_moving, [(moving[0],), (3,)])


# ---- abs, min, max ----

def absolute(x): return abs(x)
def smaller(a, b): return min(a, b)
def larger(a, b): return max(a, b)
def smallest(a, b, c): return min(a, b, c)
def added(a, b): return max(a + 0.5, b + 0.5), min(a + 0.5, b + 0.5), abs(a + 0.5 - b)


class Negative:
    def __repr__(self): return "Negative()"
    def __abs__(self): return "abs"
    def __lt__(self, other): return True
    def __gt__(self, other): return True


numbers = [0, 1, -1, 256, 300, -300, 2**62, -2**62, 2**63 - 1, -2**63, 2**63, -2**63 - 1, 10**40, -10**40]
floats = [0.0, -0.0, 1.5, -1.5, INF, -INF, NAN, 1e308, -5e-324]
for values in numbers, floats, [True, False], ["x", None, 1j, -3 - 4j, Negative()]:
    all_of(absolute, [(x,) for x in values])
for values in numbers[:8], floats, [True, False, 1, 0, 1.0, 0.0], ["b", "a", 1, Negative()]:
    for function in smaller, larger:
        all_of(function, [(a, b) for a in values for b in values])
all_of(smallest, [(1, 2, 3), (3, 1, 2), (2, 3, 1), (NAN, 1.0, 2.0), (1.0, NAN, 0.5), (1, 1.0, True)])
all_of(added, [(a, b) for a in floats for b in floats])


def which(xs):
    """Whether the result is the very object that it should be."""
    out = []
    for a in xs:
        for b in xs:
            x, y = min(a, b), max(a, b)
            out.append((x is a, x is b, y is a, y is b))
    return out


same_floats = [float("1.5"), float("1.5"), float("2.5"), float("nan")]
same_ints = [int("1000"), int("1000"), int("2000")]
for xs in same_floats, same_ints:
    for _ in range(50):
        found = which(xs)
    print(found)


def rounds_to_itself(x):
    y = math.floor(x)
    return y is x, math.ceil(x) is x, math.floor(x * 1) == x, math.floor(x > 5), type(math.ceil(x > 5))


for i in range(60):
    found = rounds_to_itself(10**6 + i)
print(found, rounds_to_itself(10**30), rounds_to_itself(-7))


def numbers_in_loop(n):
    best, worst, total = 0.0, 1e9, 0
    for i in range(n):
        x = (i * 7 % 13) - 6.5
        best = max(best, x)
        worst = min(worst, x)
        total += abs(i - 20) + max(i, 10) - min(i, 5, 3)
    return best, worst, total


for _ in range(60):
    result = numbers_in_loop(40)
print(result)
check(numbers_in_loop, 5)


# ---- int, float, bool, ord, chr ----

def to_int(x): return int(x)
def to_float(x): return float(x)
def to_bool(x): return bool(x)
def code(x): return ord(x)
def character(x): return chr(x)


class Numeric:
    def __int__(self): return Int(7)
    def __float__(self): return 2.5
    def __bool__(self): raise ValueError("no truth")
    def __index__(self): return 65


odd = [True, "12", "x", None, Numeric(), Int(3), [], b"7"]
bounds = [9.2e18, 2.0**63, -2.0**63, -2.0**63 - 2048, 2.0**63 - 1024, 0.9, -0.9]
for values in numbers, floats + bounds, odd:
    for function in to_int, to_float, to_bool:
        all_of(function, [(x,) for x in values])
all_of(to_float, [(2**53 + 1,), (2**53 + 3,), (2**63 - 1,), (-2**63,), (2**62 + 2**8 + 1,), (9007199254740993,)])
texts = ["a", "\0", "\xff", "\u1234", "\U0010ffff", "\ud800"]
all_of(code, [(x,) for x in texts])
all_of(code, [("",), ("ab",), (b"a",), (b"ab",), (5,), (LongStr("q"),), (bytearray(b"z"),)])
all_of(character, [(x,) for x in [0, 65, 255, 256, 0xD800, 0x10FFFF]])
all_of(character, [(x,) for x in [-1, 0x110000, 2**40, 10**30, 1.5, "a", True, Numeric()]])


def converted(n):
    out = []
    for i in range(n):
        x = i * 0.75 - 3.0
        out.append((int(x), float(i), bool(i - 3), chr(ord("a") + i), float(x), int(i)))
    return out


for _ in range(60):
    result = converted(12)
print(result)
check(converted, 8)
thing = float("3.25")
print(to_float(thing) is thing, to_int(2**70) == 2**70, to_int(thing))


# ---- math ----

def sqrt(x): return math.sqrt(x)
def fabs(x): return math.fabs(x)
def sin(x): return math.sin(x)
def cos(x): return math.cos(x)
def tan(x): return math.tan(x)
def atan(x): return math.atan(x)
def exp(x): return math.exp(x)
def log(x): return math.log(x)
def floor(x): return math.floor(x)
def ceil(x): return math.ceil(x)
def atan2(x, y): return math.atan2(x, y)
def power(x, y): return math.pow(x, y)
def log_of(x, b): return math.log(x, b)


class Rounded:
    def __floor__(self): return "floor"
    def __ceil__(self): return "ceil"
    def __float__(self): return 0.5


plain = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, 1e-320, 700.0, -745.2, 1e17, math.pi / 2, 123456.789]
wild = [INF, -INF, NAN, 709.9, 1e308, -1e308, 1e19, 9.3e18, 2**53 + 1, 10**30, 10**400, -10**400, True, "x", None, Rounded(), 1j]
ordinary = [sqrt, fabs, sin, cos, tan, atan, exp, log, floor, ceil]
for function in ordinary:
    all_of(function, [(x,) for x in plain])
    all_of(function, [(x,) for x in plain + wild])
pairs = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3, -3, 1e200, -1e-200, INF, -INF, NAN]
for function in atan2, power:
    all_of(function, [(2.0, 3.0), (0.5, -2.0)])
    all_of(function, [(x, y) for x in pairs for y in pairs] + [("x", 1.0), (1.0, None), (10**400, 1.0)])
all_of(log_of, [(8.0, 2.0), (8, 2), (-1.0, 2)])


def orbit(n):
    x, total = 0.1, 0
    for i in range(n):
        x = math.sqrt(math.sin(x) ** 2 + math.cos(x) ** 2 * 2.0) + math.atan2(x, 1.0 + i) + math.exp(-x) + math.log(1.0 + i)
        x = math.fabs(x) - math.pow(x, 0.5) + math.tan(0.01 * i) + math.atan(x)
        total += math.floor(x * 10.0) - math.ceil(x * 3.0)
    return x, total


for _ in range(60):
    result = orbit(20)
print(result)
check(orbit, 11)


# ---- methods ----

class Stack(list):
    def append(self, x): list.append(self, (x, "mine"))
    def pop(self): return "mine"


class Table(dict):
    def __missing__(self, key): return "missing"
    def get(self, key, default=None): return "mine"


class Key:
    def __init__(self, k): self.k = k
    def __hash__(self): return 1 if self.k != "bad" else self.fail()
    def __eq__(self, other):
        if self.k == "odd":
            raise ValueError("no equality")
        return isinstance(other, Key) and self.k == other.k
    def fail(self): raise KeyError("no hash")


def append(xs, x): return xs.append(x)
def pop(xs): return xs.pop()
def get(d, k): return d.get(k)
def get_or(d, k, default): return d.get(k, default)
def add(s, x): return s.add(x)
def join(s, xs): return s.join(xs)
def append_two(xs): return xs.append(1, 2)
def pop_first(xs): return xs.pop(0)


def letters():
    yield "a"
    yield "b"


def failing():
    yield "a"
    raise LookupError("midway")


def fresh(function):
    """A function of an index into operands that are made again for each call."""
    def call(i):
        xs = [1, 2.5, "z"]
        d = {1: "one", "k": None, (1, 2): 3, Key("a"): "key"}
        s = {1, "x"}
        cases = {
            append: [(xs, 7), (xs, 1.5), (Stack(xs), 7), (s, 1), (None, 2)],
            pop: [(xs,), ([],), (Stack(xs),), ({5},), (d,), (None,), ([[1]],), (bytearray(b"ab"),)],
            get: [(d, 1), (d, 1.0), (d, "k"), (d, "none"), (d, (1, 2)), (d, []), (d, Key("a")), (d, Key("odd")), (d, Key("bad")), (Table(d), 1), (xs, 1)],
            get_or: [(d, 1, 5), (d, 9, 5), (d, 9, None), (d, "k", 7.5), (d, [], 3), (d, Key("bad"), 3), (Table(d), 1, 2)],
            add: [(s, 2), (s, "x"), (s, []), (s, Key("bad")), (s, Key("odd")), (xs, 3)],
            join: [(", ", ["a", "b"]), ("", ()), ("-", letters()), ("-", failing()), ("-", ["a", 1]), ("-", 5), ("-", [LongStr("s")]), (LongStr("-"), "abc")],
            append_two: [(xs,)],
            pop_first: [(xs,), ([],)],
        }[function]
        operands = cases[i % len(cases)]
        shown = show(function, *operands)
        return shown, sorted(map(str, operands[0])) if type(operands[0]) in (list, set, str) else type(operands[0]).__name__
    return call


for function in append, pop, get, get_or, add, join, append_two, pop_first:
    call = fresh(function)
    for _ in range(30):
        call(0)
    for i in range(11):
        for _ in range(12):
            shown = call(i)
        print(function.__name__, i, shown)


def drain(n):
    xs, seen, d, out = [], set(), {}, []
    for i in range(n):
        xs.append(i * 0.5)
        xs.append([i])
        seen.add(i % 4)
        d[i % 3] = i
        out.append(d.get(i % 5, "none"))
        out.append(d.get(i % 4))
        if i % 3 == 2:
            out.append(xs.pop())
            out.append(xs.pop() + 1.0)
    while xs:
        out.append(xs.pop())
    return len(seen), out, sys.getsizeof(xs), "".join([str(x) for x in out if x is not None])[:20]


for _ in range(60):
    result = drain(20)
print(result)
check(drain, 10)


class Noisy:
    def __init__(self, n): self.n = n
    def __del__(self): gone.append(self.n)


def consume(n):
    out = 0
    for i in range(n):
        out += len([Noisy(i), Noisy(-i)])
        out += isinstance(Noisy(100 + i), Noisy)
        [Noisy(200 + i)].append(Noisy(300 + i))
        {Noisy(400 + i): 1}.get(Noisy(500 + i), Noisy(600 + i))
        [Noisy(700 + i)].pop()
    return out


for _ in range(50):
    gone = []
    out = consume(3)
print(out, gone)


# ---- errors and where they come from ----

def uncertain(xs, i):
    total = 0.0
    try:
        total += math.sqrt(xs[i])
        total += len(xs[i + 1])
        xs[i + 2].append(xs.pop())
    except (TypeError, ValueError, AttributeError) as error:
        frame = error.__traceback__
        return f"{type(error).__name__} {error} line {frame.tb_lineno - frame.tb_frame.f_code.co_firstlineno}"
    return total


for xs in [4.0, "abc", [], 5], [-4.0, "abc", [], 5], [4.0, 3, [], 5], [4.0, "ab", None, 5], ["4", "ab", [], 5]:
    for _ in range(40):
        shown = uncertain(list(xs), 0)
    print(shown)


def deep(n):
    return deep(n - 1) + abs(n) if n else len("abc")


for _ in range(30):
    deep(20)
print(deep(200))


def fall(n):
    global lowest
    lowest = n
    return fall(n + 1) + max(n, 1)


try:
    fall(0)
except RecursionError as error:
    print(type(error).__name__, lowest > 50)


# ---- what names mean changes ----

def patched(xs):
    return len(xs), abs(-2), max(1, 2), math.sqrt(4.0), isinstance(xs, list), ord("a")


for _ in range(60):
    patched([1])
check(patched, 6)
print(patched([1]))
import builtins

kept = builtins.len, builtins.abs, math.sqrt, builtins.isinstance
builtins.len = lambda xs: "len"
print(patched([1]))
builtins.abs = [].append
math.sqrt = math.sin
print(patched([1]))
math.sqrt = "no function"
try:
    patched([1])
except TypeError as error:
    print(error)
builtins.len, builtins.abs, math.sqrt = kept[:3]
print(patched([1]))
max = lambda a, b: "max"
print(patched([1]))
del max
int_kept, int_ = int, int
builtins.isinstance = lambda x, c: "instance"
print(patched([1]))
builtins.isinstance = kept[3]
for _ in range(30):
    result = patched([1])
print(result)


def shadowed(x):
    len = lambda x: "local"
    return len(x), (lambda abs: abs(x))(lambda x: "argument")


for _ in range(40):
    result = shadowed([1])
print(result)


def keywords(xs):
    return max(xs, key=abs), min(xs, default=1), max(*xs), int("ff", base=16), int(), float(), bool(), len(*[xs])


for _ in range(40):
    result = keywords([1, -5, 3])
print(result)


def generator(n):
    for i in range(n):
        xs.append(i)
        yield len(xs), max(i, 3), math.sqrt(i)


for _ in range(40):
    xs = []
    result = list(generator(5))
print(result)


def same_object(x):
    y = abs(x)
    return y is x


for _ in range(40):
    same = same_object(10**6), same_object(-(10**6)), same_object(2.5), same_object(3)
print(same)


# ---- min and max of lists, tuples and sets ----

class Odd:
    """Says that it was compared; less than nothing."""
    def __init__(self, n): self.n = n
    def __lt__(self, other): return asked.append(("lt", self.n)) or self.n < getattr(other, "n", other)
    def __gt__(self, other): return asked.append(("gt", self.n)) or self.n > getattr(other, "n", other)
    def __repr__(self): return f"Odd({self.n})"


def extremes(items): return min(items), max(items)
def of_list(items): return extremes(list(items))
def of_made(items):
    some = {x for x in items}
    return min(some), max(some)


asked = []
nan = float("nan")
numbers = [[3, 1, 2], (5, -7, 0), {8, 2, 300}, frozenset([1, -1]), [1.5, -2.5], (0.0, -0.0), (-0.0, 0.0), [nan, 1.0],
           [1.0, nan], [2**40, 3], [-(2**30), 2**30 - 1], [True, 2], [1, 1.5], ["b", "a"], [Odd(2), Odd(1)], [Odd(1), 5],
           range(3), {"k": 1}, "text", [7], {7.5}]
for _ in range(45):
    asked.clear()
    shown = [extremes(items) for items in numbers], [of_list(items) for items in numbers]
print(shown, asked)
print([of_made((i, 3, 5)) for i in range(60)][-3:])
for wrong in ([], set(), (), 5, [1, "a"], [None, None]):
    for _ in range(20):
        try:
            said = extremes(wrong)
        except (TypeError, ValueError) as e:
            said = repr(e), e.__traceback__.tb_next.tb_lineno - extremes.__code__.co_firstlineno
    print(said)
same = [10**6 + 0, 10**6 - 0]
same[1] = int("1000000")
print(min(same) is same[0], max(same) is same[0], max((same[1], same[0])) is same[1])
for _ in range(40):
    extremes([1, 2])
check(extremes)
min = lambda items: "patched"
print(extremes([1, 2]))
del min
print(extremes([1, 2]))
