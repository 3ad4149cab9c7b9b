"""Code objects of the standard library, tests excluded."""

import os
import sysconfig
import tokenize
import types
import warnings

# Test suites, and files that are meant not to compile.
SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


def files():
    for where, folders, names in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (os.path.join(where, name) for name in sorted(names) if name.endswith(".py"))


def walk(code):
    """The code object and all inside it, outermost first."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from walk(constant)


def code_objects(one_in):
    """Those of one file in so many."""
    warnings.simplefilter("ignore")
    for number, path in enumerate(files()):
        if number % one_in:
            continue
        try:
            with tokenize.open(path) as file:
                module = compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        yield from walk(module)
