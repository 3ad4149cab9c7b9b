# Classes: inheritance, super, slots, properties, operators, attribute hooks, classes made in functions.
# compiled: Animal.describe, Dog.describe, Vector.__add__, Celsius.fahrenheit.fget, Hooked.__getattr__, area


class Animal:
    legs = 4

    def __init__(self, name):
        self.name = name

    def describe(self):
        return f"{self.name} on {self.legs}"


class Dog(Animal):
    def describe(self):
        return super().describe() + ", barking"


class Bird(Animal):
    legs = 2


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    def __getitem__(self, index):
        return (self.x, self.y)[index]

    def __bool__(self):
        return self.x != 0 or self.y != 0

    def __repr__(self):
        return f"<{self.x} {self.y}>"


class Celsius:
    def __init__(self, degrees):
        self._degrees = degrees

    @property
    def fahrenheit(self):
        return self._degrees * 9 / 5 + 32

    @fahrenheit.setter
    def fahrenheit(self, value):
        self._degrees = (value - 32) * 5 / 9


class Hooked:
    known = "known"

    def __getattr__(self, name):
        return f"no {name}"


def area(shapes):
    total = 0
    for shape in shapes:
        total += shape.size()
    return total


def made(n):
    class Made:
        def size(self):
            return n

    return Made()


def main():
    print([animal.describe() for animal in (Animal("cat"), Dog("rex"), Bird("owl"))])
    print(sum([Vector(1, 2), Vector(0.5, -2)]), Vector(1, 2) == Vector(1, 2), Vector(3, 4)[-1], bool(Vector(0, 0)))
    print(list(Vector(5, 6)) if hasattr(Vector, "__iter__") else [v for v in Vector(5, 6)])
    temperature = Celsius(100)
    before = temperature.fahrenheit
    temperature.fahrenheit = 50
    print(before, temperature.fahrenheit, temperature._degrees)
    hooked = Hooked()
    print(hooked.known, hooked.unknown, area([made(2), made(3.5), made(2**64)]))
    try:
        Vector(1, 2).z = 3
    except AttributeError as error:
        print(error)
