# Calls of functions, methods, classes, built-ins and objects; arguments by position and name, defaults, stars.
# compiled: positional, defaults, stars, spread, Point.__init__, Point.moved, keywords_only


def positional(a, b, c):
    return a - b * c


def defaults(a, b=10, *, c=100):
    # A list, so that it is called, and no part of its caller.
    return [a, b, c]


def stars(*args, **kwargs):
    return args, sorted(kwargs.items())


def keywords_only(*, first, second=None):
    return first, second


def spread(function, args, kwargs):
    return function(*args, **kwargs)


class Point:
    def __init__(self, x, y=0):
        self.x = x
        self.y = y

    def moved(self, dx, dy=1):
        return Point(self.x + dx, self.y + dy)

    @classmethod
    def at(cls, both):
        return cls(both, both)

    @staticmethod
    def distance(a, b):
        return abs(a.x - b.x) + abs(a.y - b.y)

    def __call__(self, factor):
        return self.x * factor, self.y * factor


def many(a, b, c, d, e, f, g, h, i, j):
    return a, b, c, d, e, f, g, h, i, j


def main():
    print(positional(10, 3, 2), positional(c=1, a=5, b=2), positional(1.5, 2, 0.5))
    print(defaults(1), defaults(1, 2), defaults(1, c=3), defaults(b=5, a=4))
    print(stars(), stars(1, 2, x=3), stars(*range(3), **{"y": 1}))
    print(spread(positional, (9, 2), {"c": 4}), spread(keywords_only, (), {"first": 1}), spread(max, [3, 9, 2], {}))
    p = Point(3).moved(2).moved(-1, dy=5)
    print(p.x, p.y, Point.distance(p, Point.at(7)), p(3), Point(1, y=2)(2))
    print(many(*range(10)), many(1, 2.5, "3", None, True, 6, 7, 8, 9, j=10))
    print(len("four"), isinstance(p, Point), sorted([3, 1, 2], key=lambda n: -n), divmod(17, 5), "a,b".split(","))
    for wrong in (lambda: positional(1, 2), lambda: defaults(1, 2, 3), lambda: keywords_only(), lambda: None()):
        try:
            wrong()
        except TypeError as error:
            print(error)
