# Builtins, globals, methods, attributes and defaults changed after the compile: the new target is used.
import builtins
import math
import types


def uses():
    return len([1, 2]), abs(-3), max(1, 2), math.floor(2.5), isinstance(1, int), sorted([2, 1])


for _ in range(40):
    uses()
print(uses())
old_len, old_floor = builtins.len, math.floor
builtins.len = lambda x: "len"
math.floor = lambda x: "floor"
max = lambda *a: "max"
print(uses())
builtins.len, math.floor = old_len, old_floor
del max
print(uses())
builtins.isinstance, saved = (lambda a, b: "isinstance"), isinstance
print(uses())
builtins.isinstance = saved


def f(x): return x + 1


def g(n):
    t = 0
    for i in range(n):
        t += f(i)
    return t


for _ in range(40):
    g(5)
print(g(5))
f = lambda x: x * 100
print(g(5))
f.__code__ = (lambda x: 7).__code__
print(g(5))


class A:
    value = 1

    def m(self): return self.value
    def __add__(self, o): return "add"
    def __len__(self): return 3


class B(A):
    pass


def probe(o):
    return o.value, o.m(), o + 1, len(o)


b = B()
for _ in range(40):
    probe(b)
print(probe(b))
A.value = 2
print(probe(b))
B.m = lambda self: "B.m"
print(probe(b))
A.__add__ = lambda s, o: "new add"
A.__len__ = lambda s: 9
print(probe(b))
b.value = "instance"
print(probe(b))
B.value = property(lambda s: "property")
print(probe(b))
B.__getattribute__ = lambda s, n: "ga " + n if n == "value" else object.__getattribute__(s, n)
print(probe(b))
del B.__getattribute__, B.value
print(probe(b))
B.__bases__ = (type("Z", (A,), {"m": lambda self: "Z", "__len__": lambda s: 77}),)
del B.m
print(probe(b))
m = types.ModuleType("m")
m.x = 1


def module_attribute():
    return m.x


for _ in range(40):
    module_attribute()
m.x = 2.5
print(module_attribute())
del m.x
try:
    module_attribute()
except AttributeError as e:
    print(e)
m.__getattr__ = lambda name: "dynamic " + name
print(module_attribute())


def polymorphic(objects):
    return [o.x for o in objects]


class P1:
    def __init__(self): self.x = 1


class P2:
    def __init__(self): self.y, self.x = 0, 2


class P3:
    __slots__ = ("x",)

    def __init__(self): self.x = 3


class P4:
    @property
    def x(self): return 4


class P5:
    x = 5


class P6:
    def __getattr__(self, n): return 6


for _ in range(30):
    r = polymorphic([P1(), P2(), P3(), P4(), P5(), P6()] * 2)
print(r)
o = P1()
for i in range(50):
    setattr(o, f"a{i}", i)
print(polymorphic([o, P1()]), o.a49)
del o.x
try:
    polymorphic([o])
except AttributeError as e:
    print(e)
print(__builtins__ is builtins)
exec("def h(): return len('ab')\nr = [h() for _ in range(40)][-1]\n__builtins__ = {'len': lambda x: 'custom'}\nprint(r, h())", {"__builtins__": {"len": len, "range": range, "print": print}})
