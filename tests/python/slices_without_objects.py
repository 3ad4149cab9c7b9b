# Slices read and assigned without slice objects: every built-in sequence and others, bounds of all kinds, types that change
# midway, errors and their lines, items with finalisers, aliases.
# stderr: compare
# optimised: read: inline_slices
# optimised: read_step: inline_slices
# optimised: write: inline_slices
# optimised: flips: inline_slices
# optimised: halves: inline_slices
import collections
import gc
import sys
import traceback
import weakref


class See:
    def __getitem__(self, key): return key
    def __setitem__(self, key, value): self.last = key, value


class Index:
    def __init__(self, value): self.value = value
    def __index__(self):
        seen.append(self.value)
        return self.value


class Wrong:
    def __index__(self): raise KeyError("no index")


class Listlike(list):
    def __getitem__(self, key): return "sub", key
    def __setitem__(self, key, value): seen.append((key, list(value)))


class Plainlist(list): pass
class Plaintuple(tuple): pass
class Plainstr(str): pass


seen = []


def read(s, a, b): return s[a:b]
def read_from(s, a): return s[a:]
def read_to(s, b): return s[:b]
def read_all(s): return s[:]
def read_step(s, a, b, c): return s[a:b:c]
def read_back(s, a): return s[a::-1]
def read_to_back(s, b): return s[:b:-1]
def reverse(s): return s[::-1]
def every_other(s): return s[::2]
def read_sum(s, a, b): return s[a + 1:b - 1]


def write(l, a, b, v):
    l[a:b] = v
    return l


def write_step(l, a, b, c, v):
    l[a:b:c] = v
    return l


def write_all(l, v):
    l[:] = v
    return l


sequences = [list(range(9)), tuple(range(9)), "sequence!", b"sequence!", bytearray(b"sequence!"), range(9), "", [], (), b"",
             "äöü€𝄞", (1,), [2], "x", memoryview(b"sequence!"), tuple(range(40)), list("ab") * 30]
numbers = [None, 0, 1, 2, 3, -1, -2, -3, 8, 9, 10, -9, -10, 100, -100, 2**40, -2**40, 2**63 - 1, -2**63, 2**63, -2**70, True]


def plain(x): return bytes(x) if isinstance(x, memoryview) else x


def expected(s, *bounds): return plain(type(s).__getitem__(s, slice(*bounds)))


for _ in range(40):
    read([1, 2, 3], 0, 2), read_from([1, 2, 3], 1), read_to([1, 2], 1), read_all([1]), read_step([1, 2, 3], 0, 2, 1)
    read_back([1, 2, 3], 1), read_to_back([1, 2], 0), reverse([1]), every_other([1, 2]), read_sum([1, 2, 3], 0, 3)
    write([1, 2, 3], 0, 2, [4, 5]), write_step([1, 2, 3, 4], 0, 4, 2, [8, 9]), write_all([1], [2])

for s in sequences:
    assert plain(read_all(s)) == expected(s, None, None) and plain(reverse(s)) == expected(s, None, None, -1)
    assert plain(every_other(s)) == expected(s, None, None, 2)
    for a in numbers:
        assert plain(read_from(s, a)) == expected(s, a, None), (s, a)
        assert plain(read_to(s, a)) == expected(s, None, a), (s, a)
        assert plain(read_back(s, a)) == expected(s, a, None, -1), (s, a)
        assert plain(read_to_back(s, a)) == expected(s, None, a, -1), (s, a)
        for b in numbers:
            result = read(s, a, b)
            assert type(result) is type(s[0:0]) and plain(result) == expected(s, a, b), (s, a, b)
            if a is not None and b is not None:
                assert plain(read_sum(s, a, b)) == expected(s, a + 1, b - 1)
            for c in (1, 2, 3, -1, -2, -100, 100, 2**63 - 1, -2**63, -2**63 + 1, None, True):
                assert plain(read_step(s, a, b, c)) == expected(s, a, b, c), (s, a, b, c)
print("read")

