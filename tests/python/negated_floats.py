# Negated floats that stay alive where code may run that looks at them.


def times(a, b):
    negated = -a
    return negated * b


def plus(a, b):
    negated = -a
    return negated + +b


def root(a, b):
    negated = -b
    return negated + a**0.5


def absolute(a, b):
    positive = abs(a)
    negated = -a
    return positive, negated, -negated * b, -(-a) - b


for _ in range(40):
    for function in (times, plus, root, absolute):
        for a, b in ((2.5, 3.0), (-0.0, 0.0), (5e-324, -1e308), (9.25, 1.0), (float("inf"), -1.0)):
            print(function.__name__, function(a, b))
