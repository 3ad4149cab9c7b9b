# Loops: nested, left early, with else, over what is changed on the way, with many values alive across turns.
# compiled: primes, nested, swap, search, many_alive, countdown


def primes(n):
    flags = [True] * n
    for i in range(2, n):
        if flags[i]:
            for j in range(i * i, n, i):
                flags[j] = False
    return [i for i in range(2, n) if flags[i]]


def nested(n):
    counts = [0, 0, 0, 0]
    for i in range(n):
        for j in range(n):
            if (i + j) % 3 == 0:
                counts[0] += 1
                continue
            if j > i:
                counts[1] += 1
                break
            counts[2] += i * j
        else:
            counts[3] += 1
    return counts


def swap(n):
    a, b, c = 1, 2.5, "x"
    d, e = 10, 20
    for _ in range(n):
        a, b, c = b, c, a
        d, e = e, d - 1
    return a, b, c, d, e


def search(values, wanted):
    for index, value in enumerate(values):
        if value == wanted:
            break
    else:
        return "absent"
    return index


def many_alive(n):
    a = b = c = d = e = f = g = h = 1
    u = v = w = x = y = z = 0.5
    for i in range(n):
        a, b, c, d = b + i, c + a, d - b, a - i
        e, f, g, h = e ^ a, f + e, g | i, h + (f & 15)
        u, v, w = v + 1.0, w * 0.5 + u, u - v
        x, y, z = x + u, y - v, z + w * x
    return a, b, c, d, e, f, g, h, u, v, w, x, y, z


def countdown(n):
    turns = 0
    while n:
        n = n // 2 if n & 1 == 0 else n * 3 + 1 if n > 1 else 0
        turns += 1
    return turns


def growing():
    values = [1]
    for value in values:
        if len(values) < 6:
            values.append(value * 2)
    return values


def main():
    print(primes(60), nested(7), [swap(n) for n in range(7)])
    print(search([3, 1, 2], 2), search((3, 1), 4), search("abc", "b"))
    print(many_alive(9), [countdown(n) for n in (1, 7, 27)], growing())
    print([sum(range(*bounds)) for bounds in ((5,), (2, 9), (9, 2, -3), (0, 0), (5, 1), (-4, 2**33, 2**31))])
