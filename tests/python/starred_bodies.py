# Bodies of functions with starred and keyword-only parameters in the place of their calls, of functions of other modules, and what
# bodies find in dictionaries.
import gc
import sys
import traceback
import types


def check(function, *names):
    """Where it is known when it is compiled: that this was done to a function."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        done = columba.info(function).optimisations
        for name in names:
            assert any(one.startswith(name) for one in done), (function, name, done)


def error(attempt):
    try:
        return attempt()
    except Exception as e:
        return type(e).__name__, str(e), [f.name for f in traceback.extract_tb(e.__traceback__)][1:]


# ---- starred and keyword-only parameters ----

class Log:
    def __init__(self, level): self.level, self.lines = level, []
    def quiet(self, message, *args, **kwargs):
        if self.level > 10:
            self.write(message, args, **kwargs)
    def write(self, message, args, **kwargs): self.lines.append((message, args, kwargs))


def count(*args): return len(args)
def some(*args): return True if args else False
def first(*args):
    if args:
        return args[0]
    return None
def pair(*args):
    a, b = args
    return a
def all_of(*args): return args
def no_keywords(x, **kwargs):
    if not kwargs:
        return x
    return sorted(kwargs.items())
def is_none(*args, **kwargs): return args is None or kwargs is None
def scaled(x, *, by=2, plus=0): return x * by + plus
def mixed(a, b=5, /, c=7, *rest, d=11, e=13, **others):
    if rest or others:
        return (a, b, c, rest, d, e, others)
    return a + b + c + d + e
def needed(a, *, must): return a + must


def starred(log, x):
    log.quiet("x"); log.quiet("x", 1)
    return (count(), count(x), count(x, x, x), some(), some(x), first(), first(x, 1), pair(x, 2),
            no_keywords(x), is_none(x, 2))


def only(x):
    return scaled(x), scaled(x, by=3), scaled(x, plus=1), scaled(plus=x, x=1, by=x), needed(x, must=1), needed(must=x, a=2)


def every(x):
    return (mixed(x), mixed(x, 1), mixed(x, 1, 2), mixed(x, d=1), mixed(x, c=1, e=2), mixed(x, 1, 2, 3), mixed(x, a=1),
            mixed(x, 1, 2, 3, 4, d=5, f=6))


quiet, loud = Log(1), Log(11)
print([starred(quiet, i) for i in range(60)][-1], [only(i) for i in range(60)][-1], [every(i) for i in range(60)][-1])
check(starred, "inline_starred")
check(only, "inline_starred")
check(every, "inline_starred")
print([starred(loud, i) for i in range(3)][-1], loud.lines[-2:], quiet.lines)
print([starred(quiet, x) for x in ("s", 2.5, 1 << 70, None)])


EMPTY = ()
def tuples(x):
    a, b, c = all_of(x, 1), all_of(), all_of(x, 1)
    return a, b is EMPTY, a is c, type(a) is tuple, gc.is_tracked(all_of([x]))
print([tuples(i) for i in range(60)][-1])


# The dictionary is a new one in each call that makes one.
def keep(**kwargs): return kwargs
def kept(x):
    a, b = keep(), keep(x=x)
    a["y"] = b
    return a, keep(), keep(**a) is a
print([kept(i) for i in range(60)][-1])


# Wrong calls.
attempts = [
    lambda: count(1, x=2), lambda: no_keywords(), lambda: no_keywords(1, x=2), lambda: no_keywords(1, 2), lambda: scaled(1, 2),
    lambda: scaled(1, bye=2), lambda: scaled(), lambda: needed(1), lambda: needed(1, 2), lambda: mixed(a=1), lambda: mixed(1, b=2),
    lambda: mixed(1, 2, 3, c=4), lambda: mixed(), lambda: needed(must=1), lambda: pair(1), lambda: pair(1, 2, 3), lambda: needed("a", must=1),
]
for attempt in attempts:
    for _ in range(40):
        result = error(attempt)
    print(result)


# Defaults of keyword-only parameters are changed: in their dictionary, and by another one.
def rescaled(x): return scaled(x), scaled(x, by=10)
def seen(): return [rescaled(i) for i in range(40)][-1]
print(seen())
scaled.__kwdefaults__["plus"] = 100
print(seen())
scaled.__kwdefaults__["plus"] = -1.5
print(seen())
scaled.__kwdefaults__ = {"by": "ab", "plus": "c"}
print(seen() if False else error(lambda: scaled(2)), error(lambda: rescaled(2)))
scaled.__kwdefaults__ = {"plus": 7}
print(error(lambda: rescaled(2)), error(lambda: scaled(1, by=4)))
scaled.__kwdefaults__ = None
print(error(lambda: rescaled(2)), error(lambda: scaled(1, by=4, plus=2)))
class Name(str): pass
scaled.__kwdefaults__ = {Name("by"): 3, "plus": 4, 7: 8}
print(seen())
scaled.__kwdefaults__ = {"by": 2, "plus": 0}
print(seen())
scaled.__code__ = (lambda x, *, by, plus: (x, by, plus)).__code__
print(seen())


# What a default holds dies when it is replaced.
class Loud:
    def __init__(self, n): self.n = n
    def __del__(self): gone.append(self.n)
gone = []
def holding(x, *, thing=Loud(1)): return thing.n + x
def holds(x): return holding(x)
print([holds(i) for i in range(60)][-1])
holding.__kwdefaults__["thing"] = Loud(2)
print(gone, holds(1))
del holding.__kwdefaults__
print(gone, error(lambda: holds(1)))


# Arguments die in time, whether they are surplus or not; in which order is another matter (docs/deviations.md).
def drop(*args, **kwargs):
    gone.append(len(args))
def drops(i):
    drop(Loud(i), Loud(-i), key=Loud(0))
    gone.append("then")
for i in range(40):
    drops(i)
print(sorted(gone[-6:], key=str))


# Instances, by an `__init__` with defaults and stars.
class Point:
    def __init__(self, x, y=2, *rest, scale=3, **others):
        self.x = x
        self.y = y
        self.scale = scale


def points(i):
    a, b = Point(i), Point(i, i)
    return a.x, a.y, a.scale, b.x, b.y, b.scale, Point(1, 2, 3, 4).x
print([points(i) for i in range(60)][-1])
check(points, "inline_instances", "inline_starred")
Point.__init__.__defaults__ = ("other",)
Point.__init__.__kwdefaults__["scale"] = None
print([points(i) for i in range(60)][-1])


class Items:
    def __init__(self, *items): self.items = items
    def __getitem__(self, *key): return key
    def __add__(*both): return len(both)
    def __bool__(self): return any(self.items)
def items(i):
    x = Items(i, 0)
    return x.items, x[i], x[i, 1], x + x, bool(x), bool(Items(0)), Items().items
print([items(i) for i in range(60)][-1])


# The recursion limit counts bodies.
def deeper(n, *args, **kwargs):
    if n == 0:
        return 0
    return deeper(n - 1, *args, **kwargs) + 1
def level(*args): return args
def at(n): return level(n) and (at(n - 1) if n else True)
for _ in range(40):
    deeper(5, 1, x=2), at(3)
print(deeper(100, 1, 2, x=3), error(lambda: deeper(10**6))[0], error(lambda: at(10**6))[0])


# Tracing sees every call.
calls = []
def tracer(frame, event, arg):
    if event == "call" and frame.f_code.co_name in ("quiet", "scaled", "no_keywords"):
        calls.append((frame.f_code.co_name, dict(frame.f_locals)))
def traced(x): return no_keywords(x), quiet.quiet(x)
for i in range(40):
    traced(i)
sys.settrace(tracer)
traced(3)
sys.settrace(None)
print([(name, sorted(names)) for name, names in calls])


# ---- functions of other modules ----

def module(source):
    made = types.ModuleType("other")
    exec(source, made.__dict__)
    return made


other = module("""
LIMIT = 10
def under(x): return x < LIMIT
def outer(x): return under(x) and len((x, LIMIT)) == 2
class Counter:
    def __init__(self): self.n = LIMIT
    def more(self): return self.n + LIMIT
