# Class bodies, metaclasses, super, properties, descriptors, slots, special methods.
class Meta(type):
    @classmethod
    def __prepare__(mcls, name, bases, **kw):
        return {"prepared": kw}

    def __new__(mcls, name, bases, ns, **kw):
        return super().__new__(mcls, name, bases, {k: v for k, v in ns.items()})

    def __init__(cls, name, bases, ns, **kw):
        super().__init__(name, bases, ns)
        cls.made = sorted(kw)

    def __call__(cls, *args):
        o = super().__call__(*args)
        o.called = True
        return o


class Base(metaclass=Meta, flag=1):
    for i in range(3):
        locals()[f"attr{i}"] = i * 10
    squares = [j * j for j in range(3)]
    if squares:
        big = max(squares)
    del i

    def __init__(self, x=0):
        self.x = x

    def method(self):
        return "Base", self.x

    @property
    def twice(self):
        return self.x * 2

    @twice.setter
    def twice(self, v):
        self.x = v / 2

    @twice.deleter
    def twice(self):
        self.x = None


class Derived(Base):
    def __init__(self, x):
        super().__init__(x + 1)

    def method(self):
        return ("Derived",) + super().method() + (super(Derived, self).twice, __class__.__name__)


for _ in range(20):
    d = Derived(1)
    r = d.method(), d.twice
    d.twice = 9
print(r, d.x, Base.prepared, Base.made, Derived.made, d.called, d.attr2, Base.big, hasattr(Base, "i"))
del d.twice
print(d.x)


class Slots:
    __slots__ = ("a", "b")

    def total(self):
        return self.a + self.b


s = Slots()
s.a = 1
try:
    s.total()
except AttributeError as e:
    print(e)
s.b = 2.5
for _ in range(20):
    r = s.total()
print(r)
try:
    s.c = 1
except AttributeError as e:
    print(e)


class Descriptor:
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, o, t=None): return self if o is None else o.__dict__.get(self.name, "unset")
    def __set__(self, o, v): o.__dict__[self.name] = v * 2


class Uses:
    field = Descriptor()

    def __getattr__(self, name):
        if name.startswith("dyn"):
            return name.upper()
        raise AttributeError(name)

    def __init_subclass__(cls, **kw):
        cls.kw = kw


class Sub(Uses, option=3):
    pass


u = Sub()
for i in range(20):
    r = u.field, u.dynamic
    u.field = i
print(r, u.field, Sub.kw)
try:
    u.nothing
except AttributeError as e:
    print(repr(e))


class Changing:
    def f(self): return "first"


c = Changing()


def call(o):
    return o.f()


for _ in range(40):
    r = call(c)
Changing.f = lambda self: "second"
print(r, call(c))
c.f = lambda: "instance"
print(call(c))
del c.f
print(call(c))
c.__class__ = type("Other", (), {"f": lambda self: "other class"})
print(call(c))


class Vector:
    def __init__(self, *v): self.v = v
    def __add__(self, o): return Vector(*(a + b for a, b in zip(self.v, o.v)))
    def __iadd__(self, o):
        self.v = tuple(a + b for a, b in zip(self.v, o.v))
        return self
    def __mul__(self, k): return Vector(*(a * k for a in self.v))
    __rmul__ = __mul__
    def __matmul__(self, o): return sum(a * b for a, b in zip(self.v, o.v))
    def __neg__(self): return self * -1
    def __getitem__(self, i): return self.v[i]
    def __setitem__(self, i, x): self.v = self.v[:i] + (x,) + self.v[i + 1:]
    def __delitem__(self, i): self.v = self.v[:i] + self.v[i + 1:]
    def __len__(self): return len(self.v)
    def __contains__(self, x): return x in self.v
    def __bool__(self): return any(self.v)
    def __eq__(self, o): return self.v == o.v
    def __hash__(self): return hash(self.v)
    def __repr__(self): return f"Vector{self.v}"
    def __call__(self, x): return x, self.v
    def __iter__(self): return iter(self.v)
    def __enter__(self): return self.v
    def __exit__(self, *a): return True


def exercise(a, b):
    c = a + b
    c += a
    c[0] = 100
    d = -(2 * c) * 3
    del d[1]
    return c, d, a @ b, len(c), 100 in c, bool(Vector(0)), a == b, a != b, c(5), [*c], d[0], not a


for _ in range(20):
    r = exercise(Vector(1, 2.5), Vector(3, 4))
print(r)


