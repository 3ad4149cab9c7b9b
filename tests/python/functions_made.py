# Functions that are made again and again: what they take from their globals, which change in between; isinstance of several classes;
# attributes of built-in types.
import sys
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


def make(n):
    def plain(): "doc"; return n
    def full(a, b=n, *, c: int = 2) -> str:
        return a, b, c, n
    return plain, full, lambda x=n: x + 1


def look(f):
    return (f.__name__, f.__qualname__, f.__module__, f.__doc__, f.__defaults__, f.__kwdefaults__, sorted(f.__annotations__),
            f.__globals__ is globals(), type(f.__builtins__), f.__dict__, f.__closure__ is not None)


def made(n): return [look(f) for f in make(n)], [f() if i != 1 else f(0) for i, f in enumerate(make(n))]
for i in range(60):
    result = made(i)
print(result)
name = __name__
__name__ = "renamed"
print(made(1)[0][0][2], made(2)[0][2][2])
del __name__
print(made(1)[0][0][2])
__name__ = 5
print(made(1)[0][0][2])
__name__ = name
print(made(1)[0][0][2])

# The same code with several globals.
import builtins
spaces = [{"__builtins__": builtins, "__name__": f"space{i}"} for i in range(12)] + [{"__builtins__": {"len": lambda x: "mine"}}]
makers = [types.FunctionType((lambda: lambda x: (len(x), __name__)).__code__, space) for space in spaces[:12]]
counters = [types.FunctionType((lambda: lambda x: len(x)).__code__, space) for space in spaces]
for _ in range(40):
    names = [maker()("ab") for maker in makers] + [counter()("abc") for counter in counters]
    modules = [maker().__module__ for maker in makers + counters]
print(names, modules)
spaces[3]["__builtins__"] = {"len": lambda x: "replaced"}
print(counters[3]()("abc"), makers[2]()("abc"))


# What a function holds dies with it.
class Loud:
    def __del__(self): gone.append("gone")
gone = []
def holds(thing):
    def inner(x=thing): return x
    inner.kept = inner() is thing
    return inner.kept
print([holds(Loud()) for _ in range(60)][-1], len(gone))


# ---- isinstance with several classes ----

class A: pass
class B(A): pass
class C: pass
class Meta(type):
    def __instancecheck__(cls, x):
        asked.append(type(x).__name__)
        return x == 3
class D(metaclass=Meta): pass
class Liar:
    @property
    def __class__(self): return A
asked = []


def numbers(x): return isinstance(x, (int, float)), isinstance(x, (str, bytes, list)), isinstance(x, (list, tuple))
def own(x): return isinstance(x, (A, C)), isinstance(x, (C, list)), isinstance(x, (B, A)) and 1
def meta(x): return isinstance(x, (int, D)), isinstance(x, (D, int))
def nested(x): return isinstance(x, (int, (str, A))), isinstance(x, ())
def chosen(x, c): return isinstance(x, (int, str) if c else (A, C))
def body(x): return isinstance(x, (int, float)) and x > 0
def calls(x): return body(x)
def wrong(x): return isinstance(x, (int, 5))


for function, first in (numbers, 1), (numbers, []), (own, B()), (meta, 3), (nested, "s"), (calls, 2.5):
    for i in range(60):
        result = function(first)
    print(function.__name__, result)
    for x in (1, 2.5, True, "s", b"", [], (), None, A(), B(), C(), D(), Liar(), A, 1 << 70):
        try:
            print(result_of := [function(x) for _ in range(3)][-1], end=" ")
        except TypeError as e:
            print(e, end=" ")
    print(len(asked))
print([chosen(x, c) for x in (1, A(), C(), "") * 20 for c in (0, 1)][-8:])
for x in (1, "s"):
    for _ in range(40):
        try:
            result = wrong(x)
        except TypeError as e:
            result = str(e)
    print(result)
check(own, "intrinsics")
B.__bases__ = (C,)
print(own(B()), own(A()))
A = C
print(own(B()), own(A()))
isinstance = lambda x, y: ("mine", y)
print(numbers(1)[2], own(3)[1])
del isinstance
print(numbers(1), own(3))
limit = sys.getrecursionlimit()
def deep(n): return deep(n - 1) if n else numbers(1)
print(deep(50))


# ---- type of one argument ----

def classes(x):
    y = x
    first = type(y)
    y = None
    return first, type(x) is first, type(x).__name__, type(type(x)), type(1.5), type(x)()
def temporary():
    made = type("Made", (), {"n": 7, "__del__": lambda self: gone.append("made")})
    return type(made()).n
def changed(x):
    before = type(x)
    x.__class__ = D if before is C else C
    return before, type(x)
gone.clear()
for x in (1, "s", [], B()):
    for i in range(40):
        result = classes(x)
    print(result[:5], type(result[5]))
check(classes, "intrinsics")
x = C()
print([temporary() for _ in range(60)][-1], len(gone), [changed(x) for _ in range(60)][-2:])
for x in (None, 2.5, D(), Liar(), type):
    print(type(x).__name__, x is None or x is type or classes(x)[:4])


# ---- attributes of built-in types ----

def attributes(x):
    return (float.__repr__ is float.__dict__["__repr__"], float.__repr__(x), str.join(",", ["a", "b"]), int.__name__, list.append,
            dict.fromkeys("a"), int.real, str.__doc__ is str.__dict__["__doc__"], list.__class__, tuple.mro() == [tuple, object])
for i in range(60):
    result = attributes(1.5)
print(result)
try:
    for i in range(60):
        float.missing if i == 59 else None
except AttributeError as e:
    print(e)
float, saved = str, float
print(float.__repr__("x"))
float = saved
