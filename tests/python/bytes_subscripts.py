# Subscripts of bytes, bytearrays and unsigned arrays in line, and where they leave.
# compiled: total, put, swap, mixed, checked, stored, array_put, sieve
# optimised: total: inline_containers
# optimised: put: inline_containers
# optimised: swap: inline_containers
import array


def total(data, n):
    s = 0
    for i in range(n):
        s += data[i] + data[-1 - i]
    return s


def put(data, n, value):
    for i in range(n):
        data[i] = value + i
    return data


def swap(data):
    i, j = 0, len(data) - 1
    while i < j:
        data[i], data[j] = data[j], data[i]
        i += 1
        j -= 1
    return data


def mixed(data, key):
    return data[key]


def checked(data, key):
    try:
        return data[key]
    except (IndexError, TypeError) as error:
        return type(error).__name__, str(error)


def stored(data, key, value):
    try:
        data[key] = value
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        return type(error).__name__, str(error)
    return bytes(data)


def array_put(values, code):
    a = array.array(code, [0] * len(values))
    try:
        for i in range(len(values)):
            a[i] = values[i]
    except (OverflowError, TypeError) as error:
        return a.tolist(), type(error).__name__
    return a.tolist()


def sieve(n):
    flags = bytearray([1]) * (n + 1)
    flags[0] = flags[1] = 0
    i = 2
    while i * i <= n:
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = 0
        i += 1
    return sum(flags)


class Key:
    def __index__(self):
        return 1


for _ in range(40):
    total(b"abcdef", 6), put(bytearray(9), 9, 3), swap(bytearray(b"abcdefg")), mixed(b"abc", 1), checked(b"abc", 2)
    stored(bytearray(b"abc"), 1, 7), array_put([1, 2, 3], "B"), array_put([1, 2, 3], "H"), array_put([1, 2, 3], "I"), sieve(50)
print(total(b"\x00\xff\x80", 3), total(bytearray(b"xyz"), 3), total([1, 2.5], 2), total((1, 2), 2), total(b"", 0))
print(put(bytearray(4), 4, 252), swap(bytearray(b"")), swap(bytearray(b"xy")), swap([1, 2, 3]), sieve(1000))
for key in (0, 2, -1, -3, 3, -4, 2**70, True, Key(), "a", 1.0, None, slice(1, 2)):
    print(checked(b"abc", key), checked(bytearray(b"abc"), key), end=" ")
print()
for key, value in ((0, 255), (1, 256), (2, -1), (-1, 2**70), (3, 1), (-4, 1), (0, True), (1, "a"), (Key(), Key()), (0, 1.5)):
    print(stored(bytearray(b"abc"), key, value), stored(b"abc", key, value), end=" ")
print()
try:
    put(bytearray(4), 4, 254)
except ValueError as error:
    print(error)
try:
    put(bytearray(2), 3, 0)
except IndexError as error:
    print(error)
print(array_put([0, 255, 256], "B"), array_put([0, 65535, -1], "H"), array_put([0, 2**32 - 1, 2**32], "I"))
print(array_put([1, True, 2.5], "B"), array_put([2**31, 2**32 - 1], "I"))


class Bytes(bytes):
    def __getitem__(self, key):
        return "mine", key


class Bytearray(bytearray):
    pass


print(checked(Bytes(b"abc"), 1), checked(Bytearray(b"abc"), 1), stored(Bytearray(b"abc"), 1, 66), mixed(b"q", 0) is mixed(b"q", 0))
view = bytearray(b"held")
held = memoryview(view)
print(stored(view, 0, 72), held[0], checked(held, 1))
grown = bytearray(b"ab")
for i in range(30):
    grown.append(i)
    del grown[0]
    assert mixed(grown, 1) == i and mixed(grown, -1) == i
print(list(grown))
