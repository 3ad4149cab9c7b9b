"""Jacobi successive over-relaxation of SciMark, on a class of arrays as pyperformance has it."""

from array import array

REPEATED = 60


class Array2D:
    def __init__(self, w, h):
        self.width = w
        self.height = h
        self.data = array("d", [0]) * (w * h)

    def _idx(self, x, y):
        if 0 <= x < self.width and 0 <= y < self.height:
            return y * self.width + x
        raise IndexError

    def __getitem__(self, x_y):
        (x, y) = x_y
        return self.data[self._idx(x, y)]

    def __setitem__(self, x_y, val):
        (x, y) = x_y
        self.data[self._idx(x, y)] = val

    def indexes(self):
        for y in range(self.height):
            for x in range(self.width):
                yield x, y


def SOR_execute(omega, G, num_iterations):
    for p in range(num_iterations):
        for y in range(1, G.height - 1):
            for x in range(1, G.width - 1):
                G[x, y] = omega * 0.25 * (G[x, y - 1] + G[x, y + 1] + G[x - 1, y] + G[x + 1, y]) + (
                    1.0 - omega
                ) * G[x, y]


def kernel(n):
    G = Array2D(n, n)
    for x, y in G.indexes():
        G[x, y] = (x * 7 + y * 13) % 17 / 17.0
    SOR_execute(1.25, G, 4)
    return sum(G.data)


COMPILED = [SOR_execute]
