# Dictionaries and sets that change under a running loop.
def changed(d, how):
    seen = []
    try:
        for k in d:
            seen.append(k)
            how(d, k)
    except RuntimeError as e:
        seen.append(str(e))
    return seen


def add(d, k): d[str(k) + "x"] = 1
def delete(d, k): del d[k]
def same(d, k): d[k] = 2
def swap(d, k): d.pop(k), d.setdefault(k + 100, 0)


for _ in range(15):
    results = [changed({1: 1, 2: 2, 3: 3}, how) for how in (add, delete, same, swap)]
print(*results, sep="\n")


def items(d):
    out = []
    try:
        for k, v in d.items():
            out.append((k, v))
            if k == 2:
                d[9] = 9
    except RuntimeError as e:
        out.append(str(e))
    return out


print(items({1: "a", 2: "b", 3: "c"}))
s = {1, 2, 3}
try:
    for x in s:
        s.add(x + 10)
except RuntimeError as e:
    print(e)


def merge(*ds):
    out = {}
    for d in ds:
        out |= d
        out.update(d)
    return {**out, "last": len(out)}


print(merge({1: 2}, {3: 4}, {1: 5}))
d = {}
for i in range(100):
    d[i % 7] = d.get(i % 7, 0) + i
print(d, list(reversed(d)), 3 in d, 9 not in d)
try:
    d["nokey"]
except KeyError as e:
    print(repr(e))
try:
    {[]: 1}
except TypeError as e:
    print(e)
