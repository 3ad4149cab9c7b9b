"""Writes code objects and what CPython itself says about them, for tests/standard_library.rs.

Usage: standard_library.py every N|sample|live > records

A record is a 4-byte little-endian length and that many bytes. In the modes `every` (the first of each N files of the
library) and `sample` each file gives its marshalled code and a list of checksums, four per code object, outer before inner; in
the mode `live` each warmed-up function gives its marshalled code, its quickened code and the text of the feedback expected of it.
"""

import dis
import itertools
import marshal
import opcode
import pathlib
import sys
import types
import zlib

SAMPLE = """
_collections_abc.py _pydecimal.py argparse.py ast.py asyncio/*.py collections/*.py contextlib.py dataclasses.py
datetime.py doctest.py email/*.py enum.py functools.py http/*.py importlib/*.py inspect.py json/*.py logging/*.py
pathlib.py pickle.py re/*.py statistics.py subprocess.py tarfile.py typing.py unittest/*.py xml/etree/*.py
test/test_asyncgen.py test/test_contextlib_async.py test/test_coroutines.py test/test_dis.py test/test_except_star.py
test/test_exception_group.py test/test_extcall.py test/test_fstring.py test/test_generators.py test/test_grammar.py
test/test_keywordonlyarg.py test/test_named_expressions.py test/test_patma.py test/test_pep646_syntax.py
test/test_positional_only_arg.py test/test_scope.py test/test_sys_settrace.py test/test_unpack.py test/test_unpack_ex.py
test/test_with.py test/test_yield_from.py
""".split()


def put(data):
    sys.stdout.buffer.write(len(data).to_bytes(4, "little") + data)


def checksum(text):
    return zlib.adler32(text.encode()).to_bytes(4, "little")


def effect(instruction, jump):
    """dis.stack_effect, as the interpreter really does it for each instruction alone."""
    match instruction.opname:
        case "PRECALL":
            return 0
        case "CALL":
            return -1 - instruction.arg
        case "RETURN_GENERATOR":
            return 1
    has_argument = instruction.opcode >= opcode.HAVE_ARGUMENT
    return dis.stack_effect(instruction.opcode, instruction.arg if has_argument else None, jump=jump)


def describe(code):
    places = []
    effects = []
    start = None
    for instruction in dis.get_instructions(code):
        start = instruction.offset // 2 if start is None else start
        if instruction.opname == "EXTENDED_ARG":
            continue
        jumps = instruction.opcode in opcode.hasjrel
        places.append(f"{start} {instruction.offset // 2} {instruction.argval // 2 if jumps else '-'}\n")
        effects.append(f"{effect(instruction, False)} {effect(instruction, True) if jumps else '-'}\n")
        start = None
    rows = dis._parse_exception_table(code)
    rows = [f"{r.start // 2} {r.end // 2} {r.target // 2} {r.depth} {int(r.lasti)}\n" for r in rows]
    positions = [" ".join("-" if part is None else str(part) for part in p) + "\n" for p in code.co_positions()]
    return b"".join(checksum("".join(lines)) for lines in (places, effects, rows, positions))


def code_objects(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def files(patterns):
    root = pathlib.Path(dis.__file__).parent
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if not {"site-packages", "dist-packages", "lib2to3"} & set(path.parts):
                yield path


def write_files(paths):
    for path in paths:
        try:
            code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        put(marshal.dumps(code))
        put(b"".join(map(describe, code_objects(code))))


class Values:
    def __init__(self):
        self.value = 1

    def method(self):
        return self.value

    def __getitem__(self, index):
        return index


class Slots:
    __slots__ = ("value",)


def ints(a, b):
    return a + b


def floats(a, b):
    return a * b


def strings(a, b):
    return a + b


def compares(a, b):
    if a < b:
        return a


def value(a):
    return a.value


def store_value(a):
    a.value = 1


def slot(a):
    return a.value


def method(a):
    return a.method()


def module(a):
    return a.path


def item(a):
    return a[0]


def item_of_tuple(a):
    return a[0]


def item_of_dict(a):
    return a[0]


def item_of_object(a):
    return a[0]


def unpack(a):
    x, y = a
    return x


def length(a):
    return len(a)


def a_global():
    return Values


def type_version(cls):
    """tp_version_tag of a heap type, where the layout is that of a release build."""
    import ctypes

    return ctypes.c_uint32.from_address(id(cls) + 384).value


def write_live():
    slots = Slots()
    slots.value = 1
    cases = [
        (ints, (1, 2), "Int"),
        (floats, (1.0, 2.0), "Float"),
        (strings, ("a", "b"), "Str"),
        (compares, (1, 2), "Int"),
        (value, (Values(),), "InstanceValue {{ type_version: {values}, index: 0 }}"),
        (store_value, (Values(),), "InstanceValue {{ type_version: {values}, index: 0 }}"),
        (slot, (slots,), "Slot {{ type_version: {slots}, offset: 16 }}"),
        (method, (Values(),), "Method {{ kind: WithValues, type_version: {values}, "),
        (method, (Values(),), "descriptor: {method} }}"),
        (module, (sys,), "Module {{ keys_version: "),
        (item, ([1],), "List"),
        (item_of_tuple, ((1,),), "Tuple"),
        (item_of_dict, ({0: 1},), "Dict"),
        (item_of_object, (Values(),), "GetItem {{ type_version: {values} }}"),
        (unpack, ((1, 2),), "Tuple"),
        (length, ((),), "Call(Len)"),
        (length, ((),), "GlobalBuiltin {{ index: "),
        (a_global, (), "GlobalModule {{ index: {values_index}, module_keys: "),
    ]
    for function, arguments, expected in cases:
        for _ in range(200):
            function(*arguments)
        names = dict(
            values=type_version(Values),
            slots=type_version(Slots),
            method=id(Values.method),
            values_index=list(globals()).index("Values"),
        )
        put(marshal.dumps(function.__code__))
        put(function.__code__._co_code_adaptive)
        put(expected.format(**names).encode())


if sys.version_info[:2] != (3, 11):
    sys.exit("not Python 3.11")
match sys.argv[1]:
    case "every":
        write_files(itertools.islice(files(["**/*.py"]), 0, None, int(sys.argv[2])))
    case "sample":
        write_files(files(SAMPLE))
    case "live":
        # Debug builds lay out types differently.
        if not hasattr(sys, "gettotalrefcount"):
            write_live()
