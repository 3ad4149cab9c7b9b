# Bodies in bodies, subscripts by Python functions, stores at a body's end: what is inlined, and what must not be.
import sys
import traceback
from array import array


class Grid:
    def __init__(self, w, h):
        self.width, self.height = w, h
        self.data = array("d", [0]) * (w * h)
        self.touched = None

    def _index(self, x, y):
        if 0 <= x < self.width and 0 <= y < self.height:
            return y * self.width + x
        raise IndexError("outside")

    def __getitem__(self, key):
        (x, y) = key
        return self.data[self._index(x, y)]

    def __setitem__(self, key, value):
        (x, y) = key
        self.data[self._index(x, y)] = value


def relax(grid):
    for y in range(1, grid.height - 1):
        for x in range(1, grid.width - 1):
            grid[x, y] = 0.25 * (grid[x, y - 1] + grid[x, y + 1] + grid[x - 1, y] + grid[x + 1, y]) + 1.0
    return sum(grid.data)


def at(grid, key): return grid[key]
def put(grid, x, y, value): grid[x, y] = value
def get(grid, x, y): return grid[x, y]


class Loud:
    """Says when it goes away, and from which function that was seen."""
    def __init__(self, name): self.name = name
    def __del__(self): print("gone", self.name, sys._getframe(1).f_code.co_name)


LIMIT = 3


class Cell:
    COUNT = 5

    def __init__(self, value): self.value, self.number, self.other = value, 0.5, None
    def set(self, value):
        self.value = value
        return self
    def swap(self, number):
        old = self.number
        self.number = number
        return old
    def store(self, number): self.number = number
    def both(self, number):
        self.number = number
        return number
    def low(self, k): return self.value + k
    def size(self): return abs(self.value) + 1
    def size_below(self): return self.size() + 1
    def middle(self, k): return self.low(k) * 2
    def high(self, k): return self.middle(k) + 1
    def limit(self, k): return LIMIT + k
    def of_class(self): return Cell.COUNT + self.value
    def next_store(self, value):
        self.next.set(value)
    def clear(self):
        self.other.next = None
        return self.number


def numbers(cell, n):
    total = 0
    for i in range(n):
        cell.set(i).store(i * 1.5)
        total += cell.swap(i * 2.5) + cell.high(i) + cell.limit(i) + cell.of_class()
        value = i * 0.5
        assert cell.both(value) is value and cell.number is value
    return total, cell.value, cell.number


def objects(cell, n):
    for i in range(n):
        cell.set(Loud(i) if i % 40 == 0 else None)


def cut(pair, n):
    a, b = pair
    total = 0
    for i in range(n):
        a.next, a.other = b, a
        total += a.clear()
    return total


def linked(cell, n):
    cell.next = Cell(0)
    for i in range(n):
        cell.next_store(i)
    return cell.next.value


class Odd(Grid):
    def _index(self, x, y): return 0


class Other:
    def __getitem__(self, key): return ("other", key)
    def __setitem__(self, key, value): print("set", key, value)


def shown(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__, str(error), [(f.name, f.line) for f in traceback.extract_tb(error.__traceback__)][1:]


def main():
    global LIMIT
    grid = Grid(8, 8)
    for _ in range(60):
        relaxed = relax(grid)
        put(grid, 1, 2, get(grid, 2, 1))
        at(grid, (3, 4))
    print(relaxed)
    for call in (get, grid, 9, 1), (get, grid, 1, -1), (put, grid, 9, 1, 2.0), (put, grid, 1, 1, "text"), (at, grid, 5), \
            (at, grid, (1, 2, 3)), (get, grid, 1.5, 1), (get, Odd(3, 3), 5, 5), (get, Other(), 1, 2), (put, Other(), 1, 2, 3):
        print(shown(*call))
    key = (2, 3)
    before = sys.getrefcount(key), sys.getrefcount(grid)
    for _ in range(200):
        at(grid, key)
        relax(grid)
    print(sys.getrefcount(key) - before[0], sys.getrefcount(grid) - before[1])
    cell = Cell(1)
    for _ in range(60):
        numbers(cell, 10)
    check()
    for _ in range(3):
        print(numbers(cell, 300))
    objects(cell, 200)
    print(linked(cell, 200), cut((Cell(1), Cell(2)), 200))
    LIMIT = 2.5
    print(numbers(cell, 30))
    LIMIT = "text"
    print(shown(numbers, cell, 3))
    LIMIT = 3
    Cell.COUNT = 6
    Cell.low = lambda self, k: k
    print(numbers(cell, 30))
    exec("def limit(self, k): return LIMIT * k", namespace := {"LIMIT": 100})
    Cell.limit = namespace["limit"]
    print(numbers(cell, 300))
    for _ in range(60):
        deep_to(size, cell, 2), deep_to(size_below, cell, 2)
    del cell.number
    print(shown(cell.swap, 1), shown(numbers, cell, 3))
    sys.setrecursionlimit(60)
    try:
        print([shown(deep, depth) for depth in range(45, 60)])
        print([shown(deep_to, call, cell, depth) for call in (size, size_below) for depth in range(45, 60)])
    finally:
        sys.setrecursionlimit(1000)


def size(cell): return cell.size()
def size_below(cell): return cell.size_below()


def deep_to(call, cell, depth):
    """A builtin that counts as a level, called by a body."""
    return deep_to(call, cell, depth - 1) if depth else call(cell)


def deep(depth):
    return deep(depth - 1) if depth else Cell(1).high(2)


def check():
    """That bodies were inlined, where that is known."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] == 20:
        for function in relax, numbers:
            done = columba.info(function).optimisations
            assert any(name.startswith("inline_calls") for name in done), (function, done)


main()
