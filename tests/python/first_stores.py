# Attributes that a constructor sets: their order, what a deletion leaves, and slots that are set for the first time.
class Point:
    def __init__(self, x, y, flip=False):
        if flip:
            self.y = y
            self.x = x
        else:
            self.x = x
            self.y = y
        self.z = x + y


class Slotted:
    __slots__ = "a", "b"

    def __init__(self, a):
        self.a = a

    def set(self, b):
        self.b = b


class Speaking:
    def __init__(self, log):
        self.log = log
        self.part = 1

    def __del__(self):
        self.log.append(list(vars(self)))


def again(point, value):
    del point.y
    point.y = value
    point.x = value
    return list(vars(point).items())


def replaced(log):
    point = Point(1, 2)
    for _ in range(3):
        point.x = Speaking(log)
    point.x = None
    return log


def half(point):
    try:
        del point.x
        return point.x
    except AttributeError as e:
        return str(e)


def orders(n):
    seen = set()
    for i in range(n):
        point = Point(i, 1.5, i % 3 == 0)
        seen.add((i % 3 == 0, tuple(vars(point)), point.z - i))
    return sorted(seen)


for _ in range(60):
    orders(40)
print(orders(100))
for i in range(200):
    result = again(Point(i, 2.5, i % 2), i), replaced([]), half(Point(1, 2))
print(result)
for i in range(200):
    slotted = Slotted(i)
    before = hasattr(slotted, "b")
    slotted.set([i])
    slotted.set([i + 1])
print(before, slotted.a, slotted.b)
many = [Point(i, str(i) and i, i % 2 == 1) for i in range(3000)]
print([list(vars(p).values()) for p in many[1000:1004]], sum(p.z for p in many))
