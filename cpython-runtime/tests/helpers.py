# Tests of the helpers, run inside the interpreter that `helpers.rs` embeds. `call(name, *operands)` calls one helper;
# NULL stands for null. Each test function runs once for its assertions and then many times for the count of memory blocks.
import gc
import sys

NULL = NotImplemented
used = set()
raw_call = call


def call(name, *operands):
    used.add(name)
    return raw_call(name, *operands)


def raises(kind, text, function, *arguments):
    try:
        result = function(*arguments)
    except kind as error:
        assert type(error) is kind, (type(error), error)
        if text is not None:
            assert str(error) == text, (str(error), text)
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")


def fails(kind, text, name, *operands):
    return raises(kind, text, call, name, *operands)


# The operations in the numbering of the helper table.
ADD, AND, FLOORDIV, LSHIFT, MATMUL, MUL, REM, OR, POW, RSHIFT, SUB, TRUEDIV, XOR = range(13)
LT, LE, EQ, NE, GT, GE = range(6)


class Broken:
    def __bool__(self):
        raise ValueError("no truth")

    def __eq__(self, other):
        return self

    def __lt__(self, other):
        raise ValueError("no order")

    __hash__ = None


class Namespace:
    """A mapping that is no dict."""

    def __init__(self, **items):
        self.items = items

    def __getitem__(self, key):
        return self.items[key]

    def __setitem__(self, key, value):
        self.items[key] = value

    def __delitem__(self, key):
        del self.items[key]


def test_unary():
    assert call("unary_op", 5, 1) == -5 and call("unary_op", True, 0) == 1
    assert call("unary_op", 0, 2) is True and call("unary_op", [1], 2) is False and call("unary_op", 5, 3) == -6
    fails(TypeError, "bad operand type for unary -: 'str'", "unary_op", "a", 1)
    fails(ValueError, "no truth", "unary_op", Broken(), 2)


def test_binary():
    big = 1 << 70
    for a, b in [(7, 3), (-7, 3), (big, 3), (1.5, 2.5), (2, 0.5), (-1.5, 4), (True, 2), (1073741823, 1073741823)]:
        assert call("binary_op", a, b, ADD) == a + b
        assert call("binary_op", a, b, SUB) == a - b
        assert call("binary_op", a, b, MUL) == a * b
        assert call("binary_op", a, b, FLOORDIV) == a // b == call("floor_divide", a, b, FLOORDIV)
        assert call("binary_op", a, b, REM) == a % b
        assert call("binary_op", a, b, TRUEDIV) == a / b
        if abs(b) < 100:
            assert call("binary_op", a, b, POW) == a**b
        assert type(call("binary_op", a, b, ADD)) is type(a + b)
        if isinstance(a, int) and isinstance(b, int):
            assert call("binary_op", a, b, AND) == a & b and call("binary_op", a, b, OR) == a | b
            assert call("binary_op", a, b, XOR) == a ^ b
    long = 1 << 300
    for a, b in [(long * 9 + 5, long), (long * 9 - 1, long), (-long, long - 1), (long, 7), (long * 2**29, long + 1)]:
        assert call("floor_divide", a, b, FLOORDIV) == call("floor_divide", a, b, FLOORDIV + 13) == a // b
    fails(ZeroDivisionError, "integer division or modulo by zero", "floor_divide", long, 0, FLOORDIV)
    for a, b in [(7, 3), (-7, 3), (big, 3), (-big, big), (1 << 62, 1 << 62), (0, 0)]:
        for in_place in (0, 13):
            assert call("int_binary_op", a, b, ADD + in_place) == a + b
            assert call("int_binary_op", a, b, SUB + in_place) == a - b
            assert call("int_binary_op", a, b, AND + in_place) == a & b
            assert call("int_binary_op", a, b, OR + in_place) == a | b
            assert call("int_binary_op", a, b, XOR + in_place) == a ^ b
            assert call("int_binary_op", a, 5, LSHIFT + in_place) == a << 5
            assert call("int_binary_op", a, 5, RSHIFT + in_place) == a >> 5
    fails(ValueError, "negative shift count", "int_binary_op", 1, -1, LSHIFT)
    assert call("binary_op", 1, 5, LSHIFT) == 32 and call("binary_op", 32, 2, RSHIFT) == 8
    assert call("binary_op", "a", "b", ADD) == "ab"
    value = [1]
    assert call("binary_op", value, [2], ADD + 13) is value and value == [1, 2]
    assert call("binary_op", value, [2], ADD) == [1, 2, 2]
    fails(ZeroDivisionError, "float division by zero", "binary_op", 1.0, 0.0, TRUEDIV)
    fails(ZeroDivisionError, "integer division or modulo by zero", "binary_op", 1, 0, FLOORDIV)
    fails(TypeError, "unsupported operand type(s) for +: 'int' and 'str'", "binary_op", 1, "a", ADD)
    fails(TypeError, "unsupported operand type(s) for +=: 'int' and 'str'", "binary_op", 1, "a", ADD + 13)
    fails(TypeError, "unsupported operand type(s) for @: 'int' and 'int'", "binary_op", 1, 2, MATMUL)
    x = float("1.5")
    assert call("binary_op", x, x, ADD) == 3.0 and x == 1.5


def test_int_binary():
    big = 1 << 70
    for a, b in [(7, 3), (-7, 3), (big, 3), (big, -big), (1073741823, 1073741823), (0, 0)]:
        for operation, expected in [(ADD, a + b), (SUB, a - b), (AND, a & b), (OR, a | b), (XOR, a ^ b)]:
            assert call("int_binary_op", a, b, operation) == expected
            assert call("int_binary_op", a, b, operation + 13) == expected
    assert call("int_binary_op", 1, 100, LSHIFT) == 1 << 100 and call("int_binary_op", big, 69, RSHIFT) == 2


def test_concat_in_place():
    text = "".join(["ab", "cd"])
    assert call("concat_in_place", [text], "ef") == (0, "abcdef") and text == "abcd"


def test_compare():
    nan = float("nan")
    values = [0, 1, -1, 1 << 80, 1.0, nan, -0.0, "a", "b", "ab", True]
    import operator

    functions = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]
    for a in values:
        for b in values:
            for number, function in enumerate(functions):
                try:
                    expected = function(a, b)
                except TypeError as error:
                    fails(TypeError, str(error), "compare", a, b, number)
                    fails(TypeError, str(error), "compare_truth", a, b, number)
                else:
                    assert call("compare", a, b, number) is expected, (a, b, number)
                    assert call("compare_truth", a, b, number) == expected
    broken = Broken()
    assert call("compare", broken, 1, EQ) is broken
    fails(ValueError, "no truth", "compare_truth", broken, 1, EQ)
    fails(ValueError, "no order", "compare", broken, 1, LT)


def test_contains_and_truth():
    assert call("contains", 2, [1, 2]) == 1 and call("contains", 3, (1, 2)) == 0
    fails(TypeError, "argument of type 'int' is not iterable", "contains", 1, 1)
    for value in [True, False, None, 0, 1, 0.0, "", "a", [], [1]]:
        assert call("is_true", value) == bool(value) and call("is_true_borrowed", value) == bool(value)
    fails(ValueError, "no truth", "is_true", Broken())
    fails(ValueError, "no truth", "is_true_borrowed", Broken())


