# Comprehensions of every kind, nested, with conditions, with assignment expressions, in classes.
def all_kinds(n):
    return (
        [x * 0.5 for x in range(n)],
        {x % 3 for x in range(n)},
        {x: y for x, y in zip(range(n), "abcdef")},
        list(x for x in range(n) if x % 2 if x > 1),
        [(x, y) for x in range(3) for y in range(x)],
        [[y * x for y in range(3)] for x in range(3)],
        [last := x for x in range(n)],
        last,
        [a for a, *b in [(1, 2), (3,)]],
        sum(1 for _ in range(n)),
        {k: [v for v in range(k)] for k in range(3)},
        [f(2) for f in [lambda y, x=x: x * y for x in range(3)]],
        [x if x % 2 else -x for x in range(n)],
    )


for _ in range(20):
    r = all_kinds(6)
print(*r, sep="\n")


def sees(n):
    x = "outer"
    inner = [x for x in range(n)]
    captured = [lambda: i for i in range(3)]
    return x, inner, [f() for f in captured]


print(sees(3))


def raising(values):
    try:
        return [10 // v for v in values]
    except ZeroDivisionError as e:
        return str(e)


print(raising([1, 2]), raising([1, 0]))


def primes(n):
    return [p for p in range(2, n) if all(p % d for d in range(2, int(p**0.5) + 1))]


print(primes(100))
while (n := len(str(locals()))) < 0:
    pass
if any((hit := w) == "b" for w in "abc"):
    print(hit)
print([y for x in range(5) if (y := x * x) > 3], y)
