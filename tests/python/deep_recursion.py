# Very deep recursion with a raised limit does not run into the end of the C stack.
# timeout: 120
import sys


def down(n):
    if n == 0:
        return 0
    return down(n - 1) + 1


class Node:
    def __init__(self, n): self.n = n

    def walk(self):
        return 0 if self.n == 0 else Node(self.n - 1).walk() + 1


sys.setrecursionlimit(10**6)
print(down(100_000))
print(Node(50_000).walk())
print(down(10))
