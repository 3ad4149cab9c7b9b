# Cells: read, written and shared by several functions; loops that make closures; names that are unbound.
# compiled: counter, counter_up, adders, compose

def counter():
    count = 0

    def up(step=1):
        nonlocal count
        count += step
        return count

    def read():
        return count

    return up, read


counter_up, counter_read = counter()


def adders(n):
    return [lambda x, i=i: x + i * n for i in range(4)]


def late(n):
    functions = []
    for i in range(n):
        functions.append(lambda: i)
    return [function() for function in functions]


def compose(*functions):
    def composed(x):
        for function in functions:
            x = function(x)
        return x

    return composed


def unbound(bind):
    if bind:
        value = 1

    def read():
        return value

    return read()


def main():
    print(counter_up(), counter_up(5), counter_read(), counter_up(2**62) > 0)
    up, read = counter()
    print(up(), up(0.5), read(), [adder(10) for adder in adders(3)], late(3))
    print(compose(lambda x: x + 1, lambda x: x * 2, str)(20), compose()("same"))
    try:
        print(unbound(True), unbound(False))
    except NameError as error:
        print(error)
