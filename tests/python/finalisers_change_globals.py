# A finaliser that runs in the middle of compiled code changes globals, classes, containers and builtins under it.
import builtins
import weakref

scale = 1
factor = 2.0


class Hook:
    def __init__(self, action): self.action = action
    def __del__(self): self.action()


def helper(x): return x * factor


def set_scale(v):
    global scale
    scale = v


def set_helper():
    global helper
    helper = lambda x: -x


def uses(n):
    total = 0
    x = None
    for i in range(n):
        total += scale
        if i == n // 2:
            x = Hook(lambda: set_scale(100))
        if i == n // 2 + 1:
            x = None
            total += scale
        total += scale
    return total


for _ in range(30):
    set_scale(1)
    r = uses(20)
print(r, scale)


def uses_function(n):
    total = 0
    x = None
    for i in range(n):
        total += helper(i)
        if i == 5:
            x = Hook(set_helper)
        x = None if i == 7 else x
    return total


original = helper
for _ in range(30):
    helper = original
    r = uses_function(12)
print(r)
items = []


def uses_list(n):
    x = Hook(items.clear)
    items[:] = range(n)
    total = 0
    i = 0
    while i < len(items):
        total += items[i]
        if i == n // 2:
            x = 0
        i += 1
    return total, i


for _ in range(30):
    r = uses_list(10)
print(r)


class C:
    def f(self): return 1


def swap_method():
    C.f = lambda self: 50


def uses_method(n):
    c = C()
    total = 0
    x = Hook(swap_method)
    for i in range(n):
        total += c.f()
        if i == 3:
            del x
    return total


method = C.f
for _ in range(30):
    C.f = method
    r = uses_method(8)
print(r)


def patch_len():
    builtins.len = lambda x: 1000


saved = len


def uses_builtin(n):
    x = Hook(patch_len)
    total = 0
    for i in range(n):
        total += len("ab")
        if i == 2:
            x = None
    return total


results = []
for _ in range(30):
    r = uses_builtin(6)
    builtins.len = saved
print(r, len("abc"))


def callback_changes_local_of_caller():
    out = []
    x = Hook(lambda: out.append("first"))
    y = weakref.ref(x, lambda r: out.append("weak"))
    z = 1.5
    x = z + 1
    out.append(x)
    return out


for _ in range(30):
    r = callback_changes_local_of_caller()
print(r)


def in_expression(d):
    return d["a"] + (Hook(lambda: d.__setitem__("a", 10)) and 1) + d["a"]


for _ in range(30):
    r = in_expression({"a": 1})
print(r)


def raising_del():
    raise ValueError("ignored")


import sys

caught = []
sys.unraisablehook = lambda u: caught.append(str(u.exc_value))


def with_raising():
    x = Hook(raising_del)
    y = 1
    x = y
    return x + 1


for _ in range(20):
    r = with_raising()
print(r, len(caught), caught[0])