# Which are the same objects.
t, s, b, l = tuple(range(5)), "some words", b"some bytes", [1, 2]
print(read_all(t) is t, read_all(s) is s, read_all(b) is b, read_all(l) is l, read(t, 0, 5) is t, read(s, 0, 100) is s)
no_tuple, no_str, no_bytes, one = (), "", b"", "s"
print(read(t, 3, 3) is no_tuple, read(s, 3, 1) is no_str, read(b, 5, 5) is no_bytes, read(s, 0, 1) is one, read(t, -100, 100) is t)
p = Plaintuple((1, 2))
print(type(read_all(p)).__name__, read_all(p) is p, type(read_all(Plainstr("ab"))).__name__, type(read_all(Plainlist([1]))).__name__)
print(sys.getsizeof(read([1] * 10, 2, 7)) == sys.getsizeof([1] * 10) - 40, gc.is_tracked(read([1, 2, 3], 0, 2)))

# Assignments.
for base in ([], [1], list(range(9)), list("abcdefghij")):
    for values in ([], [7], [7, 8, 9], (), (7,), tuple(range(12)), "xyz", b"qq", range(3), {5: 6}, iter([1, 2])):
        for a in numbers:
            for b in numbers[::3]:
                if hasattr(values, "__next__"):
                    values = iter([1, 2])
                mine, other = base[:], base[:]
                write(mine, a, b, values)
                list.__setitem__(other, slice(a, b), [1, 2] if hasattr(values, "__next__") else values)
                assert mine == other, (base, values, a, b)
for a in numbers:
    mine = list(range(9))
    other = mine[:]
    mine[a:] = mine
    list.__setitem__(other, slice(a, None), other)
    assert mine == other
    assert write(mine, 1, 3, mine) is mine
    list.__setitem__(other, slice(1, 3), other)
    assert mine == other
print(write([1, 2, 3], 1, 2, (v for v in "abc")), write_step([1, 2, 3, 4], None, None, -1, "dcba"), write_all([1, 2], (3,)))


def flips(n):
    perm, flips = list(range(n)), 0
    for i in range(n):
        perm = perm[1:] + perm[:1]
        perm[:i % n + 1] = perm[i % n::-1]
        flips += perm[0]
    return perm, flips


for _ in range(30):
    r = flips(9)
print(r)


def halves(items):
    if len(items) < 2:
        return items
    m = len(items) // 2
    left, right = halves(items[:m]), halves(items[m:])
    out = []
    while left and right:
        if left[0] <= right[0]:
            out.append(left[0])
            left = left[1:]
        else:
            out.append(right[0])
            right = right[1:]
    return out + left + right


for _ in range(4):
    r = halves([(i * 37) % 101 for i in range(60)])
print(r, halves([3.5, -1.0, 2.0]))

# Objects that see their slices, and bounds that do.
o = See()
big = 2**70
print(read(o, 1, 2), read_step(o, 1, None, "x"), read_all(o), reverse(o))
k = 10**6
key = read(o, k, k)
print(key.start is k, key.stop is k, read(o, big, 1).start is big, write(o, 1, 2, 3).last, write_all(o, 4).last)
print(read(Listlike([1, 2]), 0, 1), write(Listlike([1, 2]), 0, 1, (5,)), seen)
seen.clear()
print(read([1, 2, 3, 4], Index(1), Index(3)), read_step("abcdef", Index(5), Index(0), Index(-2)), seen)
print(write([1, 2, 3, 4], Index(1), Index(3), "x"), seen)
print(read(collections.UserList([1, 2, 3]), 1, 3), read(bytearray(b"abc"), 1, 2))


# The same raw number in several bounds, and on the stack beside them.
def same_bounds(o, n):
    total = 0
    for i in range(n):
        j = i * 1000003
        key = o[j:j:j]
        assert key.start is key.stop and key.stop is key.step
        pair = (m := j + 1, o[m:m + 1])
        assert pair[0] is pair[1].start and pair[1].stop == m + 1
        total += key.start + len((1, 2, 3)[i:])
    return total


print(same_bounds(o, 50))


# Errors: message, line, and what is in the frame.
def failing(s, a, b, v=None):
    count = 0
    try:
        for i in range(3):
            count += i
            if v is None:
                s[
                    a:
                    b]
            else:
                s[a:
                  b] = v
    except Exception as e:
        return type(e).__name__, str(e), e.__traceback__.tb_lineno - failing.__code__.co_firstlineno, count
    return "nothing", count


