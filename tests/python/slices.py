# Slices: reading, storing, deleting, extended; objects that see them.
class See:
    def __getitem__(self, k): return k
    def __setitem__(self, k, v): print("set", k, v)
    def __delitem__(self, k): print("del", k)


def read(s, a, b):
    return s[a:b], s[a:], s[:b], s[:], s[::2], s[::-1], s[a:b:2], s[-2:], s[:-1]


for _ in range(20):
    for s in ("hello world", list(range(10)), tuple(range(10)), b"bytes here", range(10)):
        r = read(s, 2, 7)
for s in ("hello world", list(range(10)), tuple(range(10)), b"bytes here", range(10)):
    print(read(s, 2, 7))
    print(read(s, None, 100), read(s, -100, -1))


def store(n):
    l = list(range(n))
    l[2:4] = "abc"
    l[::3] = [0] * len(l[::3])
    del l[1:2], l[-1]
    l[1:1] = [9.5]
    l[:] = l[::-1]
    return l


for _ in range(20):
    r = store(10)
print(r)
o = See()
print(o[1:2], o[::], o[1:2, 3], o[...], o[()], o[1, 2:3:4])
o[1:2] = 3
del o[::2], o[5]
for container, key in (([1], slice(None, None, 0)), ([1], slice("a", None)), ((1, 2), 1.5), ("abc", None)):
    try:
        container[key]
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
try:
    l = [1, 2, 3]
    l[::2] = [1]
except ValueError as e:
    print(e)
print([1, 2, 3][slice(1, None)], slice(1, 2, 3), slice(5).indices(3))
