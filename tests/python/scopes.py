# Global, local and class scope; del; UnboundLocalError and NameError with their messages; star imports; exec.
def run(f, *a):
    try:
        return f(*a)
    except NameError as e:
        return f"{type(e).__name__}: {e}; name={e.name!r}"


def use_before(n):
    if n:
        x = n
    return x


def deleted(n):
    x = n
    if n:
        del x
    return x


def delete_twice():
    x = 1
    del x
    del x


def missing():
    return no_such_name


def missing_global_delete():
    global no_such_global
    del no_such_global


for _ in range(20):
    results = run(use_before, 1), run(use_before, 0), run(deleted, 1), run(deleted, 0), run(delete_twice), run(missing), run(missing_global_delete)
print(*results, sep="\n")
counter = 0


def bump():
    global counter
    counter += 1
    return counter


for _ in range(50):
    bump()
print(counter)
counter = 1.5
print(bump())
counter = "s"
try:
    bump()
except TypeError as e:
    print(e)
del counter
print(run(bump))
counter = 7
print(bump())


def uses_len(x):
    return len(x)


for _ in range(40):
    uses_len("abc")
print(uses_len("abc"))
len = lambda x: "shadowed"
print(uses_len("abc"))
del len
print(uses_len("abc"))
import builtins

old = builtins.len
builtins.len = lambda x: "patched"
print(uses_len("abc"))
builtins.len = old
print(uses_len("abc"))
namespace = {}
exec("from math import *\nimport os.path as p\nfrom os import sep as s, getcwd\nr = floor(pi) + sqrt(16)\ndef f(): return floor(2.5), r\n", namespace)
print(namespace["r"], namespace["f"](), namespace["s"], "floor" in namespace)
try:
    exec("from math import nothing_here")
except ImportError as e:
    print(e.name, "nothing_here" in str(e))
try:
    import no_such_module_here
except ModuleNotFoundError as e:
    print(e)


def local_import():
    import math as m
    from math import sqrt as root, pi
    return m.floor(root(17)), round(pi, 2)


for _ in range(20):
    r = local_import()
print(r)


class Names:
    a = 1
    b = a + 1
    del a
    counter = counter + 1

    def f(self):
        return counter


print(Names.b, hasattr(Names, "a"), Names.counter, Names().f())


def with_globals(g):
    return eval("x + y", g, {"y": 2})


print(with_globals({"x": 1}), eval("[x for x in range(3)]"), eval("(lambda: counter)()"))


class MyDict(dict):
    def __missing__(self, k): return "missing " + k


print(eval("thing", MyDict()), eval("a", {}, MyDict(a=1)))
exec("q = 1\ndef g():\n    global q\n    q += 1\nfor _ in range(30): g()\nprint(q)", {})
__annotations_test: int = 5
x: "annotated" = 1
print(__annotations__)
