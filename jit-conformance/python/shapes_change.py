# Attributes and methods that come, go and change while compiled code relies on where they were.
# compiled: read, call, store


class Thing:
    kind = "class"

    def name(self):
        return "first"


def read(o):
    return o.kind


def call(o):
    return o.name()


def store(o, value):
    o.kind = value
    return o.kind


class Other:
    __slots__ = ("kind",)

    def name(self):
        return "other"


def main():
    a, b = Thing(), Thing()
    print([read(a) for _ in range(4)], [call(a) for _ in range(4)])
    a.kind = "instance"
    print(read(a), read(b))
    Thing.kind = 17
    print(read(a), read(b), store(b, 2.5), store(a, None))
    del a.kind
    print(read(a), read(b))
    b.extra = 1
    b.name = lambda: "instance"
    print(call(a), call(b))
    Thing.name = lambda self: "replaced"
    print(call(a), call(b))
    del b.name
    o = Other()
    print(call(b), call(o), store(o, "slot"))
    a.__class__ = type("Third", (Thing,), {"kind": property(lambda self: "computed")})
    print(read(a), call(a))
    o = Other()
    try:
        read(o)
    except AttributeError as error:
        print(error)
    Thing.kind, Thing.name = "class", lambda self: "first"
