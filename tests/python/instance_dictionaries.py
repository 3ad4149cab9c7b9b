# Attributes of instances that have a dictionary of their own: read and stored in its entries, in bodies too.
import gc
import sys
import weakref


def check(function, name):
    """Where it is known when it is compiled: that this was done to a function."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        done = columba.info(function).optimisations
        assert any(one.startswith(name) for one in done), (function, done)


class Point:
    def __init__(self, x):
        self.x = x

    def move(self, by):
        self.x += by
        return self.x

    def put(self, value): self.x = value
    def get(self): return self.x


def with_dictionary(x):
    p = Point(x)
    p.__dict__["extra"] = x
    for i in range(40):
        setattr(p, f"a{i}", i)
    return p


def use(points):
    total = 0
    for p in points:
        p.put(p.get() + 1)
        p.a7 = p.a8 + p.a7
        total += p.move(2) + p.a7
    return total


points = [with_dictionary(i) for i in range(5)]
for _ in range(60):
    total = use(points)
print(total, [p.x for p in points], list(points[0].__dict__)[:4], points[0].__dict__["x"], points[0].a7)

check(use, "inline_attributes")
check(Point.move, "inline_attributes")

# Another order of entries, a missing one, a key that is no str, keys that were deleted and came again.
other = Point.__new__(Point)
other.a8 = 1
for i in reversed(range(40)):
    setattr(other, f"a{i}", i)
other.x = 5
print([use([other, points[0]]) for _ in range(40)][-1], other.x)
odd = with_dictionary(1)
odd.__dict__[3] = 4
print([use([odd]) for _ in range(40)][-1], odd.__dict__[3])
missing = with_dictionary(1)
del missing.a7
for _ in range(20):
    try:
        use([missing])
    except AttributeError as e:
        said = str(e)
print(said, missing.x)
missing.a7 = 1
print([use([missing]) for _ in range(40)][-1], list(missing.__dict__)[-1])
swapped = with_dictionary(1)
swapped.__dict__ = dict(swapped.__dict__, x="text")
try:
    use([swapped])
except TypeError as e:
    print(e)

# A dictionary that held numbers only is known to the collector once it holds something else.
class Holder: pass


def hold(holder, value): holder.value = value


def make():
    h = Holder()
    h.__dict__.update(value=1, other=2)
    return h


holders = [make() for _ in range(80)]
for h in holders:
    hold(h, 3)
assert all(h.value == 3 for h in holders)
h = make()
hold(h, h)
alive = weakref.ref(h)
tracked = gc.is_tracked(h.__dict__)
del h
gc.collect()
print(tracked, alive() is None)
h = make()
hold(h, (1, 2))
hold(h, [h])
print(gc.is_tracked(h.__dict__))

# What is replaced dies in time, and may look at the instance.
class Last:
    def __init__(self, of): self.of = of
    def __del__(self): print("replaced by", type(self.of.value).__name__)


h = make()
for i in range(30):
    hold(h, i)
hold(h, Last(h))
hold(h, "text")
h.__dict__.clear()
hold(h, 1)
print(vars(h))

# Class changes are seen.
for _ in range(20):
    hold(h, 2)
Holder.__setattr__ = lambda self, name, value: object.__setattr__(self, name, ("seen", value))
hold(h, 3)
print(h.value)
del Holder.__setattr__
Holder.value = property(lambda self: "property", lambda self, value: print("setter", value))
hold(h, 4)
print(h.value)


# An instance whose dictionary is the module's own, in a loop whose names are numbers.
class Names: pass


names = Names()
names.__dict__ = globals()
number, total = 1.5, 0.0
for i in range(3000):
    number = number + 0.5
    names.number = names.number + 1.0
    total = total + number
    names.total += 0.25
print(number, total, names.number == number, names.total == total)