""")


def uses(x, counter):
    return other.under(x), other.outer(x), counter.more(), other.Counter().n


counter = other.Counter()
def used(x=5): return [uses(x, counter) for _ in range(40)][-1]
print(used())
check(uses, "inline_foreign")
LIMIT = "not this one"
other.LIMIT = 3
print(used())
other.extra, other.LIMIT = 1, 2.5
print(used())
other.len = lambda x: 2000
print(used())
del other.len
other.under = lambda x: "replaced"
print(used())
del other.LIMIT
print(error(used))
import builtins
builtins.LIMIT = 100
print(used())
del builtins.LIMIT
other.LIMIT = 1
print(used())
# The same code with other globals.
same = types.FunctionType(other.outer.__code__, {"LIMIT": 50, "under": lambda x: x, "__builtins__": builtins})
other.outer = same
print(used())
other.outer = types.FunctionType(same.__code__, {"under": lambda x: x, "len": lambda x: 2, "LIMIT": 0, "__builtins__": {}})
print(used())


# A module goes when nobody needs it, though its functions were inlined.
import weakref
def temporary():
    made = module("K = 2\ndef f(x): return x * K\nclass C: pass\n")
    def call(x): return made.f(x)
    print([call(i) for i in range(60)][-1])
    return weakref.ref(made.C)
gone_class = temporary()
gc.collect()
print(gone_class())


# ---- dictionaries ----

class Cache:
    def __init__(self, cache): self.cache, self.misses = cache, 0
    def get(self, key):
        try:
            return self.cache[key]
        except KeyError:
            self.misses += 1
            return None
    def has(self, key):
        if self.get(key):
            return 1
        return 0


def gets(cache, key): return cache.get(key), cache.has(key)
cache = Cache({10: True, 20: False, -1: "minus", "k": "text", 1 << 40: "big", (1, 2): "tuple", 2.0: "float", False: "no"})
def got(key, cache=cache): return [gets(cache, key) for _ in range(40)][-1], cache.misses
print(got(10), got(20))
check(gets, "search_dictionaries")
for key in (10, 20, -1, -2, "k", "".join(["k"]), "other", 1 << 40, (1, 2), 2, 2.0, True, False, 0, 10.0, None, "m" * 40):
    print(key, got(key))
print(error(lambda: got([])), error(lambda: got({})))


class Key:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n
    def __eq__(self, other):
        asked.append((self.n, other if not isinstance(other, Key) else other.n))
        return isinstance(other, int) and other == self.n or self is other
asked = []
strange = Cache({Key(10): "key", 26: "int", 42: "int too", "s": "str"})
for key in (10, 26, 42, 58, "s", Key(10)):
    print(got(key, strange)[0], len(asked))
class Number(int): pass
class Text(str): pass
print(got(Number(26), strange), got(Text("s"), strange))


class Default(dict):
    def __missing__(self, key): return [key]
print([got(7, Cache(Default()))[0] for _ in range(3)])
many = Cache({i: -i for i in range(100000)})
print(got(99999, many), got(100000, many), got(300, Cache({i: i for i in range(300)})))
for i in range(0, 100000, 3):
    del many.cache[i]
print(got(99999, many), got(99998, many))
strings = Cache({f"k{i}": i for i in range(300)})
print(got("k7", strings), got(7, strings), got("k300", strings))
strings.cache = dict.fromkeys([Text("t")], "subclass")
print(got("t", strings))
cache.cache = [1, 2, 3]
print(got(1), error(lambda: got("x"))[:2], error(lambda: got(5))[:2])
class Instance: pass
instance = Instance()
instance.a, instance.b = "x", 2
print(got("a", Cache(instance.__dict__)), got("c", Cache(instance.__dict__)), got(1, Cache(instance.__dict__)))


# What is found lives on though the dictionary lets go of it.
class Table:
    def __init__(self): self.table = {1: Loud("first")}
    def find(self, key): return self.table[key]
def replaced(table):
    found = table.find(1)
    table.table[1] = Loud("second")
    return found.n
gone.clear()
print([replaced(Table()) for _ in range(60)][-1], len(gone), sorted(gone[-2:]))
