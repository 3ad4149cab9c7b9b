# Bodies of which some paths are inlined and the others make the call; defaults and keywords; methods of several classes.
import sys


def check(function, name):
    """Where it is known when it is compiled: that this was done to a function."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        done = columba.info(function).optimisations
        assert any(one.startswith(name) for one in done), (function, done)


class Node:
    def __init__(self, pos):
        self.pos, self.parent, self.hits = pos, self, 0

    def find(self, update=False):
        parent = self.parent
        if parent.pos != self.pos:
            parent = parent.find(update)
            if update:
                self.parent = parent
        return parent

    def touch(self, by=1, *, loud=False):
        self.hits += by
        return self

    def limited(self, n):
        if n < 3:
            return n * 2
        for i in range(n):
            self.hits += i
        return self.hits

    def checked(self, n):
        if n > 5:
            raise ValueError("too many", n)
        if n == 5:
            return [self.pos, n]
        return n + 0.5


def chain(length):
    nodes = [Node(i) for i in range(length)]
    for i in range(1, length):
        nodes[i].parent = nodes[i - 1]
    return nodes


def finds(nodes, update):
    total = 0
    for node in nodes:
        total = total * 3 + node.find(update=update).pos + node.find().pos
    return total


print([finds(chain(6), False) for _ in range(30)][-1], [finds(chain(6), True) for _ in range(30)][-1])
check(finds, "inline_partial")


def numbers(node, limit):
    # A raw number on one path, an object on the other.
    total = 0
    for n in range(limit):
        total += node.limited(n)
    return total


def mixed(node, n):
    kept = n * 2
    found = node.checked(n)
    return kept, found, kept is kept


node = Node(1)
print([numbers(Node(1), 3) for _ in range(30)][-1], [numbers(Node(1), 9) for _ in range(30)][-1])
print([mixed(node, n % 6) for n in range(60)][-7:])
for n in (6, 7):
    try:
        mixed(node, n)
    except ValueError as e:
        tb, names = e.__traceback__, []
        while tb:
            names.append((tb.tb_frame.f_code.co_name, tb.tb_lineno))
            tb = tb.tb_next
        print(e, names)


# A result that is a number on the inlined path and something else where the call is made.
def odd(x, flag):
    if flag is None:
        return x + 1
    return [flag for _ in range(1)][0]


def uses(x, flag):
    y = odd(x, flag)
    return y, type(y).__name__


print([uses(i, None) for i in range(60)][-1])
for flag in ("text", 2**80, 1.5, True, None, 7):
    print([uses(5, flag) for _ in range(40)][-1])


# Defaults that are replaced, and that are no constants.
def scaled(x, factor=2, shift=0):
    return x * factor + shift


def call_scaled(x):
    return scaled(x), scaled(x, 3), scaled(x, shift=1), scaled(factor=5, x=x), scaled(x, shift=x, factor=x)


print([call_scaled(i) for i in range(60)][-1])
scaled.__defaults__ = (10, 100)
print([call_scaled(i) for i in range(60)][-1])
scaled.__defaults__ = None
for attempt in (lambda: scaled(1, 2, 3), lambda: call_scaled(1), lambda: scaled(1, 2, factor=3), lambda: scaled(1, 2, 3, 4),
                lambda: scaled(1, 2, 3, other=4)):
    for _ in range(40):
        try:
            result = attempt()
        except TypeError as e:
            result = e
    print(result)
default = []
def collects(x, into=default): return into


def call_collects(x): return collects(x) is default
print(all(call_collects(i) for i in range(60)))


# The same code with other defaults.
def makers(n):
    def inner(x, y=n): return x - y
    return inner


first, second = makers(1), makers(20)
def both(x): return first(x), second(x)
print([both(i) for i in range(60)][-1])


# Methods of several classes, one of which calls the other.
class Shape:
    scale = 2
    def area(self): return 0
    def twice(self): return self.area() * Shape.scale
    def name(self): return "shape"


class Square(Shape):
    def __init__(self, side): self.side, self.seen = side, None
    def area(self): return self.side * self.side
    def name(self): return f"square {self.side}"


class Circle(Shape):
    def __init__(self, r): self.tag, self.r, self.seen = "c", r, None
    def area(self):
        if self.r > 100:
            self.tag, self.seen = "big", self.r
        return self.r * 3


class Odd(Shape):
    def __init__(self): self.seen = None
    def area(self):
        raise LookupError("no area") if self.seen else None or LookupError("none yet")


def areas(shapes):
    total = 0
    for shape in shapes:
        total += shape.area() + shape.twice()
    return total


shapes = [Square(2), Circle(3), Shape(), Square(5), Circle(1000), Shape()]
print([areas(shapes) for _ in range(60)][-1], shapes[1].tag, shapes[4].tag, shapes[4].seen)
check(areas, "inline_polymorphic")
for _ in range(20):
    try:
        areas(shapes + [Odd()])
    except LookupError as e:
        seen = repr(e), e.__traceback__.tb_next.tb_frame.f_code.co_name
print(seen)
Square.area = lambda self: 1
print([areas(shapes) for _ in range(60)][-1])
shapes[0].area = lambda: 1000
print([areas(shapes) for _ in range(60)][-1])
Circle.area = Shape.area
print([areas(shapes) for _ in range(60)][-1])


# Recursion to the limit through an inlined path.
class Link:
    def __init__(self, next): self.next = next
    def last(self):
        if self.next is None:
            return self
        return self.next.last()
    def count(self, so_far=0):
        if self.next is None:
            return so_far
        return self.next.count(so_far + 1)


def follow(link): return link.last(), link.count()
link = end = Link(None)
for i in range(50):
    link = Link(link)
for _ in range(40):
    last, count = follow(link)
print(last is end, count)
endless = Link(None)
endless.next = endless
for _ in range(3):
    try:
        follow(endless)
    except RecursionError as e:
        print("RecursionError", str(e)[:32])


# What a call releases dies in time, whether its body was inlined or called.
class Loud:
    def __init__(self, n): self.n = n
    def __del__(self): gone.append(self.n)
    def half(self, other=None):
        if self.n % 2 == 0:
            return self.n // 2
        return len([self, other])


gone = []
def drops(n):
    result = Loud(n).half(Loud(-n))
    gone.append("then")
    return result
for i in range(40):
    last = drops(i % 4)
print(gone[-6:], gone[-12:-6], last, sys.getrefcount(node))


# A guard in the body of a function that is called with keywords: the interpreter makes the call, with its keywords.
class Sum:
    def __init__(self): self.x, self.total = 0.0, 10


def choose(bound, result):
    if bound >= 7:
        return result


def keywords(o, other):
    for _ in range(20):
        o.total -= choose(result=o.x, bound=other.total)
    return o.total


def one_keyword(o, other):
    for _ in range(20):
        o.total -= choose(other.total, result=o.x)
    return o.total


for _ in range(100):
    o, p = Sum(), Sum()
    assert keywords(o, o) == 10.0 and one_keyword(p, p) == 10.0
print("keywords")
