# Import machinery run by compiled code; modules changed while functions use them.
import importlib
import sys
import tempfile
import os

with tempfile.TemporaryDirectory() as folder:
    sys.path.insert(0, folder)
    os.mkdir(f"{folder}/package_x")
    files = {
        "package_x/__init__.py": "from . import a\nfrom .b import value as v\nfrom .b import *\n__all__ = ['a', 'v']\n",
        "package_x/a.py": "import package_x as p\ndef f(): return p.v\nx = [i for i in range(3)]\n",
        "package_x/b.py": "value = 5\n_hidden = 6\ndef total(n):\n    t = 0\n    for i in range(n): t += i\n    return t\n",
        "version_one.py": "def g(): return 'one'\n",
        "broken_module.py": "x = 1\nraise ValueError('while importing')\n",
        "circular_a.py": "import circular_b\nname = 'a'\ndef get(): return circular_b.other()\n",
        "circular_b.py": "import circular_a\ndef other(): return circular_a.name\n",
    }
    for name, text in files.items():
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()

    def use():
        import package_x.a
        from package_x import v, total
        from package_x.a import f, x as renamed
        return package_x.a.f(), v, total(10), f(), renamed

    for _ in range(20):
        r = use()
    print(r)
    import circular_a
    print(circular_a.get())
    try:
        import broken_module
    except ValueError as e:
        print(e, "broken_module" in sys.modules)
    import version_one

    def call(): return version_one.g()

    for _ in range(40):
        call()
    print(call())
    with open(f"{folder}/version_one.py", "w") as file:
        file.write("def g(): return 'second version'\n")
    importlib.reload(version_one)
    print(call())

    def failing():
        try:
            from package_x import nothing
        except ImportError as e:
            return e.name, str(e).split("(")[0]

    for _ in range(20):
        r = failing()
    print(r)
    ns = {}
    exec("from package_x import *", ns)
    print(sorted(k for k in ns if not k.startswith("__")))
    try:
        exec("def f():\n    from math import *\n")
    except SyntaxError as e:
        print(e.msg)
    importer = __import__
    import builtins
    builtins.__import__ = lambda *a, **k: (names.append(a[0]), importer(*a, **k))[1]
    names = []
    use()
    builtins.__import__ = importer
    print(names)
