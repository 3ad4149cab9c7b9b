# append, insert and pop of lists without calls: results, errors and their lines, subclasses, references, numbers that stay raw.
# stderr: compare
# optimised: collect: intrinsics
# optimised: drain: intrinsics
# optimised: rotate: intrinsics
import gc
import sys
import weakref


def collect(n):
    total, items = 0, []
    for i in range(n):
        total += i * 3
        items.append(total)
        items.append(total + 0.5)
    return total, items


def drain(items):
    total = 0
    while items:
        total -= items.pop()
    return total


def rotate(items, n):
    for i in range(n):
        items.insert(i % 5, items.pop(0))
        items.insert(-1, items.pop(i % len(items)))
        items.insert(100, items.pop(-2))
    return items


def append(items, value): return items.append(value)
def pop(items): return items.pop()
def pop_at(items, i): return items.pop(i)
def insert(items, i, value): return items.insert(i, value)
def pop_next(items, i): return items.pop(i + 1)


for _ in range(30):
    r = collect(10), drain([1, 2.5, 3]), rotate(list(range(7)), 9)
    append([], 1), pop([1]), pop_at([1, 2], 0), insert([], 0, 1), pop_next([1, 2], 0)
print(r)


class Counted(list):
    def append(self, value):
        list.append(self, ("counted", value))

    def pop(self, *arguments):
        return "popped", list.pop(self, *arguments)


class Plain(list): pass


class Other:
    def append(self, value): return "other", value
    def pop(self, i=None): return "other pop", i
    def insert(self, i, value): return "other insert", i, value


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except Exception as e:
        return type(e).__name__, str(e), e.__traceback__.tb_next.tb_lineno - function.__code__.co_firstlineno


for make in (list, Counted, Plain, bytearray, lambda items: Other()):
    items = make([1, 2, 3, 4, 5, 6])
    print(attempt(append, items, 7), attempt(insert, items, 1, 8), attempt(pop, items), attempt(pop_at, items, 0), attempt(pop_at, items, -2))
    for i in (True, 10, -10, 2**62, -2**63, 2**63, 2**70, None, 1.0, "a"):
        print(attempt(pop_at, items, i), attempt(insert, items, i, 9), attempt(pop_next, items, i))
    print(items if not isinstance(items, Other) else "", len(items) if hasattr(items, "__len__") else "")
for items in ([], (), {}, {1: 2}, set(), {3}, Plain(), Counted(), None):
    print(attempt(pop, items), attempt(pop_at, items, 0), attempt(append, items, 1))
items = []
print(append(items, items), items, pop(items) is items, items)


# Sizes are those of CPython's growing and shrinking.
def sizes(n):
    items, found = [], []
    for i in range(n):
        items.append(i)
        found.append(sys.getsizeof(items))
    while items:
        items.pop(len(items) // 2)
        found.append(sys.getsizeof(items))
        if len(items) % 3 == 2:
            items.pop()
    return found


for _ in range(5):
    r = sizes(60)
print(r)


# What is in the frame when a call fails, and what is left.
class Item:
    def __del__(self): dropped.append(sys._getframe(1).f_locals.get("count"))


def made(n): return [Item() for _ in range(n)]


def failing(n):
    count = 0
    for i in range(n):
        count += i
        Item(), made(1).pop(), made(2).append(i), made(3).insert(0, i)
        try:
            made(i % 3).pop(2)
        except IndexError as e:
            count += e.__traceback__.tb_frame.f_locals["count"]
            del e
        made(1).pop().__class__, [].append(made(1).pop())
    return count


dropped = []
print([failing(4) for _ in range(12)], len(dropped), dropped[:12], dropped[-3:])


# Lists that change while they are gone through, and that hold their own method.
def growing(n):
    items = [1]
    add, take = items.append, items.pop
    for item in items:
        if len(items) < n:
            items.append(item + 1)
            add(0)
        if item % 3 == 0:
            items.pop(0)
            take()
    return items


print([growing(20) for _ in range(12)][-1])


def references(n):
    thing = object()
    before = sys.getrefcount(thing)
    items = []
    for i in range(n):
        items.append(thing)
        items.insert(0, thing)
        items.insert(i, items.pop())
        if i % 3 == 0:
            items.pop(i % len(items))
        [thing, thing].pop()
        (items or None).pop(0)
    return sys.getrefcount(thing) - before - len(items)


print(references(60), references(60))
total, items = 0, []
for i in range(100):
    total += i
    items.append(total)
    if i % 3:
        total -= items.pop(0)
print(total, items)


def uncaught(items):
    items.pop()
    items \
        .pop()


uncaught([1])
