"""Code objects of source files, with their qualified names."""

import types
import tokenize


def compile_file(path):
    """The module's code object; SyntaxError or UnicodeDecodeError for files that are not Python."""
    with tokenize.open(path) as file:
        source = file.read()
    return compile(source, path, "exec", dont_inherit=True)


def walk(code):
    """The code object and all inside it, outermost first."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from walk(constant)
