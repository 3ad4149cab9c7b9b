# Small programs with known answers, run many times: sieve, matrix product, queens, collatz, sorting, strings, closures.
def sieve(n):
    flags = [True] * (n + 1)
    for i in range(2, int(n**0.5) + 1):
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = False
    return sum(1 for i in range(2, n + 1) if flags[i])


def matmul(a, b):
    n, m, p = len(a), len(b), len(b[0])
    out = [[0] * p for _ in range(n)]
    for i in range(n):
        for j in range(p):
            s = 0
            for k in range(m):
                s += a[i][k] * b[k][j]
            out[i][j] = s
    return out


def queens(n, row=0, cols=0, d1=0, d2=0):
    if row == n:
        return 1
    count = 0
    free = ((1 << n) - 1) & ~(cols | d1 | d2)
    while free:
        bit = free & -free
        free ^= bit
        count += queens(n, row + 1, cols | bit, (d1 | bit) << 1, (d2 | bit) >> 1)
    return count


def collatz(limit):
    best = (0, 0)
    for n in range(1, limit):
        x, steps = n, 0
        while x != 1:
            x = x // 2 if x % 2 == 0 else 3 * x + 1
            steps += 1
        best = max(best, (steps, n))
    return best


def quicksort(l):
    if len(l) <= 1:
        return l
    pivot, *rest = l
    return quicksort([x for x in rest if x < pivot]) + [pivot] + quicksort([x for x in rest if x >= pivot])


def insertion(l):
    l = l[:]
    for i in range(1, len(l)):
        x = l[i]
        j = i - 1
        while j >= 0 and l[j] > x:
            l[j + 1] = l[j]
            j -= 1
        l[j + 1] = x
    return l


def edit_distance(a, b):
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def pi_digits(n):
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    out = []
    while len(out) < n:
        if 4 * q + r - t < m * t:
            out.append(m)
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
    return "".join(map(str, out))


def crc(data):
    c = 0xFFFFFFFF
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = (c >> 1) ^ (0xEDB88320 & -(c & 1))
    return c ^ 0xFFFFFFFF


def heat(n, steps):
    cells = [0.0] * n
    cells[n // 2] = 100.0
    for _ in range(steps):
        new = cells[:]
        for i in range(1, n - 1):
            new[i] = cells[i] + 0.25 * (cells[i - 1] - 2.0 * cells[i] + cells[i + 1])
        cells = new
    return sum(cells), max(cells)


def lcg(n):
    s = 42
    out = []
    for _ in range(n):
        s = (s * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        out.append(s >> 33)
    return out


data = lcg(200)
for _ in range(4):
    results = [
        sieve(2000), matmul([[1, 2], [3, 4.5]], [[5, 6], [7, 2**64]]), queens(6), collatz(500), quicksort(data) == sorted(data), insertion(data) == sorted(data),
        insertion([x / 7 for x in data]) == sorted(x / 7 for x in data), edit_distance("kitten sitting", "sitting kitten"), gcd(2**80 * 15, 3**20 * 10), pi_digits(60), crc(b"123456789"), heat(60, 100), data[-1],
        insertion(["b", "c", "a"]), insertion([True, 0, 2.5]),
    ]
print(*results, sep="\n")
