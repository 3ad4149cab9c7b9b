# Augmented assignment to names, attributes, subscripts, slices; order of evaluation.
class Box:
    def __init__(self): self.v, self.items = 1, [1, 2, 3]


def all_ops(x, y):
    out = []
    for op in range(13):
        z = x
        try:
            if op == 0: z += y
            elif op == 1: z -= y
            elif op == 2: z *= y
            elif op == 3: z /= y
            elif op == 4: z //= y
            elif op == 5: z %= y
            elif op == 6: z **= y
            elif op == 7: z <<= y
            elif op == 8: z >>= y
            elif op == 9: z &= y
            elif op == 10: z |= y
            elif op == 11: z ^= y
            else: z @= y
        except (TypeError, ZeroDivisionError, ValueError) as e:
            z = type(e).__name__ + " " + str(e)
        out.append(z)
    return out


for _ in range(10):
    for x, y in ((7, 3), (7.5, 2), (-7, 0), (2**70, 5), (True, False), ("a", 2), ([1], [2]), ({1, 2}, {2, 3}), (1, None), (5, -1)):
        r = all_ops(x[:] if isinstance(x, list) else x, y)
for x, y in ((7, 3), (7.5, 2), (-7, 0), (2**70, 5), (True, False), ("a", 2), ([1], [2]), ({1, 2}, {2, 3}), (1, None), (5, -1)):
    print(x, y, all_ops(x, y))


def targets(b, d, n):
    for i in range(n):
        b.v += i
        b.items[1] *= 1.5
        b.items[-1] -= 1
        d["k"] = d.get("k", 0)
        d["k"] += i
        b.items[0:1] += []
    return b.v, b.items, d


print(targets(Box(), {}, 20))
order = []


def note(x, v):
    order.append(x)
    return v


l = [1, 2, 3]
note("list", l)[note("index", 1)] += note("value", 10)
print(order, l)
t = ([1], 2)
try:
    t[0] += [3]
except TypeError as e:
    print(e, t)
a = b = [1]
a += [2]
print(b, a is b)
a = a + [3]
print(b, a)
x = (1, 2)
y = x
x += (3,)
print(x, y)


class InPlace:
    def __iadd__(self, o): return NotImplemented
    def __add__(self, o): return "fell back"
    def __isub__(self, o): return None


i = InPlace()
i += 1
print(i)
i = InPlace()
i -= 1
print(i)
