# Tuples and lists that are taken apart again into the same variables: what was read is known, until something can change it.
# compiled: again, lists, only_tuples, only_lists, across_calls, elements, itself
# optimised: only_tuples: known_items
# optimised: only_tuples: idle_stores
# optimised: only_lists: known_items
# optimised: only_lists: idle_stores
# optimised: across_calls: known_items
# optimised: across_calls: idle_stores
# optimised: elements: known_items
# optimised: itself: idle_stores
import sys


def again(pair):
    a, b = pair
    a, b = pair
    b, a = pair
    a, b = pair
    return a, b


def lists(items):
    a, b, c = items
    a, b, c = items
    a, b, c = items
    return a, b, c


def only_tuples(pair):
    a, b = pair
    a, b = pair
    b, a = pair
    a, b = pair
    return a, b


def only_lists(items):
    a, b, c = items
    a, b, c = items
    a, b, c = items
    return a, b, c


def touch(items):
    return len(items)


def across_calls(pair):
    a, b = pair
    n = touch(pair)
    a, b = pair
    return a, b, n


def elements(pair):
    a, b = pair
    x = pair[0]
    y = pair[1]
    z = pair[-1]
    return a is x, b is y, b is z


def too_far(pair):
    a, b = pair
    try:
        return pair[2]
    except IndexError as error:
        return a, b, str(error)


def wrong_count(pair):
    a, b = pair
    try:
        a, b, c = pair
    except ValueError as error:
        return a, b, str(error)


def itself(x):
    y = x
    x = x
    y = x
    y = y
    x = y
    return x, y


def references(pair):
    a, b = pair
    first = sys.getrefcount(a), sys.getrefcount(b)
    a, b = pair
    a, b = pair
    a = a
    second = sys.getrefcount(a), sys.getrefcount(b)
    del a
    a, b = pair
    third = sys.getrefcount(a), sys.getrefcount(b)
    return first == second == third


def rebound(pair):
    a, b = pair
    a = b
    a, b = pair
    a, b = b, a
    c = a, b
    a, b = pair
    del b
    a, b = pair
    return a, b, c


def other_sequence(pair, other):
    a, b = pair
    x = pair
    pair = other
    a, b = pair
    c, d = x
    pair = x
    e, f = pair
    return a, b, c, d, e, f


def arithmetic(pair):
    total = 0
    for _ in range(3):
        a, b = pair
        total += a * b
        a, b = pair
        total += a - b
    return total


class Big:
    def __init__(self, name):
        self.name = name


for round in range(300):
    objects = (Big("p"), Big("q"))
    results = [
        again((1, 2)),
        again(("x", None)),
        again([3, 4]),
        lists([1, 2, 3]),
        lists((4.5, [], "c")),
        only_tuples(("x", [])),
        only_lists(["x", [], 1.5]),
        across_calls((1, 2)),
        elements(("ab", round)),
        too_far((1, 2)),
        too_far(["k", "l"]),
        wrong_count((1, 2)),
        wrong_count([1, 2]),
        itself(round),
        itself([round]),
        references((Big(1), Big(2))),
        references([Big(1), Big(2)]),
        rebound((1, "b")),
        rebound([[], 2.5]),
        other_sequence((1, 2), (3, 4)),
        other_sequence([1, 2], [3, 4]),
        arithmetic((round, 3)),
        arithmetic([round, 3]),
        arithmetic((0.5, 3)),
    ]
print(results)
try:
    again(5)
except TypeError as error:
    print(error)
print(sys.getrefcount(objects[0]), sys.getrefcount(objects[1]))


# What changes a list between two times, by every way.
def changed_between(items, change):
    a, b, c = items
    change(items)
    a, b, c = items
    return a, b, c


def stored_between(items, value):
    a, b, c = items
    items[1] = value
    a, b, c = items
    x = items[1]
    items[-1] = value
    y = items[2]
    return a, b, c, x, y


def appended_between(items, value):
    a, b, c = items
    items.append(value)
    try:
        a, b, c = items
    except ValueError as error:
        return a, b, c, str(error)


def sliced_between(items):
    a, b, c = items
    items[:] = [c, b, a]
    x = items[0]
    a, b, c = items
    return a, b, c, x


