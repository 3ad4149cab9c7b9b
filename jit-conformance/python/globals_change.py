# Globals and built-ins that are bound again, deleted and hidden while compiled code reads them.
# compiled: read, use_length, bump

value = 1
total = 0


def read():
    return value


def use_length(x):
    return len(x)


def bump(n):
    global total
    for i in range(n):
        total += i
    return total


def main():
    global value, len
    value = 1
    print(read(), use_length("abc"))
    value = "changed"
    print(read())
    del value
    try:
        read()
    except NameError as error:
        print(error)
    value = 2.5
    print(read(), bump(5))
    len = lambda x: ("hidden", x)
    print(use_length("abc"))
    del len
    print(use_length([1]), read())
