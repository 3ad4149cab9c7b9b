# Lists, tuples, dicts and sets: items at both ends and beyond them, stores, slices, methods, comprehensions.
# compiled: item, assign, histogram, comprehensions, matrix


def item(c, i):
    try:
        return c[i]
    except (IndexError, KeyError, TypeError) as error:
        return type(error).__name__


def assign(values, i, value):
    try:
        values[i] = value
    except (IndexError, TypeError) as error:
        return str(error)
    return values


def histogram(text):
    counts = {}
    for c in text:
        counts[c] = counts.get(c, 0) + 1
    return counts


def comprehensions(n):
    squares = {i: i * i for i in range(n) if i & 1}
    return [x for row in ([i] * i for i in range(n)) for x in row], squares, sorted({i % 3 for i in range(n)})


def matrix(n):
    rows = [[i * n + j for j in range(n)] for i in range(n)]
    for i in range(n):
        for j in range(i):
            rows[i][j], rows[j][i] = rows[j][i], rows[i][j]
    return rows


def slices(values):
    copy = values[:]
    copy[1:3] = ["new"]
    del copy[-1]
    return values[::-1], values[1:], values[-2:], values[::2], copy


def unpacking(values):
    first, *rest = values
    *start, last = values
    (a, b), c = (first, last), rest
    return a, b, c, start, [*values, 0], {**{"k": first}, "l": last}


def main():
    for c in ([1, 2.5, "x"], (1, 2.5, "x"), {0: "zero", -1: "minus"}, "abc", range(5, 8), b"xyz"):
        print([item(c, i) for i in (0, 1, 2, 3, -1, -3, -4, True, 2**70, "key")])
    print(assign([1, 2], 0, 2.5), assign([1, 2], -1, "x"), assign([1], 1, 0), assign((1,), 0, 0), assign({}, "k", 1))
    print(histogram("abracadabra"), comprehensions(6), matrix(3))
    print(slices([1, 2, 3, 4, 5]), unpacking([1, 2, 3]))
    values = [3, 1, 2]
    values.append(0)
    values.sort()
    values.extend(v + 10 for v in (1, 2))
    print(values, values.pop(), values.index(2), len(values), 2 in values, values + [1] == values, values * 2)
    d = {"a": 1}
    d.update(b=2)
    d["c"] = d.pop("a")
    print(d, list(d.items()), d.setdefault("z", []), {1, 2} | {3}, {1, 2} & {2}, frozenset([1]) in {frozenset([1])})
    try:
        for key in d:
            d[key + "!"] = 0
    except RuntimeError as error:
        print(error)
    try:
        a, b = [1, 2, 3]
    except ValueError as error:
        print(error)
