"""LU factorisation of SciMark, on rows that are arrays, as pyperformance has it."""

from array import array

REPEATED = 40


class ArrayList(object):
    def __init__(self, w, h):
        self.width = w
        self.height = h
        self.rows = [array("d", [0]) * w for _ in range(h)]


def LU_factor(A, pivot):
    M = A.height
    N = A.width
    minMN = M if M < N else N
    lu = A.rows
    for j in range(minMN):
        jp = j
        t = abs(lu[j][j])
        for i in range(j + 1, M):
            ab = abs(lu[i][j])
            if ab > t:
                jp = i
                t = ab
        pivot[j] = jp
        if lu[jp][j] == 0:
            raise Exception("factorization failed because of zero pivot")
        if jp != j:
            lu[j], lu[jp] = lu[jp], lu[j]
        if j < M - 1:
            recp = 1.0 / lu[j][j]
            for k in range(j + 1, M):
                lu[k][j] *= recp
        if j < minMN - 1:
            for ii in range(j + 1, M):
                row = lu[ii]
                top = lu[j]
                factor = row[j]
                for jj in range(j + 1, N):
                    row[jj] -= factor * top[jj]


def kernel(n):
    A = ArrayList(n, n)
    seed = 113
    for row in A.rows:
        for x in range(n):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            row[x] = seed / 2147483648.0
    pivot = array("i", [0]) * n
    LU_factor(A, pivot)
    return sum(map(sum, A.rows)), list(pivot)


COMPILED = [LU_factor]