def test_floats():
    import math

    inf = math.inf
    for a in [0.0, -0.0, 1.0, -1.0, 7.5, -7.5, 1e300, -1e-300, inf, -inf, math.nan]:
        for b in [1.0, -1.0, 3.0, -3.0, 0.1, -0.1, inf, -inf, 1e-300, math.nan]:
            assert repr(call("float_remainder", a, b)) == repr(a % b), (a, b)
            assert repr(call("float_floor_divide", a, b)) == repr(a // b), (a, b)
            try:
                expected = a**b
            except (OverflowError, ZeroDivisionError):
                # What raises is not asked of the helper.
                continue
            if type(expected) is float:
                assert repr(call("float_power", a, b)) == repr(expected), (a, b)


def test_math():
    import math

    values = [0.0, -0.0, 0.5, -0.5, 1.0, 3.0, -2.5, 1e300, -1e-300, 700.0, math.inf, -math.inf, math.nan]
    for name in ["sin", "cos", "tan", "atan", "exp", "log"]:
        for x in values:
            result = call("math_" + name, x)
            try:
                expected = getattr(math, name)(x)
            except (ValueError, OverflowError):
                assert not math.isfinite(result), (name, x, result)
                continue
            assert repr(result) == repr(expected), (name, x)
    for x in values:
        for y in values:
            assert repr(call("math_atan2", x, y)) == repr(math.atan2(x, y)), (x, y)
            result = call("math_pow", x, y)
            try:
                expected = math.pow(x, y)
            except (ValueError, OverflowError):
                assert not math.isfinite(result), (x, y, result)
                continue
            # What is not finite is left to the interpreter.
            assert not math.isfinite(result) or repr(result) == repr(expected), (x, y)


def test_builtins():
    class Sized:
        def __len__(self):
            return -1

    assert [call("len", x) for x in ([1, 2], "abc", {}, range(5), b"x")] == [2, 3, 0, 5, 1]
    fails(ValueError, "__len__() should return >= 0", "len", Sized())
    fails(TypeError, "object of type 'int' has no len()", "len", 5)
    assert call("is_instance", 3, int) == 1 and call("is_instance", 3, (str, list)) == 0
    assert call("is_instance", True, (str, int)) == 1
    fails(TypeError, "isinstance() arg 2 must be a type, a tuple of types, or a union", "is_instance", 3, 3)
    assert [call("ord", x) for x in ("a", "\0", "\xe9", "\u1234", "\U0010ffff")] == [97, 0, 0xE9, 0x1234, 0x10FFFF]
    assert call("ord", "") == call("ord", "ab") == -1
    for items in [3, 1, 2], (2.5, -1.0, 2.5), {5, 9, 7}, frozenset((4,)), [1, 2.0], ["b", "a"], range(4), [1 << 80, 3], (True, 0):
        assert call("extreme", max, items, 1) == max(items) and call("extreme", min, items, 0) == min(items), items
    fails(ValueError, "max() arg is an empty sequence", "extreme", max, [], 1)
    fails(TypeError, "'<' not supported between instances of 'str' and 'int'", "extreme", min, [1, "a"], 0)
    assert list(call("reversed_range", range(2, 9, 3))) == [8, 5, 2] and list(call("reversed_range", range(0))) == []
    plain = dict(a=1)
    call("track_dictionary", plain, 5)
    assert not gc.is_tracked(plain)
    call("track_dictionary", plain, [])
    assert gc.is_tracked(plain)
    assert [call("chr", x) for x in (0, 97, 0xD800, 0x10FFFF)] == ["\0", "a", "\ud800", "\U0010ffff"]


def test_methods():
    items = [[i] for i in range(20)]
    again = [[i] for i in range(20)]
    while again:
        assert call("list_pop", items, -1) == again.pop() and items == again
        assert sys.getsizeof(items) == sys.getsizeof(again)
    fails(IndexError, "pop from empty list", "list_pop", items, -1)
    table = {1: ["one"], "k": None}
    assert call("dict_get", table, 1, None) is table[1]
    assert call("dict_get", table, "k", 5) is None and call("dict_get", table, 2, items) is items
    fails(TypeError, "unhashable type: 'list'", "dict_get", table, [], None)
    assert call("str_join", ", ", ["a", "b"]) == "a, b" and call("str_join", "", iter("xyz")) == "xyz"
    fails(TypeError, "can only join an iterable", "str_join", "", 5)
    fails(TypeError, "sequence item 0: expected str instance, int found", "str_join", "", [1])


def test_instance_has():
    class Plain:
        pass

    with_values, with_dictionary, without = Plain(), Plain(), Plain()
    with_values.x = with_dictionary.x = 1
    vars(with_dictionary)
    assert call("instance_has", with_values, "x") == call("instance_has", with_dictionary, "x") == 1
    assert call("instance_has", without, "y") == call("instance_has", with_dictionary, "y") == 0
    with_dictionary.__dict__["method"] = 1
    assert call("instance_has", with_dictionary, "method") == 1


def test_dict_search():
    class Key:
        def __hash__(self):
            return 7

        def __eq__(self, other):
            raise AssertionError("no Python is run")

    class Text(str):
        pass

    values = {10: "ten", -1: "minus", "name": "text", 1 << 40: "big", True: "true"}
    for key in 10, -1, "name", "".join(["na", "me"]):
        assert call("dict_search", values, key) is values[key]
    # What is not there, what another type is equal to, what is not looked for.
    for key in 11, -2, "other", 1, 1.0, None, 1 << 40, Text("name"):
        assert call("dict_search", values, key) is NULL, key
    assert call("dict_search", {Key(): 1, 8: 2}, 7) is NULL and call("dict_search", {Key(): 1, 8: 2}, 8) == 2
    assert call("dict_search", {"a": 1}, "a") == 1 and call("dict_search", {"a": 1}, 1) is NULL
    assert call("dict_search", [1, 2], 0) is NULL and call("dict_search", type("D", (dict,), {})({1: 2}), 1) is NULL
    many = {i: -i for i in range(70000)}
    for i in range(0, 70000, 2):
        del many[i]
    assert call("dict_search", many, 69999) == -69999 and call("dict_search", many, 69998) is NULL


def test_boxes():
    for value in [0, 1, -1, 256, 257, -6, (1 << 30) - 1, 1 << 30, -(1 << 30), 1 << 60, (1 << 63) - 1, -(1 << 63)]:
        assert call("box_int", value) == value
        assert call("int_to_i64", value, 1) == (1, value)
    seven = 7
    assert call("box_int", 7) is seven
    for value in [1 << 63, -(1 << 63) - 1, 1 << 90, 1 << 200, -(1 << 200)]:
        assert call("int_to_i64", value, 1)[0] == 0
    for value in [0.0, -0.0, 1.5]:
        assert repr(call("box_float", value)) == repr(value)
    x, n = float("2.5"), int("123456789")
    assert call("flush_float", [x], 2.5)[1] is x and call("flush_float", [x], 3.5)[1] == 3.5
    assert repr(call("flush_float", [0.0], -0.0)[1]) == "-0.0" and call("flush_float", [NULL], 1.0)[1] == 1.0
    assert call("flush_int", [n], 123456789)[1] is n and call("flush_int", [1.0], 1)[1] == 1
    assert type(call("flush_int", [True], 1)[1]) is int and call("flush_int", [NULL], 5)[1] == 5
    assert call("flush_number", [x], 2.5, 0)[1] is x and call("flush_number", [x], 3.0, 1)[1] == 3
    assert type(call("flush_number", [NULL], 3.0, 1)[1]) is int and type(call("flush_number", [1], 3.0, 0)[1]) is float
    assert call("flush_bool", [1], 1)[1] is True and call("flush_bool", [True], 0)[1] is False


def test_subscripts():
    assert call("subscr", [1, 2], 1) == 2 and call("subscr", (1, 2), 0) == 1 and call("subscr", [1, 2], -1) == 2
    assert call("subscr", {"a": 1}, "a") == 1 and call("subscr", "abc", 1) == "b"
    fails(IndexError, "list index out of range", "subscr", [1], 1)
    fails(IndexError, "tuple index out of range", "subscr", (1,), 5)
    assert fails(KeyError, None, "subscr", {}, (1, 2)).args == ((1, 2),)
    fails(TypeError, "unhashable type: 'list'", "subscr", {}, [])
    fails(TypeError, "'int' object is not subscriptable", "subscr", 1, 1)
    items, table = [1, 2], {}
    assert call("store_subscr", "x", items, 1) == 0 and items == [1, "x"]
    assert call("store_subscr", "y", items, -2) == 0 and items == ["y", "x"]
    assert call("store_subscr", 1, table, "k") == 0 and table == {"k": 1}
    fails(IndexError, "list assignment index out of range", "store_subscr", 1, items, 2)
    fails(TypeError, "unhashable type: 'list'", "store_subscr", 1, table, [])
    assert call("delete_subscr", table, "k") == 0 and table == {}
    fails(KeyError, "'k'", "delete_subscr", table, "k")
    assert call("get_len", "abc") == 3
    fails(TypeError, "object of type 'int' has no len()", "get_len", 1)


def test_slices():
    low, high = 0, (1 << 63) - 1
    for s in [list(range(9)), tuple(range(9)), "some words", b"some bytes", tuple(range(50)), "", [], ()]:
        for start, stop, step in [(None, None, NULL), (2, 5, NULL), (None, -1, None), (5, 2, 1), (-100, 100, 1), (7, None, -2), (None, None, -1)]:
            expected = s[start:stop:None if step is NULL else step]
            assert call("subscr_slice", s, start, stop, step) == expected
            by = step if type(step) is int else 1
            first, last = (high, -high - 1) if by < 0 else (low, high)
            quick = call("subscr_slice_quick", s, first if start is None else start, last if stop is None else stop, by)
            assert quick is NULL or (type(quick) is type(s) and quick == expected)
    assert call("subscr_slice_quick", [1, 2, 3], 0, 2, 0) is NULL and call("subscr_slice_quick", {}, 0, 2, 1) is NULL
    fails(ValueError, "slice step cannot be zero", "subscr_slice", [1], None, None, 0)
    fails(TypeError, "slice indices must be integers or None or have an __index__ method", "subscr_slice", [1], "a", None, NULL)
    fails(TypeError, "'int' object is not subscriptable", "subscr_slice", 1, 1, 2, NULL)
    shelf = Shelf()
    fails(TypeError, "unhashable type: 'slice'", "subscr_slice", shelf, 1, 2, NULL)
    assert call("subscr_slice", range(9), 1 << 70, None, -1) == range(8, -1, -1)

    def replaced(items, start, stop, value):
        return call("store_slice_quick", value, items, start, stop) is NULL, items

    assert replaced([1, 2, 3], 0, 2, [4, 5]) == (True, [4, 5, 3]) and replaced([1, 2, 3], 1, high, (6,)) == (True, [1, 6])
    assert replaced([1, 2, 3], 3, 0, (6, 7)) == (True, [1, 2, 3, 6, 7]) and replaced([], -5, 5, []) == (True, [])
    assert replaced([1, 2], 0, 1, "ab") == (False, [1, 2]) and replaced((1, 2), 0, 1, [1]) == (False, (1, 2))
    items = [1, 2]
    assert call("store_slice_quick", items, items, 0, 1) is items
    thing = [Shelf(), Shelf()]
    assert replaced(thing, 0, 1, [1])[0] is False and replaced([thing, thing, 1], 0, 1, (5,)) == (True, [5, thing, 1])
    assert call("store_subscr_slice", "ab", items, 1, None, NULL) == 0 and items == [1, "a", "b"]
    assert call("store_subscr_slice", (5, 6), items, None, None, 2) == 0 and items == [5, "a", 6]
    fails(TypeError, "can only assign an iterable", "store_subscr_slice", 5, items, 0, 1, NULL)
    fails(TypeError, "'tuple' object does not support item assignment", "store_subscr_slice", [], (), 0, 1, NULL)


def test_methods_of_lists():
    items = [1]
    assert call("list_insert", items, 0, "a") == 0 and call("list_insert", items, 100, "z") == 0
    assert call("list_insert", items, -1, "y") == 0 and items == ["a", 1, "y", "z"]
    assert [call("list_pop", items, i) for i in (-1, 0, 1, -1)] == ["z", "a", "y", 1] and items == []
    fails(IndexError, "pop from empty list", "list_pop", items, -1)
    fails(IndexError, "pop index out of range", "list_pop", [1], 1)
    fails(IndexError, "pop index out of range", "list_pop", [1], -2)
    many = [object() for _ in range(40)]
    assert [call("list_pop", many, i // 3) for i in range(20, 0, -1)] and len(many) == 20


class Point:
    __match_args__ = ("x", "y")

    def __init__(self):
        self.x, self.y = 1, 2

    def method(self):
        return self


class Shelf:
    def __init__(self):
        self.items = {}

    def __getitem__(self, key):
        return self.items[key]

    def __setitem__(self, key, value):
        self.items[key] = value


def test_new_instance():
    class Plain:
        pass

    for _ in range(3):
        made = call("new_instance", Plain)
        assert type(made) is Plain and vars(made) == {}
        made = call("new_instance", Plain)
        made.x = 1
        assert vars(made) == {"x": 1}


def test_instances_made_and_given_back():
    class Plain:
        pass

    class Slotted:
        __slots__ = "a", "b"

    class Finalised:
        def __del__(self):
            pass

    counts_all = hasattr(sys, "gettotalrefcount")
    gc.disable()
    for _ in range(3):
        for cls in Plain, Slotted:
            # A class has a version from the first look at its attributes on.
            assert not hasattr(cls(), "c")
            made = call("new_instance_quick", cls)
            if counts_all:
                assert made is NULL
                made = cls()
            assert type(made) is cls and not hasattr(made, "a")
            made.a, made.b = 1.5, None
            assert (made.a, made.b) == (1.5, None) and gc.is_tracked(made)
        assert not hasattr(Finalised(), "c")
        assert call("new_instance_quick", Finalised) is NULL
    assert call("new_instance_quick", int) is NULL
    gc.enable()


def test_subscript_functions():
    shelf = Shelf()
    assert call("store_subscr_function", "ts", Shelf.__setitem__, "book", shelf, 1.5) == 0 and shelf.items == {1.5: "book"}
    assert call("subscr_function", "ts", Shelf.__getitem__, shelf, 1.5) == "book"
    fails(KeyError, "2.5", "subscr_function", "ts", Shelf.__getitem__, shelf, 2.5)
    fails(TypeError, "unhashable type: 'list'", "store_subscr_function", "ts", Shelf.__setitem__, 1, shelf, [])


def test_attributes():
    point = Point()
    assert call("load_attr", point, "x") == 1
    fails(AttributeError, "'Point' object has no attribute 'z'", "load_attr", point, "z")
    assert call("load_method", point, "method", 2) == (0, Point.method, point)
    assert call("load_method", point, "x", 2) == (0, NULL, 1)
    fails(AttributeError, "'Point' object has no attribute 'z'", "load_method", point, "z", 2)
    assert call("store_attr", 5, point, "x") == 0 and point.x == 5
    assert call("delete_attr", point, "x") == 0 and not hasattr(point, "x")
    # The text differs between patch releases.
    fails(AttributeError, None, "delete_attr", point, "x")
    fails(AttributeError, "'int' object has no attribute 'x'", "store_attr", 5, 1, "x")


some_global = object()


def run_in(code, globals=None, locals=None):
    """Runs a module body in which `call`, `fails` and NULL are known."""
    globals = {} if globals is None else globals
    known = {"call": call, "fails": fails, "NULL": NULL, "rebuild": rebuild, "sys": sys}
    if isinstance(globals, dict):
        globals.update(known)
    exec(code, globals, locals)
    return locals if locals is not None else globals


def test_globals():
    assert call("load_global", "frame", "some_global") is some_global
    assert call("load_global", "frame", "len") is len
    error = fails(NameError, "name 'missing' is not defined", "load_global", "frame", "missing")
    assert error.name == "missing"
    assert call("store_global", "frame", "fresh_global", 5) == 0 and fresh_global == 5
    assert call("delete_global", "frame", "fresh_global") == 0
    fails(NameError, "name 'fresh_global' is not defined", "delete_global", "frame", "fresh_global")


names_code = compile(
    """
call("store_name", "frame", "a", 1)
assert a == 1 and call("load_name", "frame", "a") == 1 and call("load_name", "frame", "len") is len
call("delete_name", "frame", "a")
assert fails(NameError, "name 'a' is not defined", "delete_name", "frame", "a").name == "a"
fails(NameError, "name 'a' is not defined", "load_name", "frame", "a")
fails(NameError, "name 'a' is not defined", "load_global", "frame", "a")
assert call("setup_annotations", "frame") == 0 and __annotations__ == {}
__annotations__["k"] = 1
assert call("setup_annotations", "frame") == 0 and __annotations__ == {"k": 1}
""",
    "names",
    "exec",
)
peek_code = compile(
    """
here = 1
assert call("peek_name", "frame", "here") == 1 and call("peek_name", "frame", "absent") is NULL
assert call("peek_name", "frame", "len") is NULL
assert call("look_name", "frame", "here") == 1 and call("look_name", "frame", "absent") is NULL
assert call("look_name", "frame", "len") is len and call("look_name", "frame", "call") is call
""",
    "peek",
    "exec",
)
plain_code = compile(
    """
f, n, t, big, other = 1.5, 1000000, True, 1 << 70, []
kinds = []
for name in ("f", "n", "t", "big", "other", "absent"):
    kinds.append(call("name_kind", "frame", sys.intern(name)))
assert kinds == [1, 2, 3, 0, 0, 0], kinds
assert call("name_float", "frame", "f") == 1.5 and call("name_int", "frame", "n") == 1000000
assert call("name_int", "frame", "t") == 1 and call("name_int", "frame", "other") == 0
f_before, n_before = f, n
call("flush_name_float", "frame", "f", 1.5)
call("flush_name_int", "frame", "n", 1000000)
assert f is f_before and n is n_before
call("flush_name_float", "frame", "f", -0.0)
call("flush_name_int", "frame", "n", -(1 << 63))
call("flush_name_bool", "frame", "t", 0)
assert str(f) == "-0.0" and n == -(1 << 63) and t is False
call("flush_name_int", "frame", "f", 3)
assert f == 3 and type(f) is int
assert call("replace_name", "frame", "f", "text") == 1 and f == "text"
assert call("replace_name", "frame", "other", 1) == 0 and other == []
shared = other
assert call("replace_name", "frame", "other", 1) == 1 and other == 1 and shared == []
assert call("replace_name", "frame", "absent", 1) == 0 and "absent" not in vars()
""",
    "plain",
    "exec",
)
general_code = compile(
    """
x = 1
assert call("name_kind", "frame", "x") == 0 and call("replace_name", "frame", "x", 2) == 0 and x == 1
assert call("peek_name", "frame", "x") is NULL and call("look_name", "frame", "x") is NULL
call("flush_name_int", "frame", "x", 5)
assert x == 1
""",
    "general",
    "exec",
)
exit_code = compile(
    """
f, n, c, d, e = float("1.5"), 1000000, None, None, 0
f_before = f
index = sys._getframe().f_code.co_names.index
constants = sys._getframe().f_code.co_consts
rebuild(
    [],
    [("float", 0), ("int", 1)],
    [1.5, -7000000, 9.25],
    [
        (index("f"), "float", 0),
        (index("n"), "int", 1),
        (index("c"), "float", 2),
        (index("d"), "float", 2),
        (index("e"), "const", constants.index("f")),
    ],
)
assert f is f_before and n == -7000000 and c == 9.25 and c is d and e == "f"
""",
    "exit",
    "exec",
)
builtins_code = compile(
    """
assert call("load_global", "frame", "only_there") == 3 and call("load_name", "frame", "only_there") == 3
fails(NameError, "name 'missing' is not defined", "load_global", "frame", "missing")
fails(NameError, "__build_class__ not found", "load_build_class", "frame")
""",
    "builtins",
    "exec",
)


def test_names():
    run_in(names_code)
    run_in(names_code, {}, Namespace())
    run_in(peek_code)
    run_in(plain_code)
    run_in(plain_code, None, {})
    run_in(general_code, None, {1: 2})
    run_in(general_code, None, Namespace())
    run_in(exit_code)
    table = Namespace(only_there=3, call=call)
    import builtins

    class Builtins(dict):
        pass

    run_in(builtins_code, {"__builtins__": Builtins(only_there=3, NameError=NameError)})
    assert call("load_build_class", "frame") is builtins.__build_class__
    text = "no locals found when storing 'a'"
    fails(SystemError, text, "store_name", "frame", "a", 1)
    fails(SystemError, "no locals when loading 'a'", "load_name", "frame", "a")
    fails(SystemError, "no locals when deleting 'a'", "delete_name", "frame", "a")
    fails(SystemError, "no locals found when setting up annotations", "setup_annotations", "frame")
    unset = 1
    del unset
    index = test_names.__code__.co_varnames.index("unset")
    text = "cannot access local variable 'unset' where it is not associated with a value"
    fails(UnboundLocalError, text, "unbound_local", "frame", index)


def test_cells():
    made = call("make_cell", [5])[1]
    assert type(made).__name__ == "cell" and made.cell_contents == 5
    raises(ValueError, "Cell is empty", lambda: call("make_cell", [NULL])[1].cell_contents)
    call("store_deref", made, 7)
    assert made.cell_contents == 7

    own = 3

    def inner():
        outer = own
        mine = 4
        keep = lambda: mine
        code = inner.__code__
        names = code.co_varnames + code.co_cellvars + code.co_freevars
        assert call("load_deref", "frame", names.index("own")) == 3
        assert call("load_deref", "frame", names.index("mine")) == 4
        assert call("delete_deref", "frame", names.index("mine")) == 0
        text = "cannot access local variable 'mine' where it is not associated with a value"
        fails(UnboundLocalError, text, "load_deref", "frame", names.index("mine"))
        fails(UnboundLocalError, text, "delete_deref", "frame", names.index("mine"))
        assert call("delete_deref", "frame", names.index("own")) == 0
        text = "cannot access free variable 'own' where it is not associated with a value in enclosing scope"
        assert fails(NameError, text, "load_deref", "frame", names.index("own")).name == "own"

    inner()
    seen = 8

    class Body:
        assert call("load_class_deref", "frame", 0) == 8
        locals()["seen"] = 9
        assert call("load_class_deref", "frame", 0) == 9
        del locals()["seen"]
        keep = lambda: seen
        reference = seen


def test_building():
    assert call("build_tuple", (1, 2), 2) == (1, 2) and call("build_tuple", (), 0) == ()
    assert call("build_list", (1, 2), 2) == [1, 2] and call("build_list", (), 0) == []
    assert call("build_set", (1, 2, 1), 3) == {1, 2}
    fails(TypeError, "unhashable type: 'list'", "build_set", (1, [], 2), 3)
    assert call("build_map", ("a", 1, "b", 2), 2) == {"a": 1, "b": 2} and call("build_map", (), 0) == {}
    many = tuple(x for i in range(30) for x in (str(i), i))
    assert sys.getsizeof(call("build_map", many, 30)) == sys.getsizeof(eval("{%s}" % ",".join(f"'{i}':{i}" for i in range(30))))
    fails(TypeError, "unhashable type: 'list'", "build_map", ("a", 1, [], 2), 2)
    assert call("build_const_key_map", (1, 2, ("a", "b")), 2) == {"a": 1, "b": 2}
    fails(SystemError, "bad BUILD_CONST_KEY_MAP keys argument", "build_const_key_map", (1, 2, ("a",)), 2)
    assert call("build_slice", 1, 2, NULL) == slice(1, 2) and call("build_slice", 1, 2, 3) == slice(1, 2, 3)
    assert call("build_string", ("a", "b", "ß"), 3) == "abß"
    assert call("format_value", "a", NULL, 0) == "a" and call("format_value", "a", NULL, 2) == "'a'"
    assert call("format_value", 1.5, ".3f", 0) == "1.500" and call("format_value", "ß", NULL, 3) == "'\\xdf'"
    assert call("format_value", 5, NULL, 1) == "5" and call("format_value", 5, "3", 2) == "5  "
    fails(ValueError, "Unknown format code 'q' for object of type 'int'", "format_value", 5, "q", 0)
    fails(TypeError, "unsupported format string passed to list.__format__", "format_value", [], "q", 0)
    fails(SystemError, "unexpected conversion flag 4", "format_value", 5, "x", 4)

    class Unprintable:
        def __repr__(self):
            raise ValueError("no text")

    fails(ValueError, "no text", "format_value", Unprintable(), "x", 2)


def test_filling():
    items = []
    for i in range(20):
        assert call("list_append", items, i) == 0
    assert items == list(range(20))
    unique = set()
    assert call("set_add", unique, 1) == 0 and unique == {1}
    fails(TypeError, "unhashable type: 'list'", "set_add", unique, [])
    table = {}
    assert call("map_add", table, "a", 1) == 0 and table == {"a": 1}
    fails(TypeError, "unhashable type: 'list'", "map_add", table, [], 1)
    assert call("list_extend", items, "ab") == 0 and items[-1] == "b"
    fails(TypeError, "Value after * must be an iterable, not int", "list_extend", items, 5)
    assert call("set_update", unique, [2]) == 0 and unique == {1, 2}
    fails(TypeError, "'int' object is not iterable", "set_update", unique, 5)
    assert call("dict_update", table, {"b": 2}) == 0 and table == {"a": 1, "b": 2}
    fails(TypeError, "'int' object is not a mapping", "dict_update", table, 5)
    assert call("dict_merge", table, {"c": 3}, len) == 0 and table["c"] == 3
    fails(TypeError, "len() argument after ** must be a mapping, not int", "dict_merge", table, 5, len)
    text = "__main__.test_filling() got multiple values for keyword argument 'c'"
    fails(TypeError, text, "dict_merge", table, {"c": 3}, test_filling)
    assert call("list_to_tuple", [1, 2]) == (1, 2)


def test_unpacking():
    class Sequence:
        def __init__(self, count):
            self.count = count

        def __iter__(self):
            for i in range(self.count):
                yield object()
            if self.count == 9:
                raise ValueError("nine")

    assert call("unpack_sequence", (1, 2), 2, 2) == (0, 2, 1) and call("unpack_sequence", [1, 2], 2, 2) == (0, 2, 1)
    assert call("unpack_sequence", "ab", 2, 2) == (0, "b", "a") and call("unpack_sequence", (), 0, 0) == (0,)
    fails(ValueError, "not enough values to unpack (expected 3, got 2)", "unpack_sequence", (1, 2), 3, 3)
    fails(ValueError, "not enough values to unpack (expected 3, got 2)", "unpack_sequence", Sequence(2), 3, 3)
    fails(ValueError, "too many values to unpack (expected 1)", "unpack_sequence", [1, 2], 1, 1)
    fails(ValueError, "too many values to unpack (expected 1)", "unpack_sequence", Sequence(2), 1, 1)
    fails(ValueError, "nine", "unpack_sequence", Sequence(9), 20, 20)
    fails(TypeError, "cannot unpack non-iterable int object", "unpack_sequence", 5, 1, 1)
    assert call("unpack_ex", range(5), 4, 1, 2) == (0, 4, 3, [1, 2], 0)
    assert call("unpack_ex", "abc", 4, 1, 2) == (0, "c", "b", [], "a")
    text = "not enough values to unpack (expected at least 3, got 2)"
    fails(ValueError, text, "unpack_ex", Sequence(2), 4, 1, 2)
    fails(ValueError, "not enough values to unpack (expected at least 2, got 0)", "unpack_ex", (), 3, 2, 0)
    fails(ValueError, "nine", "unpack_ex", Sequence(9), 3, 2, 0)
    fails(TypeError, "cannot unpack non-iterable int object", "unpack_ex", 5, 3, 2, 0)


def test_iteration():
    for bounds in (0, 5, 1), (5, 0, -2), (3, 3, 1), (-(1 << 63), 3 - (1 << 63), 1), (7, 2, 1):
        iterator = call("range_iterator", *bounds)
        assert type(iterator) is type(iter(range(1))) and list(iterator) == list(range(*bounds)), bounds
    for bounds in (0, 5, 0), (-(1 << 63), (1 << 63) - 2, 1 << 62), (0, (1 << 63) - 1, 2), (0, -(1 << 63), -2):
        assert call("range_iterator", *bounds) is NULL, bounds
    for sequence in [1, "a", None], (1.5, 2), [], ():
        count = sys.getrefcount(sequence)
        iterator = call("sequence_iterator", sequence)
        assert type(iterator) is type(iter(sequence)) and gc.is_tracked(iterator) and list(iterator) == list(sequence), sequence
        del iterator
        assert sys.getrefcount(sequence) == count
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    keep = [[] for _ in range(10)]
    made = [call("sequence_iterator", keep) for _ in range(5)]
    gc.set_threshold(*thresholds)
    assert NULL in made, "the collector could have been started"
    iterator = call("get_iter", [1])
    assert call("for_iter", iterator) == 1 and call("for_iter", iterator) is NULL
    fails(TypeError, "'int' object is not iterable", "get_iter", 5)

    class Iterator:
        def __iter__(self):
            return self

        def __next__(self):
            raise kind

    kind = StopIteration
    assert call("for_iter", Iterator()) is NULL
    kind = ValueError
    fails(ValueError, "", "for_iter", Iterator())
    assert call("error_set", "ts") == 0


def function(*args, **kwargs):
    return args, kwargs


class Callable:
    def __call__(self, *args, **kwargs):
        return args, kwargs

    def method(self, *args, **kwargs):
        return self, args, kwargs


def test_calls():
    target = Callable()
    assert call("call", "ts", (NULL, function, 1, 2), 2, NULL) == ((1, 2), {})
    assert call("call", "ts", (NULL, function, 1, 2), 2, ("k",)) == ((1,), {"k": 2})
    assert call("call", "ts", (function, target, 1), 1, NULL) == ((target, 1), {})
    assert call("call", "ts", (NULL, target.method, 1, 2), 2, ("k",)) == (target, (1,), {"k": 2})
    assert call("call", "ts", (NULL, target, 1), 1, NULL) == ((1,), {})
    assert call("call", "ts", (NULL, len, "abc"), 1, NULL) == 3
    assert call("call", "ts", (str.upper, "abc"), 0, NULL) == "ABC"
    assert type(call("call", "ts", (NULL, Callable), 0, NULL)) is Callable
    fails(TypeError, "'int' object is not callable", "call", "ts", (NULL, 5), 0, NULL)
    fails(TypeError, "len() takes exactly one argument (2 given)", "call", "ts", (NULL, len, 1, 2), 2, NULL)
    assert call("call_function_ex", "ts", function, (1,), NULL, 1)[0] == ((1,), {})
    assert call("call_function_ex", "ts", function, [1], {"k": 2}, 1)[0] == ((1,), {"k": 2})

    class Mapping:
        def keys(self):
            return ["a", "b"]

        def __getitem__(self, key):
            return key

    assert call("call_function_ex", "ts", function, (), Mapping(), 1)[0] == ((), {"a": "a", "b": "b"})
    text = "__main__.function() argument after ** must be a mapping, not int"
    fails(TypeError, text, "call_function_ex", "ts", function, (), 5, 1)
    text = "__main__.function() argument after * must be an iterable, not int"
    fails(TypeError, text, "call_function_ex", "ts", function, 5, NULL, 1)
    fails(TypeError, "'int' object is not callable", "call_function_ex", "ts", 5, (), NULL, 1)


def start_tracing():
    sys.settrace(lambda *arguments: None)
    return "started"


def test_calls_that_start_tracing():
    try:
        result = raw_call("call", "ts", [NULL, start_tracing], 0, NULL)
    finally:
        sys.settrace(None)
    assert result[0] is NULL and result[1] == "started"
    try:
        result = raw_call("call_function_ex", "ts", start_tracing, (), NULL, 1)
    finally:
        sys.settrace(None)
    assert result == (NULL, "started")
    try:
        start_tracing()
        pending = raw_call("handle_pending", "ts", "frame")
    finally:
        sys.settrace(None)
    assert pending == 1


def template(a, b=1, *, c=2):
    return a, b, c


def test_functions():
    code = template.__code__
    made = call("make_function", "frame", ((5,), {"c": 6}, ("a", int), code), 7)
    assert made(1) == (1, 5, 6) and made.__annotations__ == {"a": int} and made.__globals__ is globals()
    assert made.__qualname__ == "template" and made.__module__ == "__main__"
    made = call("make_function", "frame", (code,), 0)
    assert made.__defaults__ is None and made.__kwdefaults__ is None and made.__closure__ is None

    def closure():
        return code

    made = call("make_function", "frame", (closure.__closure__, closure.__code__), 8)
    assert made() is code
    shown = []
    hook = sys.displayhook
    sys.displayhook = shown.append
    call("print_expr", 5)
    assert shown == [5]
    del sys.displayhook
    try:
        fails(RuntimeError, "lost sys.displayhook", "print_expr", 5)
    finally:
        sys.displayhook = hook
    assert call("load_assertion_error") is AssertionError


star_code = compile("call('import_star', 'frame', source)", "star", "exec")


def star(source, locals=None):
    namespace = {"call": raw_call, "source": source}
    used.add("import_star")
    exec(star_code, namespace, locals)
    return namespace if locals is None else locals


def test_imports():
    import builtins
    import types

    assert call("import_name", "frame", "sys", None, 0) is sys
    import os.path

    assert call("import_name", "frame", "os.path", ("join",), 0) is os.path
    fails(ModuleNotFoundError, "No module named 'no_such_module'", "import_name", "frame", "no_such_module", None, 0)
    fails(OverflowError, None, "import_name", "frame", "sys", None, 1 << 70)
    original = builtins.__import__
    seen = []
    builtins.__import__ = lambda *arguments: seen.append(arguments) or 42
    try:
        assert raw_call("import_name", "frame", "sys", ("a",), 0) == 42
    finally:
        builtins.__import__ = original
    assert seen == [("sys", globals(), None, ("a",), 0)]
    builtins_without = {"call": raw_call}
    assert call("import_from", os, "path") is os.path
    text = "cannot import name 'nothing' from 'sys' (unknown location)"
    error = fails(ImportError, text, "import_from", sys, "nothing")
    assert error.name == "sys" and error.path is None
    text = f"cannot import name 'nothing' from 'os' ({os.__file__})"
    error = fails(ImportError, text, "import_from", os, "nothing")
    assert error.name == "os" and error.path == os.__file__
    module = types.ModuleType("starting")
    module.__file__ = "starting.py"
    module.__spec__ = types.SimpleNamespace(_initializing=True)
    text = (
        "cannot import name 'nothing' from partially initialized module 'starting' "
        "(most likely due to a circular import) (starting.py)"
    )
    fails(ImportError, text, "import_from", module, "nothing")
    fails(ImportError, "cannot import name 'nothing' from '<unknown module name>' (unknown location)", "import_from", 5, "nothing")
    sys.modules["starting.part"] = 7
    try:
        assert call("import_from", module, "part") == 7
    finally:
        del sys.modules["starting.part"]

    module = types.ModuleType("source")
    module.a, module._b = 1, 2
    filled = star(module)
    assert filled["a"] == 1 and "_b" not in filled
    filled = star(module, Namespace())
    assert filled["a"] == 1
    module.__all__ = ["_b"]
    filled = star(module)
    assert filled["_b"] == 2 and "a" not in filled
    module.__all__ = ["_b", 5]
    raises(TypeError, "Item in source.__all__ must be str, not int", star, module)
    module.__all__ = ["none"]
    raises(AttributeError, "module 'source' has no attribute 'none'", star, module)
    raises(ImportError, "from-import-* object has no __dict__ and no __all__", star, object())


def generator():
    received = yield 1
    yield received
    return "done"


async def coroutine():
    return 5


class Awaiting:
    def __init__(self, result):
        self.result = result

    def __await__(self):
        return self.result


def test_generators():
    import types

    running = generator()
    assert call("send", running, None, 1) == (1, 1) and call("send", running, "x", 1) == (1, "x")
    assert call("send", running, None, 1) == (0, "done")
    assert call("send", iter([1]), None, 1) == (1, 1) and call("send", iter([]), None, 1) == (0, None)
    fails(AttributeError, "'list_iterator' object has no attribute 'send'", "send", iter([1]), 1, 1)

    coro = coroutine()
    assert call("get_awaitable", "frame", coro, 0) is coro
    coro.close()
    iterator = iter([])
    assert call("get_awaitable", "frame", Awaiting(iterator), 0) is iterator
    fails(TypeError, "__await__() returned non-iterator of type 'int'", "get_awaitable", "frame", Awaiting(5), 0)
    coro = coroutine()
    fails(TypeError, "__await__() returned a coroutine", "get_awaitable", "frame", Awaiting(coro), 0)
    coro.close()
    fails(TypeError, "object int can't be used in 'await' expression", "get_awaitable", "frame", 5, 0)
    text = "'async with' received an object from __aenter__ that does not implement __await__: int"
    fails(TypeError, text, "get_awaitable", "frame", 5, 1)
    text = "'async with' received an object from __aexit__ that does not implement __await__: int"
    fails(TypeError, text, "get_awaitable", "frame", 5, 2)

    @types.coroutine
    def decorated():
        yield

    decorated = decorated()
    assert call("get_awaitable", "frame", decorated, 0) is decorated
    fails(TypeError, "object generator can't be used in 'await' expression", "get_awaitable", "frame", generator(), 0)

    async def waits():
        await Awaiting(iter([1]))

    coro = waits()
    coro.send(None)
    fails(RuntimeError, "coroutine is being awaited already", "get_awaitable", "frame", coro, 0)
    coro.close()

    coro = coroutine()
    text = "cannot 'yield from' a coroutine object in a non-coroutine generator"
    fails(TypeError, text, "get_yield_from_iter", "frame", coro)
    coro.close()
    running = generator()
    assert call("get_yield_from_iter", "frame", running) is running
    assert list(call("get_yield_from_iter", "frame", [1])) == [1]
    fails(TypeError, "'int' object is not iterable", "get_yield_from_iter", "frame", 5)


class Asynchronous:
    def __aiter__(self):
        return self

    def __anext__(self):
        return self.result


def test_asynchronous_iteration():
    async def values():
        yield 1

    source = Asynchronous()
    assert call("get_aiter", source) is source
    fails(TypeError, "'async for' requires an object with __aiter__ method, got int", "get_aiter", 5)

    class Wrong:
        def __aiter__(self):
            return 5

    text = "'async for' received an object from __aiter__ that does not implement __anext__: int"
    fails(TypeError, text, "get_aiter", Wrong())
    iterator = iter([])
    source.result = Awaiting(iterator)
    assert call("get_anext", source) is iterator
    source.result = 5
    error = fails(TypeError, "'async for' received an invalid object from __anext__: int", "get_anext", source)
    assert str(error.__cause__) == "object int can't be used in 'await' expression"
    fails(TypeError, "'async for' requires an iterator with __anext__ method, got int", "get_anext", 5)
    stream = values()
    step = call("get_anext", stream)
    raises(StopIteration, "1", step.send, None)
    stream.aclose().close()
    wrapped = call("async_gen_wrap", [1])
    assert type(wrapped).__name__ == "async_generator_wrapped_value" and gc.is_tracked(wrapped)
    assert gc.get_referents(wrapped) == [[1]]
    del wrapped
    assert call("end_async_for", source, StopAsyncIteration()) == 0
    error = ValueError("other")
    assert fails(ValueError, "other", "end_async_for", source, error) is error
    error.__traceback__ = None


class Manager:
    def __enter__(self):
        return "entered"

    def __exit__(self, *details):
        return details

    __aenter__ = __enter__
    __aexit__ = __exit__


def test_with():
    manager = Manager()
    assert call("before_with", manager, 2) == (0, manager.__exit__, "entered")
    assert call("before_async_with", manager, 2) == (0, manager.__aexit__, "entered")
    text = "'int' object does not support the context manager protocol"
    fails(TypeError, text, "before_with", 5, 2)
    text = "'int' object does not support the asynchronous context manager protocol"
    fails(TypeError, text, "before_async_with", 5, 2)

    class Half:
        def __enter__(self):
            return self

        __aenter__ = __enter__

    text = "'Half' object does not support the context manager protocol (missed __exit__ method)"
    fails(TypeError, text, "before_with", Half(), 2)
    text = "'Half' object does not support the asynchronous context manager protocol (missed __aexit__ method)"
    fails(TypeError, text, "before_async_with", Half(), 2)

    class Failing(Manager):
        def __enter__(self):
            raise ValueError("enter")

    fails(ValueError, "enter", "before_with", Failing(), 2)
    error = ValueError()
    assert call("with_except_start", manager.__exit__, error) == (ValueError, error, None)


def test_exceptions():
    error = fails(ValueError, "a", "raise_varargs", "ts", ValueError("a"), NULL)
    assert error.__cause__ is None and error.__context__ is None
    fails(ValueError, "", "raise_varargs", "ts", ValueError, NULL)
    cause = KeyError("k")
    error = fails(ValueError, "a", "raise_varargs", "ts", ValueError("a"), cause)
    assert error.__cause__ is cause and error.__suppress_context__
    error = fails(ValueError, "a", "raise_varargs", "ts", ValueError("a"), KeyError)
    assert type(error.__cause__) is KeyError
    error = fails(ValueError, "a", "raise_varargs", "ts", ValueError("a"), None)
    assert error.__cause__ is None and error.__suppress_context__
    fails(TypeError, "exceptions must derive from BaseException", "raise_varargs", "ts", 5, NULL)
    fails(TypeError, "exceptions must derive from BaseException", "raise_varargs", "ts", 5, cause)
    text = "exception causes must derive from BaseException"
    fails(TypeError, text, "raise_varargs", "ts", ValueError("a"), 5)
    fails(RuntimeError, "No active exception to reraise", "raise_varargs", "ts", NULL, NULL)

    class Strange(Exception):
        def __new__(cls):
            return 5

    text = f"calling {Strange!r} should have returned an instance of BaseException, not <class 'int'>"
    fails(TypeError, text, "raise_varargs", "ts", Strange, NULL)

    class Refusing(Exception):
        def __init__(self):
            raise KeyError("refused")

    fails(KeyError, "'refused'", "raise_varargs", "ts", Refusing, NULL)
    fails(KeyError, "'refused'", "raise_varargs", "ts", ValueError("a"), Refusing)
    outer = ValueError("outer")
    try:
        raise outer
    except ValueError:
        error = fails(KeyError, "'inner'", "raise_varargs", "ts", KeyError("inner"), NULL)
        assert error.__context__ is outer
        assert fails(ValueError, "outer", "raise_varargs", "ts", NULL, NULL) is outer
    outer.__traceback__ = error.__traceback__ = error.__context__ = None

    value = ValueError("v")
    assert call("check_exc_match", value, ValueError) == 1 and call("check_exc_match", value, (KeyError,)) == 0
    text = "catching classes that do not inherit from BaseException is not allowed"
    fails(TypeError, text, "check_exc_match", value, 5)
    fails(TypeError, text, "check_exc_match", value, (ValueError, 5))
    assert fails(ValueError, "v", "reraise", "frame", value, NULL) is value
    fails(SystemError, "lasti is not an int", "reraise", "frame", value, "x")
    value.__traceback__ = None
    assert call("push_exc_info", "ts", value) is None and sys.exception() is value
    assert call("push_exc_info", "ts", cause) is value and sys.exception() is cause
    call("pop_except", "ts", value)
    assert sys.exception() is value
    call("pop_except", "ts", None)
    assert sys.exception() is None
    caught = call("catch_exception", "ts")
    assert type(caught) is SystemError and str(caught) == "error return without exception set"
    assert caught.__traceback__ is None
    error = fails(SystemError, "error return without exception set", "add_traceback", "ts", "frame")
    lines = []
    walk = error.__traceback__
    while walk:
        lines.append(walk.tb_frame.f_code.co_name)
        walk = walk.tb_next
    assert lines == ["raises", "call", "call"], lines
    error.__traceback__ = None
    walk = None


def group_of(*members):
    return ExceptionGroup("g", members)


def test_groups():
    first, second = ValueError("1"), KeyError("2")
    group = group_of(first, second)

    def restored(*operands):
        before = sys.exception()
        try:
            return call("check_eg_match", *operands)
        finally:
            call("pop_except", "ts", before)

    none, rest, match = restored(group, ValueError, 2)
    assert match.exceptions == (first,) and rest.exceptions == (second,)
    none, rest, match = restored(group, KeyError, 2)
    assert match.exceptions == (second,) and rest.exceptions == (first,)
    assert restored(group, Exception, 2) == (0, None, group)
    assert restored(group, OSError, 2) == (0, group, None)
    assert restored(None, OSError, 2) == (0, None, None)
    assert restored(first, OSError, 2) == (0, first, None)
    status, rest, match = restored(first, ValueError, 2)
    assert rest is None and type(match) is ExceptionGroup and match.exceptions == (first,) and match.message == ""
    text = "catching ExceptionGroup with except* is not allowed. Use except instead."
    fails(TypeError, text, "check_eg_match", group, ExceptionGroup, 2)
    fails(TypeError, text, "check_eg_match", group, (ValueError, ExceptionGroup), 2)
    text = "catching classes that do not inherit from BaseException is not allowed"
    fails(TypeError, text, "check_eg_match", group, 5, 2)

    assert call("prep_reraise_star", group, []) is None
    assert call("prep_reraise_star", group, [None]) is None
    assert call("prep_reraise_star", first, [second, None]) is second

    class Custom(ExceptionGroup):
        def derive(self, members):
            return Custom(self.message, members)

    nested = Custom("outer", [first, group_of(second, OSError("3"))])
    nested.add_note("kept")
    try:
        raise nested
    except Custom:
        pass
    part = nested.subgroup(KeyError)
    result = call("prep_reraise_star", nested, [part, None])
    assert type(result) is Custom and result.message == "outer" and result.__notes__ == ["kept"]
    assert [type(e) for e in result.exceptions] == [ExceptionGroup] and result.exceptions[0].exceptions == (second,)
    assert result.__traceback__ is nested.__traceback__
    fresh = TypeError("raised")
    result = call("prep_reraise_star", nested, [fresh, part])
    assert type(result) is ExceptionGroup and result.message == "" and result.exceptions[0] is fresh
    assert result.exceptions[1].exceptions[0].exceptions == (second,)
    result = call("prep_reraise_star", nested, [fresh])
    if sys.version_info >= (3, 11, 4):
        assert result is fresh
    else:
        assert result.exceptions == (fresh,)
    nested.__traceback__ = None

    class Wrong(ExceptionGroup):
        def derive(self, members):
            return 5

    wrong = Wrong("w", [first])
    fails(TypeError, "derive must return an instance of BaseExceptionGroup", "prep_reraise_star", wrong, [wrong])


def test_pending():
    import signal
    import threading

    assert call("handle_pending", "ts", "frame") == 0
    seen = []
    old = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        signal.raise_signal(signal.SIGUSR1)
        call("handle_pending", "ts", "frame")
        assert seen == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_matching():
    assert call("match_mapping", {}) == 1 and call("match_mapping", []) == 0
    assert call("match_sequence", []) == 1 and call("match_sequence", "a") == 0
    table = {"a": 1, "b": 2}
    assert call("match_keys", table, ("a", "b")) == (1, 2) and call("match_keys", table, ("a", "z")) is None
    assert call("match_keys", table, ()) == ()
    fails(ValueError, "mapping pattern checks duplicate key ('a')", "match_keys", table, ("a", "a"))
    fails(AttributeError, "'int' object has no attribute 'get'", "match_keys", 5, ("a",))
    fails(TypeError, "unhashable type: 'list'", "match_keys", table, ([],))
    point = Point()
    assert call("match_class", point, Point, ("y",), 1) == (1, 2)
    assert call("match_class", point, Point, (), 0) == () and call("match_class", 5, Point, (), 0) is None
    assert call("match_class", point, Point, ("z",), 0) is None and call("match_class", 5, int, (), 1) == (5,)
    fails(TypeError, "called match pattern must be a type", "match_class", point, 5, (), 0)
    fails(TypeError, "Point() accepts 2 positional sub-patterns (3 given)", "match_class", point, Point, (), 3)
    fails(TypeError, "int() accepts 1 positional sub-pattern (2 given)", "match_class", 5, int, (), 2)
    fails(TypeError, "Manager() accepts 0 positional sub-patterns (1 given)", "match_class", Manager(), Manager, (), 1)
    text = "Point() got multiple sub-patterns for attribute 'x'"
    fails(TypeError, text, "match_class", point, Point, ("x",), 1)

    class Listed:
        __match_args__ = ["a"]

    fails(TypeError, "Listed.__match_args__ must be a tuple (got list)", "match_class", Listed(), Listed, (), 1)

    class Numbered:
        __match_args__ = (5,)

    fails(TypeError, "__match_args__ elements must be strings (got int)", "match_class", Numbered(), Numbered, (), 1)


def test_references():
    import ctypes

    thing = object()
    count = sys.getrefcount(thing)
    call("incref", thing)
    assert sys.getrefcount(thing) == count + 1
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))
    # `call` makes the reference that these two release.
    call("decref", thing)
    call("xdecref", thing)
    call("xdecref", NULL)
    assert sys.getrefcount(thing) == count


def test_exits():
    a, b, text = float("1.5"), int("1000000"), "text"
    names = test_exits.__code__.co_varnames
    local = lambda name, kind, index: (names.index(name), kind, index)
    result = rebuild(
        [local("a", "float", 0), local("b", "int", 1), local("text", "owned", 2)],
        [("float", 0), ("float", 3), ("float", 3), ("int", 4), ("bool", 5), ("null", 0), ("borrowed", 2), ("const", 1)],
        [1.5, 1000000, b"new", 9.25, -(1 << 62), 1],
    )
    size = len(names) + len(test_exits.__code__.co_cellvars)
    locals, stack = result[:size], result[size:]
    assert locals[names.index("a")] is a and locals[names.index("b")] is b
    assert locals[names.index("text")] == b"new"
    assert stack[0] is a, (stack, locals)
    assert stack[1] == 9.25 and stack[1] is stack[2], stack
    # Two slots in `result`, two in `stack`, and the argument.
    assert sys.getrefcount(stack[1]) == 5
    assert stack[3] == -(1 << 62) and stack[4] is True and stack[5] is NULL and stack[6] == b"new"
    assert stack[7] is test_exits.__code__.co_consts[1]
    numbers = [("number", 0), ("number", 2), ("number", 0)]
    result = rebuild([], numbers, [-9007199254740991.0, 1, -0.0, 0])
    assert repr(result[size:]) == "(-9007199254740991, -0.0, -9007199254740991)" and result[size] is result[size + 2]
    result = rebuild([local("a", "int", 0), local("text", "null", 0)], [], [7])
    assert result[names.index("a")] == 7 and result[names.index("text")] is NULL


# Objects that outlive every test: a reference too many or too few shows in their counts, not in memory blocks.
WATCHED = [None, True, False, NULL, Ellipsis, (), "", "a", "b", "k", "x", *range(-5, 12), int, float, str, list, dict]
WATCHED += [object, type, Point, Manager, Namespace, Callable, Awaiting, function, generator, some_global, sys, len]
WATCHED += [ValueError, KeyError, TypeError, StopIteration, StopAsyncIteration, ExceptionGroup, AssertionError]


def counts():
    # An empty entry of the cache of methods holds a reference to None.
    sys._clear_type_cache()
    gc.collect()
    return [sys.getallocatedblocks(), *map(sys.getrefcount, WATCHED)]


def check_balance(test, rounds):
    """Something that grows or shrinks in every round is a fault; tables of CPython's own that still settle are not, so
    what looks wrong is confirmed by longer runs."""
    suspects = set(range(len(WATCHED) + 1))
    for rounds in (rounds, rounds, 4 * rounds, 20 * rounds):
        before = counts()
        for _ in range(rounds):
            test()
        suspects &= {i for i, (old, new) in enumerate(zip(before, counts())) if abs(new - old) > rounds // 2}
        if not suspects:
            return
    raise AssertionError(["memory blocks" if i == 0 else WATCHED[i - 1] for i in suspects])


def main():
    import traceback

    failed = 0
    tests = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
    for test in tests:
        try:
            test()
            check_balance(test, 10 if test in (test_floats, test_compare, test_math) else 60)
        except BaseException:
            print("FAILED:", test.__name__, file=sys.stderr)
            traceback.print_exc()
            failed += 1
    missing = sorted(set(HELPERS) - used)
    assert not failed, f"{failed} failed"
    # The first are tested in `helpers.rs`, the others need compiled code (`tests/python/generators_resumed_directly.py`,
    # `generators_collected.py` and `plain_instances.py`).
    elsewhere = {"dealloc", "copy_free_vars", "note_first_store"}
    elsewhere |= {"for_iter_direct", "send_direct", "call_collecting", "collect_value", "give_back"}
    assert set(missing) <= elsewhere, missing


main()
