"""Writes random Python programs.

Problem: what a compiler guesses about a program is wrong at places nobody thinks of: a number that leaves 62 bits in the
middle of a loop, a variable that changes its type there, an exception out of a generator that a loop has half consumed.

Method: a program is a text made from a seed. Expressions are written for a kind of value (`int`, `float`, `list`, ...), so
that most of them work; a few percent are of another kind, so that types change midway and exceptions fly. Constants come
from the edges of machine words and floats. Each program defines classes and functions, then calls each function thirty
times with arguments of mostly the same types, so that inline caches are warm when it is compiled, and looks at everything
that came out.

Invariants: the same seed gives the same text. A program ends: loops have bounds, functions call only functions that were
written before them, and a call in a loop is paid for from a budget. What it prints depends on nothing but itself: no
identities, no finalisers, no NaN where containers compare by identity first (`docs/deviations.md`).

A program finds in its namespace what `execute.py` puts there: `P` (looks at values), `E` (looks at an exception).
"""

import random

from objects import Objects

INTS = sorted(
    {sign * ((1 << bits) + offset) for bits in (30, 31, 32, 60, 62, 63, 64) for offset in (-1, 0, 1) for sign in (1, -1)}
    | {0, 1, 2, 3, 5, 7, -1, -2, -5, 10, 100, 255, 256, 257, -6, 1 << 70, 3 ** 50}
)
FLOATS = ["0.0", "-0.0", "1.0", "0.5", "-1.5", "2.5", "1e16", "1e308", "-1e308", "5e-324", "2.2250738585072014e-308",
          "0.1", "4611686018427387904.0", "9223372036854775808.0", "-9223372036854775808.0", "3.0", "1e-9", "INF", "-INF", "NAN"]
STRINGS = ["''", "'a'", "'abc'", "'xyz%d'", "'\\u00e9t\\u00e9'", "'\\U0001f40d'", "'0'", "'12'", "' b '", "'aXbX'"]
COMPARES = ["<", "<=", ">", ">=", "==", "!="]
KINDS = ["int", "float", "bool", "str", "list", "tuple", "dict", "set", "bytes", "obj", "none", "array"]
EXCEPTIONS = ["ValueError", "KeyError", "TypeError", "ZeroDivisionError", "IndexError", "StopIteration", "OverflowError",
              "AttributeError", "Exception", "ArithmeticError", "LookupError", "(TypeError, ValueError)", "RuntimeError"]

PRELUDE = '''\
from array import array
INF = float('inf')
NAN = float('nan')
'''