def deleted_between(items):
    a, b, c = items
    del items[0]
    items += [a]
    a, b, c = items
    return a, b, c


def aliased(items, other):
    a, b, c = items
    other[0], other[2] = other[2], other[0]
    a, b, c = items
    return a, b, c


def looped(items, times):
    seen = []
    for i in range(times):
        a, b, c = items
        a, b, c = items
        seen.append((a, b, c))
        items[i % 3] = i
        a, b, c = items
        seen.append((a, b, c))
    return seen[-3:]


def set_first(items):
    items[0] = "changed"


for round in range(300):
    both = [1, 2, 3]
    results = [
        changed_between([1, 2, 3], set_first),
        changed_between([1, 2, 3], list.reverse),
        changed_between([1, 2, 3], len),
        stored_between([1, 2, 3], round),
        stored_between([1.5, "b", 3], "new"),
        appended_between([1, 2, 3], 4),
        sliced_between([1, 2, 3]),
        deleted_between([1, 2, 3]),
        aliased(both, both),
        aliased([1, 2, 3], [4, 5, 6]),
        looped([1, 2, 3], 5),
    ]
print(results)


# The old values' finalisers change the list, when they are released by the stores.
class Changing:
    def __init__(self, action, log):
        self.action = action
        self.log = log

    def __del__(self):
        self.log.append({k: v for k, v in sys._getframe(1).f_locals.items() if k in "abc" and not isinstance(v, Changing)})
        self.action()


def finalised(items, action, log):
    a = b = c = None
    a, b, c = items
    a, b, c = items
    b = Changing(action, log)
    a, b, c = items
    a, b, c = items
    a, b, c = items
    return a, b, c


def shared(items, log):
    # The list is taken apart, and holds objects of which it has the only other references.
    a, b, c = items
    a, b, c = items
    items[0] = None
    a, b, c = items
    a, b, c = items
    return a is None


log = []
for round in range(300):
    items = [1, [2], 3.5]
    nothing = finalised(items, lambda: None, log), items
    items = [1, [2], 3.5]
    swapped = finalised(items, items.reverse, log), items
    items = [1, [2], 3.5]
    replaced = finalised(items, lambda: items.__setitem__(2, [7]), log), items
    items = [1, [2], 3.5]
    try:
        cleared = finalised(items, items.clear, log), items
    except ValueError as error:
        cleared = str(error), items
    shared([Changing(lambda: None, log), 2, 3], log)
print(nothing, swapped, replaced, cleared)
print(len(log), log[:5], log[-5:])


# An object dies, and another takes its address: what was known of the first is not known of that.
def reused(items, other):
    a, b = items
    x = a + 1
    a = b = None
    items[0] = items[1] = None
    a, b = other
    c, d = items
    return x, a, b, c, d


def numbers(pair):
    a, b = pair
    c = a + b
    a, b = pair
    d = a + b
    a, b = pair
    return c + d + a + b


for round in range(300):
    results = [
        reused([round * 1000003, 2], (round * 1.5, "b")),
        reused([round * 1.5, 2], (str(round), "b")),
        numbers((round, 2)),
        numbers((round * 1.5, 2.5)),
        numbers((round, 2.5)),
        numbers([round, 2.5]),
        numbers([round, 10**30]),
    ]
print(results)
print(numbers((True, 2)), numbers([1j, 2]))


# Somebody traces midway.
events = []


def tracer(frame, event, argument):
    if frame.f_code.co_name in ("again", "lists") and event in ("line", "return"):
        events.append((frame.f_code.co_name, event, sorted(frame.f_locals.items(), key=repr)))
    return tracer


sys.settrace(tracer)
again((5, 6))
lists([7, 8, 9])
sys.settrace(None)
print(events)


# Across yields, where anybody may change the list.
def generator(pair):
    a, b = pair
    yield a
    a, b = pair
    yield b
    a, b = pair
    if isinstance(pair, list):
        pair[0] = "new"
    yield a
    a, b = pair
    yield a, b


for round in range(300):
    results = [list(generator((1, 2))), list(generator([1, 2]))]
print(results)