def zero(s, c): return s[::c]
def zero_constant(s): return s[::0]


for _ in range(40):
    failing([1, 2, 3], 0, 1), failing([1, 2, 3], 0, 1, [4])
for s, a, b, v in (([1], "a", 1, None), ((1,), 1.5, 1, None), (5, 1, 2, None), (None, 1, 2, None), ({}, 1, 2, None), ([1], Wrong(), 0, None),
                   ([1], 0, 1, 5), ((1,), 0, 1, [1]), ("abc", 0, 1, "x"), ([1], 0, 1.0, [1]), ({}, 0, 1, [3]), (iter([]), 0, 1, None),
                   ([1], 0, 1, None), ([1], 0, 1, [2])):
    print(failing(s, a, b, v))
for f, arguments in ((zero, ([1], 0)), (zero, ("a", 0)), (zero_constant, ((1,),)), (write_step, ([1, 2, 3], 0, 3, 2, [1])),
                     (write_step, ([1], 0, 1, 0, [1])), (read_step, ([1], 1, 2, []))):
    try:
        f(*arguments)
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e, traceback.extract_tb(e.__traceback__)[-1].line)


# Finalisers of what is replaced, which look at the list and the frame.
class Item:
    def __init__(self, name): self.name = name
    def __del__(self):
        frame = sys._getframe(1)
        if frame.f_code is replacing.__code__:
            seen.append((self.name, frame.f_locals["count"], len(frame.f_locals["items"])))


def replacing(n):
    count = 0
    for i in range(n):
        items = [Item(0), Item(1), 2, Item(3)]
        count += i
        items[1:3] = [count, i, i]
        count += 1
        items[:] = [i, i + 1.5, "x", None, ()]
        count += len(items[1:]) + len(items)
        items[:3] = items[2::-1]
        items[:2] = (i,)
    return count, items


seen.clear()
print(replacing(30), len(seen), seen[:6], seen[-3:])


# The same items several times, and held by nobody else.
def repeated(n):
    for i in range(n):
        x = object()
        l = [x] * 4
        r = weakref.WeakSet()
        del x
        l[:4] = [i * 1000, i * 1000.5, str(i), (i,)]
        m = l[:]
        m[1:3] = l
        l[1:3] = m
        l[0:2] = m[1:3]
    return l, m


print(repeated(30))


# Types that change midway.
def changing(values, a, b):
    out = []
    for v in values:
        out.append(v[a:b])
        if isinstance(v, (list, bytearray)):
            v[a:b] = v[b:]
            out.append(v[:a])
        if len(out) > 20:
            a = None
        if len(out) > 30:
            b = 2**65
    return out


for _ in range(20):
    r = changing([[1, 2, 3, 4], [5, 6, 7]], 1, 3)
print(r)
print(changing([[1, 2, 3, 4], "words", (1, 2, 3), b"bytes", bytearray(b"array"), range(7), Plainlist([5, 6, 7])] * 4, 1, 3))


# References: nothing is lost, nothing is kept.
def references(n):
    thing = object()
    before = sys.getrefcount(thing)
    items = [thing] * 10
    for i in range(n):
        part = items[2:7]
        part[1:3] = items[:2]
        items[3:5] = part[:2]
        items[:] = items[:]
        items[0:1] = (thing,)
        back = tuple(items)[1:4], tuple(items)[::-1]
        part[:1] = []
        part[:0] = [thing, thing]
    count = sys.getrefcount(thing) - before - len(items) - len(part) - 13
    return count


print(references(100))
gc.collect()
print(len([x for x in gc.get_objects() if type(x) is Item]))
names = [1, 2, 3, 4]
total = 0
for i in range(200):
    total += i
    names[:2] = names[i % 3:i % 3 + 2]
    part = names[total % 3:]
print(total, names, part)


def uncaught(s, a):
    return s[
        a:1]


uncaught([1], 0)
uncaught("abc", 0)
uncaught(3.5, 0)