class Generator(Objects):
    def __init__(self, seed):
        self.random = random.Random(seed)
        # How often a value is of another kind than what is done with it expects, in percent.
        self.wild = self.pick([0, 0, 1, 1, 3])
        self.lines = []
        self.indent = 0
        self.functions = []     # (name, kinds of parameters, kind of result, cost, generator?)
        self.classes = []
        self.names = 0
        self.globals = {}       # name -> kind
        self.top = True
        self.begin_scope({})

    # Small tools

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, items):
        return self.random.choice(items)

    def below(self, number):
        return self.random.randrange(number)

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def line(self, text):
        self.lines.append("    " * self.indent + text)

    def begin_scope(self, variables):
        self.variables = variables   # name -> kind it most likely has
        self.fixed = set()           # loop counters and the like: never assigned to
        self.loops = 0
        self.try_depth = 0
        self.cost = 1                # how often the current statement runs, per call
        self.total = 0
        self.generator = False
        self.outer = {}

    # Values

    def constant(self, kind):
        pick = self.pick
        if kind == "int":
            return str(pick(INTS)) if self.chance(55) else str(self.below(20) - 4)
        if kind == "float":
            return pick(FLOATS)
        if kind == "bool":
            return pick(["True", "False"])
        if kind == "str":
            return pick(STRINGS)
        if kind == "none":
            return "None"
        if kind == "bytes":
            return pick(["b''", "b'ab'", "b'\\x00\\xff'", "b'abcabc'"])
        if kind == "array":
            return pick(["array('l', [1, -2, 3])", "array('d', [0.5, 1.5, -0.0])", "array('b', [1, 2, 127])",
                         "array('Q', [1, 18446744073709551615])"])
        if kind == "obj":
            if self.classes:
                return f"{pick(self.classes)}({self.constant('int')})"
            return "None"
        if kind == "list":
            return "[" + ", ".join(self.constant(self.element()) for _ in range(self.below(5))) + "]"
        if kind == "tuple":
            items = [self.constant(self.element()) for _ in range(self.below(4))]
            return "(" + "".join(item + ", " for item in items) + ")"
        if kind == "dict":
            return "{" + ", ".join(f"{self.key()}: {self.constant(self.element())}" for _ in range(self.below(4))) + "}"
        if kind == "set":
            return "{" + ", ".join(str(self.below(9)) for _ in range(1 + self.below(4))) + "}"
        raise AssertionError(kind)

    def element(self):
        return self.pick(["int", "int", "int", "float", "float", "str", "bool", "none"])

    def key(self):
        return self.pick(["'a'", "'b'", "0", "1", "-1", "2**62", "True", "(1, 2)", "'k'"])

    def variable(self, kind):
        found = [name for name, its in self.variables.items() if its == kind]
        return self.pick(found) if found else None

    def atom(self, kind):
        if self.chance(self.wild):
            kind = self.pick(KINDS)
        name = self.variable(kind) if self.chance(78) else None
        if name is None and self.chance(30):
            found = [name for name, its in self.globals.items() if its == kind]
            name = self.pick(found) if found and not self.top else None
        return name if name is not None else self.constant(kind)

    def small(self):
        """An int that is small whatever happens."""
        return self.pick([str(self.below(7) - 2), f"({self.atom('int')} & {self.pick([1, 1, 3, 7])})", "0", "1", "-1"])

    def expression(self, kind, depth=2):
        if depth <= 0 or self.chance(20):
            return self.atom(kind)
        if self.chance(self.wild):
            kind = self.pick(KINDS)
        if self.chance(4):
            called = self.call(kind, depth)
            if called:
                return called
        if self.chance(4):
            return (f"({self.expression(kind, depth - 1)} if {self.condition(depth - 1)} "
                    f"else {self.expression(kind, depth - 1)})")
        return getattr(self, "e_" + kind)(depth - 1)

    def call(self, kind, depth):
        usable = [f for f in self.functions if f[2] == kind and not f[4] and f[3] * self.cost < 4000]
        if not usable:
            return None
        name, kinds, _, cost, _ = self.pick(usable)
        self.total += cost * self.cost
        arguments = [self.expression(k, depth - 2) for k in kinds]
        if arguments and self.chance(15):
            return f"{name}(*({', '.join(arguments)},))"
        if len(arguments) > 1 and self.chance(20):
            return f"{name}({', '.join(arguments[:-1])}, a{len(arguments) - 1}={arguments[-1]})"
        if len(arguments) > 1 and self.chance(5):
            return f"{name}({', '.join(arguments[:-2])})" if len(arguments) > 2 else f"{name}({arguments[0]})"
        return f"{name}({', '.join(arguments)})"

    def e_int(self, depth):
        a, b = self.expression("int", depth), self.expression("int", depth)
        choice = self.below(25)
        if choice < 8:
            return f"({a} {self.pick(['+', '-', '+', '-', '&', '|', '^'])} {b})"
        if choice == 8:
            return f"({a} * {self.pick(INTS[len(INTS) // 3: -len(INTS) // 4])})"
        if choice == 9:
            return f"({a} * {b} % {self.pick(INTS) or 1})"
        if choice == 10:
            return f"(({a} & 0xffffffff) * ({b} & {self.pick(['0xffffffff', '0x3fffffff', '0x7fffffffff'])}))"
        if choice == 11:
            return f"({a} {self.pick(['//', '%'])} {b if self.chance(40) else f'({b} | 1)'})"
        if choice == 12:
            return f"({a} {self.pick(['//', '%'])} {self.pick([3, 7, -3, 1 << 30, 10, 2, -1, 1 << 63])})"
        if choice == 13:
            return f"({a} >> {self.pick([0, 1, 5, 30, 62, 63, 64, 100])})"
        if choice == 14:
            return f"(({a} & 0xffffffffffffffff) << {self.pick([0, 1, 5, 30, 31, 62, 63, 64, 70])})"
        if choice == 15:
            return f"(({a} & 0x3fffffffffffffff) << ({b} & 63))"
        if choice == 16:
            return f"({self.pick(['-', '~', '+', 'not '])}{a})"
        if choice == 17:
            return self.pick([f"abs({a})", f"min({a}, {b})", f"max({a}, {b})", f"({a}).bit_length()", f"int({a})"])
        if choice == 18:
            return f"len({self.expression(self.pick(['list', 'tuple', 'str', 'dict', 'set', 'bytes']), depth)})"
        if choice == 19:
            return f"{self.expression(self.pick(['list', 'tuple', 'bytes', 'array']), depth)}[{self.small()}]"
        if choice == 20:
            return f"({a} & 0xfff) ** {self.below(4)}"
        if choice == 21:
            return f"({self.expression('bool', depth)} + {a})"
        if choice == 22 and self.classes:
            return f"({self.atom('obj')}).{self.pick(['x', 'x', 'y', 'total', 'z', 'double'])}"
        if choice == 23:
            return f"sum([{self.atom('int')}, {a}])"
        return self.pick([f"int({self.expression('float', depth)})", f"({a} + {self.below(3)})", f"ord('a')",
                          f"hash({self.atom('int')})", f"divmod({a}, {b})[{self.below(2)}]"])

    def e_float(self, depth):
        a = self.expression("float", depth)
        b = self.expression("float" if self.chance(70) else "int", depth)
        if self.chance(25):
            a, b = b, a
        choice = self.below(14)
        if choice < 7:
            return f"({a} {self.pick(['+', '-', '*', '/', '+', '*'])} {b})"
        if choice == 7:
            return f"({a} {self.pick(['//', '%'])} {b})"
        if choice == 8:
            return f"(-{a})"
        if choice == 9:
            return self.pick([f"abs({a})", f"min({a}, {b})", f"max({a}, {b})", f"float({b})", f"round({a}, 2)"])
        if choice == 10:
            return f"({a} ** {self.pick(['2', '0.5', '-1', '3', '0'])})"
        if choice == 11:
            return f"({self.expression('int', depth)} / {self.expression('int', depth)})"
        if choice == 12:
            return f"float({self.expression('int', depth)})"
        return f"({a} * {self.pick(FLOATS)} + {b})"

    def condition(self, depth):
        choice = self.below(12)
        if choice < 4:
            kind = self.pick(["int", "int", "float", "float", "str"])
            return f"{self.expression(kind, depth)} {self.pick(COMPARES)} {self.expression(kind, depth)}"
        if choice == 4:
            kind = self.pick(["int", "float"])
            items = [self.expression(kind, depth - 1) for _ in range(3)]
            return f"{items[0]} {self.pick(COMPARES)} {items[1]} {self.pick(COMPARES)} {items[2]}"
        if choice == 5:
            return f"not {self.expression(self.pick(KINDS), depth)}"
        if choice == 6:
            return f"({self.condition(depth - 1) if depth > 0 else 'True'} {self.pick(['and', 'or'])} {self.expression(self.pick(['int', 'bool', 'str', 'list']), depth)})"
        if choice == 7:
            return f"{self.atom('int')} {self.pick(['in', 'not in'])} {self.pick(['(1, 2, 3)', '[0, 7]', '{1, 2, 5}', 'range(9)'])}"
        if choice == 8:
            return f"isinstance({self.atom(self.pick(KINDS))}, {self.pick(['int', 'float', 'str', '(int, list)'])})"
        if choice == 9:
            name = self.variable(self.pick(KINDS)) or "NAN"
            return f"{name} {self.pick(['is', 'is not'])} {self.pick(['None', 'True', 'False'])}"
        return self.expression(self.pick(["bool", "int", "float", "obj", "list"]), depth)

    def e_bool(self, depth):
        return f"({self.condition(depth)})" if self.chance(80) else f"bool({self.expression(self.pick(KINDS), depth)})"

    def e_str(self, depth):
        a = self.expression("str", depth)
        choice = self.below(10)
        if choice < 2:
            return f"({a} + {self.constant('str')})[-40:]"
        if choice < 5:
            kind = self.pick(["int", "float", "str", "bool", "list", "none"])
            spec = {"int": ["", ":5", ":x", "!r", ":,"], "float": ["", ":.2f", ":g", "!r", ":10.3"]}.get(kind, ["", "!r", "!s"])
            text = "{" + self.quote(self.expression(kind, min(depth, 0))) + self.pick(spec) + "}"
            return f'f"<{text}>"[:30]'
        if choice == 5:
            return f"str({self.expression(self.pick(['int', 'float', 'bool']), depth)})[:30]"
        if choice == 6:
            return f"{a}[{self.slice()}]"
        if choice == 7:
            return f"{a}.{self.pick(['upper()', 'strip()', 'replace(chr(97), str())', 'title()'])}"
        if choice == 8:
            return f"'%s-%r' % ({self.atom('int')}, {self.atom('float')})"
        return f"({a} * {self.below(3)})[:40]"

    def quote(self, text):
        # No double quote inside a double-quoted f-string, and no backslash before Python 3.12.
        return "0" if '"' in text or "\\" in text or "{" in text or "!" in text else text

    def slice(self):
        parts = [self.small() if self.chance(70) else "" for _ in range(2)]
        step = self.pick(["", "", ":-1", ":2", ":-2", f":{self.pick([1, 3, 3, -3])}", ":-1", "::"[:1] + str(0 if self.chance(5) else 1)])
        return f"{parts[0]}:{parts[1]}{step}"

    def e_list(self, depth):
        choice = self.below(10)
        if choice < 2:
            return "[" + ", ".join(self.expression(self.element(), depth) for _ in range(self.below(5))) + "]"
        if choice < 5:
            return self.comprehension("[", "]", depth)
        if choice == 5:
            return f"({self.expression('list', depth)} + {self.constant('list')})[:30]"
        if choice == 6:
            return f"({self.expression('list', depth)})[{self.slice()}]"
        if choice == 7:
            return f"list({self.iterable(depth)})[:30]"
        if choice == 8:
            return f"[*{self.expression('list', depth)}, {self.expression('int', depth)}][-20:]"
        return f"({self.expression('list', depth)} * {self.below(3)})[:30]"

    def comprehension(self, start, end, depth):
        name = self.name("c")
        kind = self.pick(["int", "float"])
        source = self.iterable(depth) if self.chance(40) else f"range({self.below(8)})"
        saved = dict(self.variables)
        cost = self.cost
        self.cost *= 10
        self.variables[name] = "int"
        self.fixed.add(name)
        item = self.expression(kind, depth)
        condition = f" if {self.condition(depth)}" if self.chance(35) else ""
        self.variables = saved
        self.cost = cost
        key = f"{self.below(5)}: " if start == "dict" else ""
        if start == "dict":
            return "{" + f"{name}: {item} for {name} in range({self.below(6)}){condition}" + "}"
        return f"{start}{key}{item} for {name} in {source}{condition}{end}"

    def iterable(self, depth):
        choice = self.below(12)
        if choice < 3:
            return self.range()
        if choice < 6:
            return self.expression(self.pick(["list", "tuple", "str", "dict", "bytes", "array"]), depth)
        if choice == 6:
            generators = [f for f in self.functions if f[4] and f[3] * self.cost < 2000]
            if generators:
                name, kinds, _, cost, _ = self.pick(generators)
                self.total += cost * self.cost
                return f"{name}({', '.join(self.atom(k) for k in kinds)})"
        if choice == 7:
            return self.comprehension("(", ")", depth)
        if choice == 8:
            return f"reversed({self.expression(self.pick(['list', 'tuple']), depth)})"
        if choice == 9:
            return f"map(abs, {self.expression('list', depth)})"
        if choice == 10:
            return f"sorted({self.expression('set', depth)})"
        return self.range()

    def range(self):
        choice = self.below(8)
        if choice < 4:
            return f"range({self.pick([3, 6, 10, 20])})"
        if choice == 4:
            return f"range({self.below(5)}, {self.below(20)}, {self.pick([1, 2, 3, 5])})"
        if choice == 5:
            return f"range({self.below(20)}, {self.below(5) - 3}, {self.pick([-1, -2, -7])})"
        if choice == 6:
            start = self.pick([(1 << 62) - 3, (1 << 63) - 4, -(1 << 63) - 2, (1 << 30) - 2, (1 << 64) - 2, -(1 << 62) - 2])
            step = self.pick([1, 2, 3])
            return f"range({start}, {start + 8 * step}, {step})" if self.chance(60) else f"range({start}, {start - 6}, -1)"
        return f"range({self.small()})"

    def e_tuple(self, depth):
        choice = self.below(4)
        if choice == 0:
            return f"tuple({self.iterable(depth)})[:20]"
        if choice == 1:
            return f"({self.expression('tuple', depth)})[{self.slice()}]"
        return "(" + "".join(self.expression(self.element(), depth) + ", " for _ in range(1 + self.below(3))) + ")"

    def e_dict(self, depth):
        choice = self.below(4)
        if choice == 0:
            return self.comprehension("dict", "", depth)
        if choice == 1:
            return "{**" + self.expression("dict", depth) + f", {self.key()}: {self.expression('int', depth)}" + "}"
        return "{" + ", ".join(f"{self.key()}: {self.expression(self.element(), depth)}" for _ in range(self.below(4))) + "}"

    def e_set(self, depth):
        if self.chance(50):
            return f"{{({self.expression('int', depth)} & 15), {self.below(9)}}}"
        return f"({self.expression('set', depth)} {self.pick(['|', '&', '-', '^'])} {self.constant('set')})"

    def e_bytes(self, depth):
        return self.pick([f"({self.expression('bytes', depth)} + b'z')[-9:]", f"bytes([{self.small()} & 255, 7])",
                          f"({self.expression('bytes', depth)})[{self.slice()}]"])

    def e_array(self, depth):
        return f"({self.expression('array', depth)})[{self.slice()}]" if self.chance(50) else self.constant("array")

    def e_obj(self, depth):
        if not self.classes:
            return "None"
        if self.chance(40):
            return f"({self.expression('obj', depth)} {self.pick(['+', '-', '*'])} {self.expression('int', depth)})"
        return f"{self.pick(self.classes)}({self.expression(self.pick(['int', 'int', 'float']), depth)})"

    def e_none(self, depth):
        return "None"

    # Statements

    def block(self, size, depth):
        self.indent += 1
        before = len(self.lines)
        for _ in range(1 + self.below(size)):
            self.statement(depth)
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1

    def target(self, kind):
        """A variable to assign to."""
        found = [name for name in self.variables if name not in self.fixed]
        same = [name for name in found if self.variables[name] == kind]
        if same and self.chance(75):
            return self.pick(same)
        if found and self.chance(6):
            # Here a variable changes its type.
            return self.pick(found)
        name = self.name("v")
        return name

    def assign(self):
        kind = self.pick(["int", "int", "int", "float", "float", "bool", "str", "list", "tuple", "dict", "set", "bytes",
                          "obj", "array"])
        value = self.expression(kind, 3)
        name = self.target(kind)
        self.line(f"{name} = {value}")
        if name not in self.variables:
            self.variables[name] = kind

    def augment(self):
        kind = self.pick(["int", "int", "int", "float", "float", "list", "str", "set", "obj"])
        name = self.variable(kind)
        if name is None or name in self.fixed:
            return self.assign()
        if kind == "int":
            if self.chance(15):
                self.line(f"{name} = {name} * {self.expression('int', 1)} % {self.pick([1000003, (1 << 62) - 57, 1 << 64, (1 << 30) + 3])}")
                return
            operator = self.pick(["+", "-", "+", "-", "&", "|", "^", "//", "%", ">>", "*"])
            value = self.pick(["2", "3", "-1", "5"]) if operator == "*" else self.small() if operator == ">>" else self.expression("int", 2)
            self.line(f"{name} {operator}= {value}")
        elif kind == "float":
            self.line(f"{name} {self.pick(['+', '-', '*', '/', '+', '*', '//', '%'])}= {self.expression(self.pick(['float', 'float', 'int']), 2)}")
        elif kind == "list":
            self.line(self.pick([
                f"{name} += [{self.expression('int', 1)}]", f"{name}.append({self.expression(self.element(), 2)})",
                f"{name}[{self.small()}] = {self.expression(self.element(), 2)}", f"{name}.pop()",
                f"del {name}[{self.small()}]", f"{name}[{self.slice()}] = {self.constant('list')}",
                f"{name}[{self.small()}] {self.pick(['+', '-', '|', '^'])}= {self.expression('int', 1)}",
                f"{name}.insert({self.small()}, {self.atom('int')})", f"{name} *= {self.below(2)}",
                f"del {name}[20:]", f"{name}.reverse()", f"{name}.extend({self.constant('tuple')})"]))
        elif kind == "str":
            self.line(f"{name} += {self.constant('str')}")
            if self.chance(50):
                self.line(f"{name} = {name}[-30:]")
        elif kind == "set":
            self.line(self.pick([f"{name}.add({self.below(30)})", f"{name} |= {{{self.below(40)}}}", f"{name}.discard({self.below(9)})"]))
        else:
            self.line(f"{name} {self.pick(['+', '-', '*'])}= {self.expression('int', 1)}")

    def statement(self, depth):
        self.total += self.cost
        if self.indent < 3 and self.cost < 50 and self.chance(25):
            # So that what follows has its turn, whatever happens here.
            self.line("try:")
            self.indent += 1
            self.any_statement(depth)
            self.line("pass")
            self.indent -= 1
            self.line("except Exception as x0: E(x0)")
        else:
            self.any_statement(depth)

    def any_statement(self, depth):
        choice = self.below(100)
        if depth <= 0 or self.cost > 500:
            choice %= 52
        if choice < 22:
            self.assign()
        elif choice < 38:
            self.augment()
        elif choice < 40:
            self.unpack()
        elif choice < 42:
            self.dict_statement()
        elif choice < 45:
            self.object_statement()
        elif choice == 45:
            if self.cost <= 200:
                self.line(f"P({self.expression(self.pick(KINDS), 2)})")
        elif choice == 46:
            self.delete()
        elif choice == 47 and not self.top and not self.generator:
            self.line(f"if {self.condition(1)}: return {self.expression('int', 1)}")
        elif choice == 48:
            self.line(f"if {self.condition(1)}: raise {self.pick(EXCEPTIONS[:-5])}({self.atom('int')})")
        elif choice == 49 and self.globals and not self.top:
            self.global_statement()
        elif choice == 50:
            self.line(f"assert {self.condition(1)}, {self.atom('int')}")
        elif choice == 51:
            if self.generator:
                self.yield_statement()
            elif self.loops:
                self.line(f"if {self.condition(1)}: {self.pick(['break', 'continue'])}")
        elif choice < 62:
            self.if_statement(depth)
        elif choice < 80:
            self.for_statement(depth)
        elif choice < 85:
            self.while_statement(depth)
        elif choice < 93:
            self.try_statement(depth)
        elif choice < 95:
            self.match_statement(depth)
        elif choice < 97:
            self.closure(depth)
        elif choice < 98:
            self.with_statement(depth)
        elif self.generator:
            self.yield_statement()
        else:
            self.drive_generator()
        if self.loops and self.chance(4):
            self.line(f"if {self.condition(1)}: {self.pick(['break', 'continue'])}")

    def unpack(self):
        kinds = [self.pick(["int", "float"]) for _ in range(2)]
        names = [self.target(kind) for kind in kinds]
        if names[0] == names[1]:
            return self.assign()
        star = self.pick(["", "", "", "*"])
        if star:
            kinds[1] = "list"
        values = ", ".join(self.expression(kind, 1) for kind in ("int", "float" if kinds[1] == "float" else "int"))
        self.line(f"{names[0]}, {star}{names[1]} = {self.pick([values, f'[{values}]', f'({values})'])}")
        for name, kind in zip(names, kinds):
            self.variables.setdefault(name, kind)

    def dict_statement(self):
        name = self.variable("dict")
        if name is None or name in self.fixed:
            return self.assign()
        key = self.key()
        self.line(self.pick([
            f"{name}[{key}] = {self.expression(self.element(), 1)}",
            f"{name}[{key}] += {self.expression('int', 1)}",
            f"{name}[{key}] = {name}.get({key}, 0) + {self.pick(['1', str(1 << 61), '0.5'])}",
            f"del {name}[{key}]",
            f"{name}.pop({key}, None)",
            f"{name}.setdefault({key}, {self.atom('int')})"]))

    def object_statement(self):
        name = self.variable("obj")
        if name is None or name in self.fixed:
            return self.assign()
        attribute = self.pick(["x", "x", "y", "z", "total", "w"])
        self.line(self.pick([
            f"{name}.{attribute} = {self.expression(self.element(), 1)}",
            f"{name}.{attribute} += {self.expression('int', 1)}",
            f"{name}.{attribute} += 1",
            f"del {name}.{attribute}",
            f"{name}[{self.small()}] = {self.atom('int')}",
            f"{name}.step({self.expression('int', 1)})",
            f"{name}.method({self.expression('int', 1)})"]))

    def delete(self):
        found = [name for name in self.variables if name not in self.fixed]
        if found and self.chance(50):
            name = self.pick(found)
            self.line(f"del {name}")
            if self.chance(70):
                self.line(f"{name} = {self.constant(self.variables[name])}")

    def global_statement(self):
        name = self.pick(list(self.globals))
        self.line(f"globals()['{name}'] = {self.expression(self.globals[name], 1)}")

    def if_statement(self, depth):
        saved = dict(self.variables)
        self.line(f"if {self.condition(2)}:")
        self.block(3, depth - 1)
        self.variables = dict(saved) if self.chance(80) else self.variables
        if self.chance(25):
            self.line(f"elif {self.condition(2)}:")
            self.block(2, depth - 1)
        if self.chance(45):
            self.line("else:")
            self.block(3, depth - 1)
        self.variables = saved if self.chance(85) else self.variables

    def loop_body(self, times, depth):
        cost = self.cost
        self.cost *= times
        self.loops += 1
        self.block(5, depth - 1)
        self.loops -= 1
        self.cost = cost
        if self.chance(20):
            self.line("else:")
            self.block(2, depth - 1)

    def for_statement(self, depth):
        name = self.name("i")
        choice = self.below(10)
        iterable, times, kind = self.range(), 10, "int"
        if choice < 5 and self.cost == 1 and self.chance(40):
            iterable, times = f"range({self.pick([40, 60, 100])})", 60
        elif choice in (5, 6):
            kind = self.pick(["int", "float", "int", "str", "none"])
            iterable = self.iterable(2)
        elif choice == 7:
            second = self.name("e")
            iterable = f"enumerate({self.iterable(1)}, {self.pick([0, 1, (1 << 62) - 2, (1 << 63) - 2])})"
            self.line(f"for {name}, {second} in {iterable}:")
            self.variables[name] = "int"
            self.variables[second] = self.pick(["int", "float"])
            if self.chance(80):
                self.fixed.add(name)
            return self.loop_body(times, depth)
        elif choice == 8:
            second = self.name("e")
            self.line(f"for {name}, {second} in zip({self.iterable(1)}, {self.iterable(1)}):")
            self.variables[name] = "int"
            self.variables[second] = "int"
            return self.loop_body(times, depth)
        elif choice == 9:
            second = self.name("e")
            self.line(f"for {name}, {second} in {self.expression('dict', 1)}.copy().items():")
            self.variables[second] = "int"
            return self.loop_body(4, depth)
        elif self.chance(15):
            same = self.variable("list")
            if same and same not in self.fixed:
                # The list may change while it is gone through; it must not grow for ever.
                self.line(f"for {name} in {same}:")
                self.indent += 1
                self.line(f"if len({same}) > 40: break")
                self.indent -= 1
                self.variables[name] = "int"
                return self.loop_body(15, depth)
        self.line(f"for {name} in {iterable}:")
        self.variables[name] = kind
        if self.chance(60):
            self.fixed.add(name)
        self.loop_body(times, depth)

    def while_statement(self, depth):
        name = self.name("n")
        self.variables[name] = "int"
        self.fixed.add(name)
        count = self.pick([3, 8, 15])
        start = self.pick([0, 0, 0, (1 << 62) - 4, (1 << 63) - 4, (1 << 30) - 4, -(1 << 63) - 4])
        self.line(f"{name} = {start}")
        more = f" and {self.condition(1)}" if self.chance(30) else ""
        self.line(f"while {name} < {start + count}{more}:")
        self.indent += 1
        self.line(f"{name} += 1")
        self.indent -= 1
        self.loop_body(count, depth)

    def try_statement(self, depth):
        saved = dict(self.variables)
        self.line("try:")
        self.block(4, depth - 1)
        final = self.chance(25)
        if not final or self.chance(70):
            for _ in range(1 + self.below(2)):
                name = self.name("x")
                self.line(f"except {self.pick(EXCEPTIONS)} as {name}:")
                self.indent += 1
                if self.cost <= 100:
                    self.line(f"E({name})")
                if self.chance(8):
                    self.line(self.pick(["raise", f"raise ValueError({self.atom('int')}) from {name}", "raise KeyError(1)"]))
                self.indent -= 1
                self.block(2, depth - 1)
            if self.chance(75):
                self.line("except Exception as x0:")
                self.indent += 1
                self.line("E(x0)" if self.cost <= 100 else "pass")
                self.indent -= 1
            if self.chance(20):
                self.line("else:")
                self.block(2, depth - 1)
        if final:
            self.line("finally:")
            # No jump out of it: a `break` there may swallow what ends an endless program.
            loops, self.loops = self.loops, 0
            self.block(2, 0)
            self.loops = loops
        self.variables = {**saved, **self.variables} if self.chance(50) else saved

    def match_statement(self, depth):
        self.line(f"match {self.expression(self.pick(['int', 'tuple', 'list', 'dict', 'str', 'float']), 1)}:")
        self.indent += 1
        for _ in range(1 + self.below(3)):
            m, r = self.name("m"), self.name("m")
            pattern = self.pick([f"{self.below(5)} | {self.pick(INTS)}", f"({m}, {r})", f"[{m}, *{r}]", f"{{'a': {m}, **{r}}}",
                                 f"int({m})", f"str({m})", f"float() as {m}", f"[int({m}), _]", "None", "'a'", "True"])
            guard = f" if {self.condition(1)}" if self.chance(30) else ""
            self.line(f"case {pattern}{guard}:")
            saved = dict(self.variables)
            if m in pattern:
                self.variables[m] = "int"
            self.block(2, depth - 1)
            self.variables = saved
        if self.chance(50):
            self.line("case _:")
            self.block(1, depth - 1)
        self.indent -= 1

    def with_statement(self, depth):
        self.line(f"with Manager({self.pick(['True', 'False'])}) as {self.name('w')}:")
        self.block(3, depth - 1)

    def closure(self, depth):
        """A function in a function, which rebinds variables of the outer one."""
        if self.top:
            return self.assign()
        name = self.name("g")
        shared = [n for n in self.variables if n not in self.fixed and n[0] in "vi"]
        parameter = self.name("p")
        state = (self.variables, self.fixed, self.loops, self.cost, self.generator)
        outside = dict(self.variables)
        self.line(f"def {name}({parameter}, q{parameter}={self.atom('int')}):")
        self.indent += 1
        if shared and self.chance(70):
            self.line(f"nonlocal {self.pick(shared)}")
            # What it rebinds it may; the other variables of the outer function are only read.
            rebound = self.lines[-1].split()[-1]
            self.variables = {**outside, parameter: "int"}
            self.fixed = set(outside) - {rebound}
        else:
            self.variables = {**outside, parameter: "int"}
            self.fixed = set(outside)
        self.loops, self.generator = 0, False
        self.cost *= 5
        self.indent -= 1
        self.block(3, min(depth - 1, 1))
        self.indent += 1
        self.line(f"return {self.expression('int', 2)}")
        self.indent -= 1
        self.variables, self.fixed, self.loops, self.cost, self.generator = state
        kind = self.pick(["int", "int", "float"])
        result = self.name("v")
        for _ in range(1 + self.below(2)):
            self.line(f"{result} = {name}({self.expression(kind, 1)})")
        if self.chance(40):
            counter = self.name("i")
            self.line(f"for {counter} in range(5): {result} = {name}({counter})")
        self.variables[result] = "int"

    def yield_statement(self):
        choice = self.below(6)
        if choice < 3:
            self.line(f"yield {self.expression(self.pick(['int', 'float', 'tuple']), 2)}")
        elif choice < 5:
            name = self.target("int")
            self.line(f"{name} = yield {self.expression('int', 1)}")
            self.variables.setdefault(name, "int")
        else:
            self.line(f"{self.name('v')} = yield from {self.iterable(1)}")

    def drive_generator(self):
        generators = [f for f in self.functions if f[4] and f[3] * self.cost * 5 < 3000]
        if not generators:
            return self.assign()
        function, kinds, _, cost, _ = self.pick(generators)
        self.total += cost * self.cost
        name = self.name("y")
        self.line(f"{name} = {function}({', '.join(self.atom(k) for k in kinds)})")
        result = self.name("v")
        self.line("try:")
        self.indent += 1
        self.line(f"{result} = next({name})")
        for _ in range(1 + self.below(4)):
            self.line(self.pick([
                f"{result} = {name}.send({self.expression(self.element(), 1)})", f"{result} = next({name}, None)",
                f"{result} = {name}.throw({self.pick(['ValueError(5)', 'KeyError(6)', 'GeneratorExit()'])})",
                f"{name}.close()", f"P({result})", f"{result} = [z for z in {name}]"]))
        self.indent -= 1
        self.line("except Exception as x0:")
        self.indent += 1
        self.line("E(x0)" if self.cost <= 100 else "pass")
        self.indent -= 1

    # Definitions

    def class_definition(self):
        name = self.name("C")
        base = f"({self.pick(self.classes)})" if self.classes and self.chance(30) else ""
        self.line(f"class {name}{base}:")
        self.indent += 1
        if not base and self.chance(20):
            self.line("__slots__ = ('x', 'y', 'total')")
        else:
            self.line(f"z = {self.constant(self.pick(['int', 'float']))}")
        # The inherited one shows an address, and programs cut and join strings.
        self.method("__repr__", "self", [f"return '<{name}>'"])
        self.method("__init__", "self, x", [f"self.x = x", f"self.total = {self.constant('int')}"]
                    + (["self.y = x"] if self.chance(50) else []))
        if self.chance(60):
            self.method("__add__", "self, other", [f"return {name}(self.x + other)"])
        if self.chance(40):
            self.method("__sub__", "self, other", ["return self.x - other" if self.chance(50) else "return NotImplemented"])
        if self.chance(30):
            self.method("__rmul__", "self, other", ["return other"])
            self.method("__mul__", "self, other", ["self.x = other", "return self"])
        if self.chance(30):
            self.method("__iadd__", "self, other", ["self.total += other", "return self"])
        if self.chance(40):
            self.method("__getitem__", "self, i", [f"if i > {self.below(9)}: raise IndexError(i)", "return self.x + i"])
            self.method("__setitem__", "self, i, v", ["self.total = v" if self.chance(60) else "self.x = i"])
        if self.chance(30):
            self.method("__bool__", "self", [f"return {self.pick(['self.x > 0', 'True', 'False', 'self.total'])}"])
        if self.chance(25):
            self.method("__lt__", "self, other", [f"return {self.pick(['self.x < other', 'NotImplemented', '0'])}"])
            self.method("__eq__", "self, other", [f"return {self.pick(['self.x == other', 'NotImplemented', '[]'])}"])
            self.line("__hash__ = None")
        if self.chance(25):
            self.method("__len__", "self", [f"return {self.pick(['3', 'self.x', '-1'])}"])
        if self.chance(20):
            self.method("__contains__", "self, item", [f"return {self.pick(['item == self.x', '2', '[]'])}"])
        if self.chance(25):
            self.method("__iter__", "self", ["yield self.x", "yield self.total"])
        if self.chance(20):
            self.method("__getattr__", "self, name", [
                "if name.startswith('_'): raise AttributeError(name)", f"return {self.constant('int')}"])
        if self.chance(20):
            self.method("__index__", "self", [f"return {self.pick(['1', 'self.x', '2**63'])}"])
        if self.chance(40):
            self.line("@property")
            self.method("double", "self", ["return self.x + self.x" if self.chance(70) else "return self.missing"])
        self.method("step", "self, n", [f"self.x {self.pick(['+=', '-=', '^='])} n", "return self.x"])
        if self.chance(70):
            self.method("method", "self, n=1", [
                f"for i in range({self.below(6)}):", f"    self.total += {self.pick(['i', 'n', '1', '1 << 61', '0.5'])}",
                f"return {self.pick(['self.total', 'self.x', 'n'])}"])
        self.indent -= 1
        self.classes.append(name)

    def method(self, name, parameters, body):
        self.line(f"def {name}({parameters}):")
        self.indent += 1
        for text in body:
            self.line(text)
        self.indent -= 1

    def function(self):
        name = self.name("f")
        generator = self.chance(20)
        kinds = [self.pick(["int", "int", "int", "float", "float", "list", "str", "dict", "obj", "tuple"])
                 for _ in range(self.below(4))]
        result = self.pick(["int", "int", "int", "float", "float", "list", "str", "tuple", "obj"])
        outer = (self.variables, self.fixed, self.loops, self.cost, self.total, self.generator)
        self.begin_scope({f"a{index}": kind for index, kind in enumerate(kinds)})
        self.generator, self.top = generator, False
        parameters = [f"a{index}" for index in range(len(kinds))]
        for index in reversed(range(len(kinds))):
            if self.chance(65):
                break
            parameters[index] += f"={self.constant(kinds[index])}"
        if self.chance(10):
            parameters += [f"*rest", f"key={self.constant('int')}", "**more"]
            self.variables.update(rest="tuple", key="int", more="dict")
        self.line(f"def {name}({', '.join(parameters)}):")
        self.indent += 1
        for _ in range(1 + self.below(2)):
            kind = self.pick(["int", "float", "int", "list"])
            local = self.name("v")
            self.line(f"{local} = {self.constant(kind)}")
            self.variables[local] = kind
        if self.globals and self.chance(20):
            shared = self.pick(list(self.globals))
            self.line(f"global {shared}")
            self.variables[shared] = self.globals[shared]
        self.indent -= 1
        self.block(*self.pick([(4, 1), (4, 2), (4, 2), (5, 2), (4, 3)]))
        self.indent += 1
        if generator:
            for _ in range(1 + self.below(2)):
                self.yield_statement()
        if self.chance(50) and not generator:
            for seen in [n for n in self.variables if n[0] in "vi"][:2]:
                self.line(f"try: P({seen})")
                self.line("except NameError as x0: E(x0)")
        self.line(f"return {self.expression(result, 2)}")
        self.indent -= 1
        total = self.total + 1
        self.variables, self.fixed, self.loops, self.cost, self.total, self.generator = outer
        self.top = True
        self.functions.append((name, kinds, result, total, generator))
        return self.functions[-1]

    def kernel(self):
        """A function that only computes, with many numbers alive: all of them are raw, few find a register."""
        name = self.name("f")
        kinds = [self.pick(["int", "float"]) for _ in range(1 + self.below(4))]
        outer = (self.variables, self.fixed, self.loops, self.cost, self.total)
        self.begin_scope({f"a{index}": kind for index, kind in enumerate(kinds)})
        self.line(f"def {name}({', '.join(self.variables)}):")
        self.indent += 1
        for _ in range(self.pick([2, 4, 8, 14, 22])):
            kind, local = self.pick(["int", "float", "float"]), self.name("v")
            self.line(f"{local} = {self.pick([self.constant(kind), self.computed(kind, 2)])}")
            self.variables[local] = kind
        self.computation(self.pick([1, 2, 2, 3]), 6)
        self.line(f"return ({', '.join(self.variables)},)")
        self.indent -= 1
        total = self.total + 1
        self.variables, self.fixed, self.loops, self.cost, self.total = outer
        self.functions.append((name, kinds, "tuple", total, False))
        return self.functions[-1]

    def computed(self, kind, depth):
        if depth == 0 or self.chance(15):
            name = self.variable(kind)
            return name if name and self.chance(85) else self.constant(kind)
        a, b = self.computed(kind, depth - 1), self.computed(kind, depth - 1)
        if self.chance(8):
            b = self.computed("int" if kind == "float" else "float", depth - 1)
        choice = self.below(12)
        if kind == "float":
            if choice < 8:
                return f"({a} {self.pick(['+', '-', '*', '/', '+', '*'])} {b})"
            return self.pick([f"(-{a})", f"abs({a})", f"({a} ** 2)", f"({a} % {b})", f"({a} // 1.5)", f"float({self.computed('int', depth - 1)})",
                              f"({a} ** 0.5)", f"({a} if {a} < {b} else {b})"])
        if choice < 6:
            return f"({a} {self.pick(['+', '-', '+', '&', '|', '^'])} {b})"
        return self.pick([f"(-{a})", f"(~{a})", f"({a} >> {self.below(70)})", f"({a} % ({b} | 1))", f"({a} // {self.pick([3, 7, -2])})",
                          f"(({a} & 0xffffffff) * ({b} & 0x7fffffff))", f"({a} * {self.pick([3, -1, 31, 1 << 31])} & {(1 << 62) - 1})",
                          f"(({a} & 0xfffffff) << {self.below(40)})", f"({a} < {b})", f"(not {a})", f"abs({a})"])

    def computation(self, depth, size):
        for _ in range(1 + self.below(size)):
            self.total += self.cost
            choice = self.below(10)
            if choice < 6 or depth == 0:
                names = [name for name in self.variables if name not in self.fixed]
                name = self.pick(names)
                kind = self.variables[name]
                value = self.computed(kind, 2)
                if self.chance(30):
                    operators = ["+", "-", "*", "/"] if kind == "float" else ["+", "-", "&", "|", "^"]
                    self.line(f"{name} {self.pick(operators)}= {value}")
                else:
                    self.line(f"{name} = {value}")
            elif choice < 8:
                self.line(f"if {self.computed(k := self.pick(['int', 'float']), 1)} {self.pick(COMPARES)} {self.computed(k, 1)}:")
                self.indented(depth - 1, 3)
                if self.chance(40):
                    self.line("else:")
                    self.indented(depth - 1, 3)
            else:
                counter = self.name("i")
                self.line(f"for {counter} in {self.range()}:")
                self.variables[counter] = "int"
                self.fixed.add(counter)
                self.cost *= 12
                self.indented(depth - 1, 5)
                self.cost //= 12
                if self.chance(30):
                    self.line(f"    if {self.computed('float', 1)} > {self.computed('float', 1)}: {self.pick(['break', 'continue'])}")
                del self.variables[counter]

    def indented(self, depth, size):
        self.indent += 1
        self.computation(depth, size)
        self.indent -= 1

    def calls(self, function):
        """Calls a function thirty times: mostly with the same types, in the end with others."""
        name, kinds, _, cost, generator = function
        rounds = max(4, min(30, 60000 // cost))
        variants = []
        for index in range(1 + self.below(3)):
            variants.append("(" + "".join(self.constant(k) + ", " for k in kinds) + ")")
        if self.chance(60):
            # Never a container where a function may multiply for an int.
            odd = {"int": ["int", "float", "bool", "none"], "float": ["int", "float", "bool", "str"]}
            variants.append("(" + "".join(self.constant(self.pick(odd.get(k, [k, k, "none", "int"]))) + ", " for k in kinds) + ")")
        k = self.name("k")
        self.line(f"for {k} in range({rounds}):")
        self.indent += 1
        arguments = f"({', '.join(f'lambda: {variant}' for variant in variants)},)[max(0, {k} - {rounds - len(variants)})]()"
        self.line("try:")
        self.indent += 1
        if generator:
            self.line(f"for step, item in enumerate({name}(*{arguments})):")
            self.indent += 1
            self.line("P(item)")
            self.line("if step > 20: break")
            self.indent -= 1
        else:
            self.line(f"P({name}(*{arguments}))")
        self.indent -= 1
        self.line("except Exception as x0:")
        self.indent += 1
        self.line("E(x0)")
        self.indent -= 2

    def patch(self):
        """Changes what a call means, after code was compiled that makes it."""
        choice = self.below(5)
        if choice == 0:
            builtin = self.pick(["len", "abs", "min", "max", "range", "int", "isinstance", "sum"])
            self.line(f"{builtin} = lambda *a: {self.pick(['3', '(1, 2)', str(1 << 62)])}")
        elif choice == 1:
            self.line("import builtins")
            self.line(f"builtins.{self.pick(['len', 'abs', 'min', 'max', 'float'])} = lambda *a: {self.constant('int')}")
        elif choice == 2 and self.functions:
            function = self.pick(self.functions)
            self.line(f"def {function[0]}(*a, **k): return {self.constant(function[2])}")
        elif choice == 3 and self.classes:
            name = self.pick(self.classes)
            self.line(self.pick([f"{name}.step = lambda self, n: n", f"{name}.z = {self.constant('float')}",
                                 f"{name}.__add__ = lambda self, other: other", f"{name}.total = property(lambda self: 5)",
                                 f"{name}.x = {self.constant('int')}", f"del {name}.step"]))
        elif self.globals:
            name = self.pick(list(self.globals))
            self.line(f"{name} = {self.constant(self.pick(['int', 'float', 'str']))}")

    def program(self):
        self.lines += PRELUDE.splitlines()
        if self.chance(60):
            self.object_program()
            return "\n".join(self.lines) + "\n"
        for _ in range(1 + self.below(3)):
            kind = self.pick(["int", "int", "float", "list", "dict"])
            name = self.name("G")
            self.line(f"{name} = {self.constant(kind)}")
            self.globals[name] = kind
        for _ in range(self.pick([0, 0, 1, 1, 2])):
            self.class_definition()
        functions = [self.kernel() if self.chance(30) else self.function() for _ in range(self.pick([1, 1, 2]))]
        for function in functions:
            self.calls(function)
        if self.chance(35):
            self.line("try:")
            self.indent += 1
            self.patch()
            self.line("pass")
            self.indent -= 1
            self.line("except Exception as x0: E(x0)")
            self.calls(self.pick(functions))
        if self.chance(30):
            self.indent = 0
            for _ in range(2 + self.below(4)):
                self.statement(2)
        return "\n".join(self.lines) + "\n"


def program(seed):
    """The program of a seed."""
    return Generator(seed).program()


if __name__ == "__main__":
    import sys
    print(program(int(sys.argv[1])), end="")
