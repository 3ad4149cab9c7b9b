# Every way to pass and to receive arguments, and the errors.
# compiled: everything, plain
def everything(a, b=2, /, c=3, *args, d, e=5, **kw):
    return a, b, c, args, d, e, sorted(kw.items())


def plain(a, b, c=30):
    return a, b, c


def run(f, *args, **kw):
    try:
        return f(*args, **kw)
    except TypeError as e:
        return str(e)


for _ in range(20):
    results = [
        everything(1, d=4), everything(1, 20, 30, 40, 50, d=4, e=6, z=7, b=8), everything(*[1, 2], *(3, 4), d=5, **{"x": 1}, **{"y": 2}),
        plain(1, 2), plain(1, b=2), plain(c=1, a=2, b=3), plain(*"ab"), plain(*[1], **{"b": 2}),
    ]
print(*results, sep="\n")
print(run(everything), run(everything, 1), run(everything, d=1), run(plain), run(plain, 1), run(plain, 1, 2, 3, 4), run(plain, 1, 2, d=3), run(plain, 1, a=2, b=1), sep="\n")
five = 5
for call in (lambda: plain(**{"a": 1}, **{"a": 2}), lambda: plain(*5), lambda: plain(**5), lambda: plain(**{1: 2}), lambda: five(), lambda: len(), lambda: int(x=1)):
    print(run(call))


def defaults(x, seen=[], *, key={}):
    seen.append(x)
    key[x] = len(seen)
    return seen, key


for i in range(20):
    r = defaults(i)
print(len(r[0]), len(r[1]))
defaults.__defaults__ = ([],)
defaults.__kwdefaults__ = {"key": {}}
print(defaults(1))


def changed_defaults(a=1):
    return a


for _ in range(30):
    changed_defaults()
changed_defaults.__defaults__ = ("new",)
print(changed_defaults())
changed_defaults.__defaults__ = None
print(run(changed_defaults))


def changed_code(a):
    return "old", a


for _ in range(30):
    changed_code(1)
changed_code.__code__ = (lambda a: ("new", a)).__code__
print(changed_code(1))
order = []


def mark(x):
    order.append(x)
    return x


plain(mark(1), *[mark(2)], c=mark(3))
plain(mark("a"), c=mark("b"), b=mark("c"))
print(order)


class Callable:
    def __call__(self, *args, **kw): return args, kw
    def method(self, x, *, y=1): return x, y
    @classmethod
    def cm(cls, x): return cls.__name__, x
    @staticmethod
    def sm(x): return x


c = Callable()
for _ in range(20):
    r = c(1, x=2), c.method(1), c.method(1, y=2), c.cm(1), Callable.cm(2), c.sm(3), Callable.sm(4), Callable.method(c, 5)
print(r)
bound = c.method
print([bound(i) for i in range(3)], run(bound), run(bound, 1, 2))
many = eval("lambda " + ",".join(f"a{i}" for i in range(40)) + ": a39 + a0")
for _ in range(20):
    r = many(*range(40))
print(r, run(many, *range(39)))
