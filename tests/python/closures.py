# Cells: shared, rebound, deleted, unbound; nonlocal; closures over loop variables.
def counter():
    n = 0

    def step(by=1):
        nonlocal n
        n += by
        return n

    def reset():
        nonlocal n
        n = 0.5

    return step, reset


step, reset = counter()
for _ in range(40):
    step()
print(step(), step(2**65))
reset()
print(step(), step())


def late():
    fs = []
    for i in range(4):
        fs.append(lambda: i)
        fs.append(lambda i=i: i)
    return [f() for f in fs]


print(late())


def deleted():
    x = 1

    def inner():
        return x

    yield inner()
    del x
    try:
        inner()
    except NameError as e:
        yield str(e)
    x = 3
    yield inner()


print(list(deleted()))


def deep(a):
    def one(b):
        def two(c):
            nonlocal a, b
            a += 1
            b += a
            return [a, b, c, (lambda: (a, b, c))()]

        return two

    return one(a * 10)


f = deep(1)
for i in range(20):
    r = f(i)
print(r)


def argument_cell(x, *args, k=3, **kw):
    def get():
        return x, args, k, kw

    x = x + 1
    return get()


for _ in range(20):
    r = argument_cell(1, 2, 3, k=4, z=5)
print(r)


def loop_over_cell(n):
    total = 0

    def add(i):
        nonlocal total
        total += i

    for i in range(n):
        add(i)
        total += 0.5
    return total


print(loop_over_cell(100))
x = "module"


class Body:
    x = "class"
    y = [x for _ in range(2)]
    z = (lambda: x)()

    def method(self):
        return x, __class__.__name__


print(Body.y, Body.z, Body().method())
print(step.__closure__[0].cell_contents, step.__code__.co_freevars, counter.__code__.co_cellvars)
step.__closure__[0].cell_contents = 100
print(step())


def unbound():
    def g():
        return later

    try:
        g()
    except NameError as e:
        print(e)
    later = 1
    return g()


print(unbound())
