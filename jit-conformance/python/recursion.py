# Recursion: deep, mutual, through methods and closures, up to the interpreter's limit and back.
# compiled: fib, ackermann, is_even, is_odd, Tree.depth, endless


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


def is_even(n):
    return n == 0 or is_odd(n - 1)


def is_odd(n):
    return n != 0 and is_even(n - 1)


class Tree:
    def __init__(self, depth):
        self.left = Tree(depth - 1) if depth else None

    def depth(self):
        return 1 + (self.left.depth() if self.left else 0)


deepest = 0


def endless(n):
    global deepest
    deepest = n
    return endless(n + 1) + 1


def main():
    global deepest
    print(fib(11), ackermann(2, 3), is_even(300), is_odd(300), Tree(80).depth())
    depths = set()
    for _ in range(2):
        try:
            endless(0)
        except RecursionError as error:
            depths.add(deepest)
            print(error)
    print(len(depths), deepest, sum(range(deepest)))
