# Decorators, lambdas, function attributes, annotations, nested definitions.
import functools


def trace(log):
    def decorate(f):
        @functools.wraps(f)
        def wrapper(*args, **kw):
            log.append((f.__name__, args, sorted(kw)))
            return f(*args, **kw)
        return wrapper
    return decorate


log = []


@trace(log)
@trace(log)
def work(a: int, b: "float" = 2.5, *, c: list = None) -> dict:
    "doc"
    return {"a": a, "b": b, "c": c}


for _ in range(20):
    log.clear()
    r = work(1, c=[])
print(r, log, work.__doc__, work.__wrapped__.__wrapped__.__annotations__, work.__name__)
compose = lambda *fs: functools.reduce(lambda f, g: lambda x: f(g(x)), fs)
inc = lambda x, by=1: x + by
for _ in range(20):
    r = compose(inc, inc, lambda x: x * 2.5)(3)
print(r, (lambda *a, k=1, **kw: (a, k, kw))(1, 2, z=3), (lambda: (yield 5))().__next__())
work.attr = 5
print(work.attr, work.__dict__.keys() >= {"attr"})


def factory(n):
    def inner(x, scale=n * 2, *, offset=n) -> n:
        return x * scale + offset
    return inner


fs = [factory(i) for i in range(5)]
for _ in range(20):
    r = [f(10) for f in fs]
print(r, fs[3].__defaults__, fs[3].__kwdefaults__, fs[3].__annotations__, fs[3].__qualname__)


class Deco:
    def __init__(self, f): self.f = f
    def __get__(self, o, t): return functools.partial(self.f, o or t)


class Uses:
    @Deco
    def m(self, x): return type(self).__name__, x


for _ in range(20):
    r = Uses().m(5)
print(r)
