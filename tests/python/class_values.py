# What instances find in their class: constants, until an instance, a subclass or the class says otherwise.
# compiled: area, Counter.step, tagged, stable, outer
# optimised: stable: inline_class_attributes
# optimised: outer: inline_class_attributes


class Shape:
    factor = 2
    half = 0.5
    big = 2**31 - 1
    huge = 2**90
    name = "shape"
    items = [1, 2]
    nothing = None
    flag = True

    def __init__(self, side):
        self.side = side

    def scaled(self, x):
        return x * self.factor * self.half


def area(shape, n):
    total = 0.0
    for i in range(n):
        total += shape.side * shape.half * shape.factor + shape.big - shape.big
    return total


def others(shape):
    return (shape.huge + 1, shape.name + "!", len(shape.items), shape.nothing, shape.flag, shape.items is Shape.items,
            shape.half is Shape.half, shape.big is Shape.big)


def inlined(shape, n):
    total = 0.0
    for i in range(n):
        total += shape.scaled(i)
    return total


def stable(shape):
    return shape.factor * shape.half


def outer(shape, x):
    return shape.scaled(x) + 1


shape = Shape(3.0)
for _ in range(60):
    result = (area(shape, 20), others(shape), inlined(shape, 20), stable(shape), outer(shape, 3))
print(result)

# The instance hides it.
shape.half = 0.25
print(area(shape, 20), inlined(shape, 20))
fresh = Shape(3.0)
print(area(fresh, 20), inlined(fresh, 20))
vars(fresh)["factor"] = 10
print(area(fresh, 20), inlined(fresh, 20))
for _ in range(60):
    result = (area(Shape(1.0), 20), inlined(Shape(1.0), 20), area(shape, 20))
print(result)

# The class changes.
for factor in (3, 4.5, 2**70, True, "ab", 3):
    Shape.factor = factor
    try:
        print(area(Shape(1.0), 3), inlined(Shape(1), 3))
    except TypeError as error:
        print(error)
for _ in range(60):
    result = area(Shape(1.0), 5), inlined(Shape(1.0), 5)
print(result)
del Shape.factor
try:
    area(Shape(1.0), 3)
except AttributeError as error:
    print(error)
Shape.factor = 2


# Subclasses, with the same value and with others.
class Same(Shape):
    pass


class Other(Shape):
    half = 1.5
    name = "other"


for _ in range(60):
    result = [(area(kind(2.0), 5), others(kind(1))[1], inlined(kind(1), 5)) for kind in (Shape, Same, Other)]
print(result)


# Slots: no dictionary at all.
class Slotted:
    __slots__ = ("x",)
    step = 5

    def __init__(self, x):
        self.x = x


def slotted(s, n):
    for i in range(n):
        s.x += s.step
    return s.x


print([slotted(Slotted(i), 10) for i in range(60)][-1])
Slotted.step = 0.5
print([slotted(Slotted(i), 10) for i in range(60)][-1])


# An assignment through the instance makes it the instance's.
class Counter:
    count = 0

    def step(self):
        self.count = self.count + 1
        return self.count


counters = [Counter() for _ in range(50)]
print([counter.step() for counter in counters][-1], [counter.step() for counter in counters][-1], Counter.count)
print(sum(Counter().step() for _ in range(200)))


# A value that becomes a descriptor.
class Value:
    pass


class Tagged:
    tag = Value()


def tagged(object):
    return object.tag


one = Tagged()
for _ in range(60):
    assert tagged(one) is Tagged.__dict__["tag"]
Value.__get__ = lambda self, object, owner: ("got", object is one)
print(tagged(one))
Value.__set__ = lambda self, object, value: None
one.__dict__["tag"] = 1
print(tagged(one))
del Value.__get__, Value.__set__
print(tagged(one))


# __getattribute__ and __getattr__, and data descriptors.
class Asked(Shape):
    def __getattr__(self, name):
        return f"no {name}"


class Answered(Shape):
    def __getattribute__(self, name):
        return 7 if name == "half" else super().__getattribute__(name)


def missing(object):
    return object.missing, object.half


for _ in range(40):
    result = missing(Asked(1)), area(Answered(1.0), 3)
print(result)


class Viewed(Shape):
    @property
    def half(self):
        return self.side * 10


for _ in range(40):
    result = area(Viewed(1.0), 3), area(Shape(1.0), 3)
print(result)

# The value dies with the class's reference to it while it is used.
class Holder:
    def __init__(self):
        pass


class Noisy:
    def __init__(self, name):
        self.name = name

    def __add__(self, other):
        Holder.value = None
        return self.name + other

    def __del__(self):
        print("gone", self.name)


def use(holder, text):
    return holder.value + text


for turn in range(50):
    Holder.value = Noisy("n") if turn == 49 else "s"
    result = use(Holder(), "t")
print(result)
