"""NumPy used from Python loops: scalars, arrays, broadcasting, callbacks, errors."""

import numpy as np


def loop_over(a):
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j] * 2 if a[i, j] % 2 else -a[i, j]
    return total


def scalars(n):
    x = np.float64(1.5)
    k = np.int32(7)
    out = []
    for i in range(n):
        x = x * 1.01 + i
        k = k ^ np.int32(i)
        out.append((type(x).__name__, type(k).__name__))
    return round(float(x), 6), int(k), sorted(set(out))


def mixed(values):
    s = 0
    for v in values:
        s = s + v
    return s


def stencil(a, steps):
    for _ in range(steps):
        a[1:-1] = 0.25 * (a[:-2] + 2 * a[1:-1] + a[2:])
    return a


a = np.arange(600, dtype=np.int64).reshape(20, 30)
for _ in range(20):
    r = loop_over(a), loop_over(a * 0.5)
print(r)
print(scalars(200))
print(mixed([1, 2.5, np.float32(3), np.int64(4)]), type(mixed([1, np.int8(2)])).__name__)
print(np.round(stencil(np.linspace(0, 1, 9) ** 2, 50), 6).tolist())
print(np.vectorize(lambda x: x * 2 if x > 3 else -x)(np.arange(6)).tolist())
print(np.apply_along_axis(lambda row: row.sum() % 7, 1, a).tolist())
f = np.frompyfunc(lambda x, y: x * y + 1, 2, 1)
print(f.reduce(np.arange(1, 6)))
with np.errstate(all="raise"):
    try:
        np.float64(1) / np.float64(0)
    except FloatingPointError as error:
        print(error)
try:
    a + np.zeros(7)
except ValueError as error:
    print(error)


class Sub(np.ndarray):
    def __getitem__(self, k):
        return np.asarray(super().__getitem__(k)) + 1


s = np.arange(4.0).view(Sub)
print([float(s[i]) for i in range(4)])
rng = np.random.default_rng(5)
m = rng.integers(0, 9, (4, 4))
print((m @ m.T).tolist(), np.linalg.matrix_rank(m), round(float(np.linalg.det(m)), 6))
