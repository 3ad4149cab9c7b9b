"""Writes the parts of random programs that work with objects: classes, small methods, special methods, containers, modules.

Problem: what compiled code does with an object depends on what its class has, on what was seen before, and on bodies that became
part of their callers. Random expressions seldom ask the same class the same thing long enough to get there. Method: a few classes
whose special methods are small, functions that call them in loops with numbers of changing kinds, and between the calls changes
of the classes, the instances, the modules and the globals that compiled code relies upon.

Invariants: those of `generator.py`. An int that is multiplied is divided by something afterwards, or multiplied by a small
constant, so that values grow by a few bits a round. No NaN is looked for in a container.
"""

EDGES = ["1 << 62", "(1 << 63) - 1", "-(1 << 63)", "1 << 53", "(1 << 53) + 1", "1 << 64", "1 << 30", "-(1 << 62) - 1", "10 ** 30"]
FLOAT_EDGES = ["-0.0", "1e308", "5e-324", "INF", "NAN", "9007199254740993.0", "1e16", "9223372036854775808.0", "4.5e15"]
MATH = ["sqrt", "sin", "cos", "exp", "log", "floor", "ceil", "fabs", "tan", "atan", "trunc", "isnan", "sqrt", "floor"]
COMPARES = ["<", "<=", ">", ">=", "==", "!="]
ARITHMETIC = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "and": "&", "or": "|", "xor": "^",
              "lshift": "<<", "rshift": ">>", "pow": "**", "matmul": "@"}
ORDERS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}

PRELUDE = '''\
import math
import types
from math import sqrt, floor
M = types.ModuleType("M")
M.n = 3
M.half = 0.5
'''

BUILTIN_CHILDREN = {
    "int": ["def __add__(self, other): return 7", "def __lt__(self, other): return True", "def __radd__(self, other): return 2.5",
            "def __index__(self): return 1", "pass", "pass"],
    "float": ["def __add__(self, other): return 1.5", "def __rmul__(self, other): return 3", "def __floor__(self): return 4", "pass",
              "def __abs__(self): return 'abs'"],
    "list": ["def __getitem__(self, key): return 5", "def __len__(self): return 2", "def append(self, item): self.extend((item, 1))",
             "def __setitem__(self, key, value): list.append(self, value)", "def __bool__(self): return False", "pass"],
    "dict": ["def __missing__(self, key): return 9", "def get(self, key, default=None): return 4", "def __getitem__(self, key): return 6",
             "pass"],
    "str": ["def __getitem__(self, key): return 'q'", "def __len__(self): return 1", "pass"],
}


class Objects:
    """A part of `Generator`."""

    # Numbers

    def number_constant(self):
        if not self.tame and self.chance(25):
            return f"({self.pick(EDGES)})" if self.chance(60) else self.pick(FLOAT_EDGES)
        return self.pick(["0", "1", "2", "3", "-1", "7", "10", "True", "0.5", "1.5", "-2.5", "2.0", "0.0", "1e3", str(self.below(100))])

    def number_atom(self):
        choice = self.below(20)
        if choice < 10 and self.numbers:
            return self.pick(self.numbers)
        if choice < 13 and self.things:
            return f"{self.pick(self.things)}.{self.pick(['x', 'x', 'y', 'y', 'k', 'total'])}"
        if choice == 13 and self.globals_of_numbers:
            return self.pick(self.globals_of_numbers)
        if choice == 14 and self.families:
            return f"{self.pick(self.families)[0]}.k"
        if choice == 15:
            return self.pick(["M.n", "M.half", "math.pi"])
        return self.number_constant()

    def condition_of(self, depth):
        if self.plain and self.chance(85):
            return self.plain_condition()
        choice = self.below(9)
        a, b = self.number(depth), self.number(depth)
        if choice < 4:
            return f"{a} {self.pick(COMPARES)} {b}"
        if choice == 4 and self.things:
            return self.pick([f"{self.pick(self.things)} {self.pick(COMPARES)} {self.pick(self.things + [a])}",
                              f"{a} {self.pick(COMPARES)} {self.pick(self.things)}", f"{a} in {self.pick(self.things)}",
                              f"not {self.pick(self.things)}", self.pick(self.things), f"{self.pick(self.things)} is not {self.pick(self.things)}"])
        if choice == 5:
            names = ["int", "float", "(int, float)", "list", "bool"] + [family[0] for family in self.families]
            return f"isinstance({self.pick([a] + self.things)}, {self.pick(names)})"
        if choice == 6:
            return f"{a} {self.pick(['and', 'or'])} {self.pick(COMPARES[:0] + ['not '])}{b}"
        if choice == 7:
            return f"{a} {self.pick(COMPARES)} {b} {self.pick(COMPARES)} {self.number_atom()}"
        return a

    def by_keywords(self, name, count, a, b):
        """A call of a helper with keywords, which may be wrong."""
        names = [f"a{index}" for index in range(count)]
        if self.chance(30):
            self.random.shuffle(names)
        if self.chance(8):
            names.append(self.pick(["a0", "a9", "n"]))
        if self.chance(8):
            names.pop()
        first = self.below(2) if names and names[0] == "a0" else 0
        values = [value if position < first else f"{parameter}={value}" for position, (parameter, value) in
                  enumerate((parameter, self.pick([a, b])) for parameter in names)]
        if len(set(names)) < len(names):
            return f"{name}({a}, **{{'a0': {b}}})"
        if self.chance(8):
            values.append(self.pick(["*()", "**{}", "*(1,)", "**{'a1': 2}"]))
            values.sort(key=lambda text: "=" in text and text[0] != "*" or text[:2] == "**")
        return f"{name}({', '.join(values)})"

    def plain_number(self, depth):
        """A number by operations that compiled code does in line, and that seldom raise."""
        if depth <= 0:
            return self.number_atom()
        a, b = self.plain_number(depth - 1), self.plain_number(depth - 1)
        choice = self.below(24)
        if self.inside is None and self.chance(80):
            # The function with the loop: it asks others.
            choice = 10 + self.below(11)
        if choice < 7:
            return f"({a} {self.pick(['+', '-'])} {b})"
        if choice == 7:
            return f"({a} * {self.pick(['2', '0.5', '-1', '3'])})"
        if choice == 8:
            return f"({a} {self.pick(['/ 2', '// 3', '% 7', '/ 0.5', '% 2.5', '* 1.0'])})"
        if choice == 9:
            return self.pick([f"abs({a})", f"min({a}, {b})", f"max({a}, {b})", f"float({a})", f"(-{a})", f"math.sqrt(abs({a}))", f"len(l)" if self.lists else a])
        if choice < 13 and self.helpers:
            name, count = self.pick(self.helpers)
            if count and self.chance(15):
                return self.by_keywords(name, count, a, b)
            return f"{name}({', '.join(self.plain_number(depth - 1) for _ in range(count))})"
        if choice < 20 and self.things:
            thing, other = self.pick(self.things), self.pick(self.things)
            return self.pick([f"{thing}.get()", f"{thing}.form({a})", f"{thing}.twice({b})", f"{thing}.put({a})", f"{thing}.dist({other})", f"{thing}.half",
                              f"{thing}[{self.subscript()}]", f"{thing}[{self.subscript()}]", f"({thing} {self.pick('+-*')} {self.pick([other, b])}).x",
                              f"({b} {self.pick('+-*')} {thing}).x", f"{thing}({a})", f"{thing}.cm({a})", f"{thing}.sm({a})", f"{thing}.check({a})",
                              f"{thing}.items[{self.pick(['0', '1', '-1', '2'])}]", f"({thing} < {other})", f"({thing} == {other})", f"({thing} >= {b})"])
        if choice == 20 and self.families:
            name = self.pick(self.families)[0]
            return self.pick([f"{name}({a}, {b}).x", f"{name}({a}, {b}).get()", f"{name}.cm({a})", f"{name}.sm({a})", f"{name}({a}, {b}).form({b})"])
        if choice == 21:
            return f"({a} if {self.plain_condition()} else {b})"
        if choice == 22 and self.lists:
            return f"l[{self.subscript(False)}]"
        return f"({a} + {b})"

    def plain_condition(self):
        a, b = self.plain_number(0), self.plain_number(0)
        if self.chance(20) and self.things:
            return f"{self.pick(self.things)} {self.pick(COMPARES)} {self.pick(self.things)}"
        return f"{a} {self.pick(COMPARES)} {b}"

    def subscript(self, pairs=None):
        """A key for `__getitem__` and the like, mostly a good one."""
        counter = self.pick(self.counters) if self.counters else "1"
        one = lambda: self.pick(["0", "1", "2", f"{counter} & 1", f"{counter} & 3"] + ["-1", "9", counter] * self.chance(15))
        return f"{one()}, {one()}" if (self.pairs if pairs is None else pairs) else one()

    def number(self, depth):
        if depth <= 0:
            return self.number_atom()
        if self.plain and self.chance(92):
            return self.plain_number(depth)
        a, b = self.number(depth - 1), self.number(depth - 1)
        choice = self.below(40)
        if choice < 10:
            return f"({a} {self.pick(['+', '-', '+', '-', '+'])} {b})"
        if choice == 10:
            return f"({a} * {self.pick(['2', '3', '0.5', '-1', '1.25'])})"
        if choice == 11:
            return f"({a} * {b} % {self.pick(['1000003', '97', '2.5', '(1 << 62)'])})"
        if choice == 12:
            return f"({a} {self.pick(['/', '/', '//', '%'])} {b})"
        if choice == 13:
            return f"({a} {self.pick(['/', '//', '%'])} {self.pick(['2', '3', '-7', '0.5', '10', '1e-3'])})"
        if choice == 14:
            return self.pick([f"abs({a})", f"(-{a})", f"abs({a} - {b})"])
        if choice == 15:
            return self.pick([f"min({a}, {b})", f"max({a}, {b})", f"max({a}, {b}, {self.number_atom()})", f"min({a}, 0)", f"max(0.0, {a})"])
        if choice == 16:
            return self.pick([f"int({a})", f"float({a})", f"float({a})", f"int({a} * 2)", f"bool({a})", f"round({a})"])
        if choice == 17:
            name = self.pick(MATH)
            return f"{self.pick(['math.', 'math.', 'math.']) + name}({a})"
        if choice == 18:
            return self.pick([f"math.atan2({a}, {b})", f"math.pow({a}, {self.pick(['2', '0.5', '3', '-1', b])})", f"sqrt({a})", f"floor({a})",
                              f"math.hypot({a}, {b})", f"math.log({a}, 2)", f"math.fmod({a}, {b})"])
        if choice < 23 and self.helpers:
            name, count = self.pick(self.helpers)
            if self.inside is not None and self.chance(60):
                return f"({a} - {b})"
            if count and self.chance(15):
                return self.by_keywords(name, count, a, b)
            return f"{name}({', '.join(self.number(depth - 1) for _ in range(count))})"
        if choice < 29 and self.things:
            return self.asked(self.pick(self.things), a, b, depth)
        if choice == 29 and self.families:
            name = self.pick(self.families)[0]
            return self.pick([f"{name}.sm({a})", f"{name}.cm({a})", f"{name}.get({self.pick(self.things)})" if self.things else f"{name}.k",
                              f"{name}({a}).x", f"{name}({a}, {b}).get()"])
        if choice == 30 and self.lists:
            name = self.pick(self.lists)
            return self.pick([f"len({name})", f"{name}[{self.bound()}]", f"{name}[-1]", f"len({name}[{self.cut()}])", f"sum({name}[{self.cut()}][:5])",
                              f"{name}.pop()", f"{name}.pop({self.bound()})"])
        if choice == 31 and self.dicts:
            name = self.pick(self.dicts)
            return self.pick([f"{name}.get({self.bound()}, {a})", f"{name}.get({self.bound()}, 0)", f"{name}[{self.bound()}]", f"len({name})",
                              f"({name}.get({self.bound()}) or {b})"])
        if choice == 32 and self.strings:
            name = self.pick(self.strings)
            return self.pick([f"len({name})", f"ord({name}[{self.bound()}])", f"ord('z')", f"len({name}[{self.cut()}])"])
        if choice == 33:
            return f"({a} if {self.condition_of(0)} else {b})"
        if choice == 34:
            return f"M.f({a}, {b})"
        if choice == 35:
            return f"({self.condition_of(0)})"
        return f"({a} + {b})"

    def asked(self, thing, a, b, depth):
        """A number that an object gives when it is asked."""
        other = self.pick(self.things)
        return self.pick([
            f"{thing}.get()", f"{thing}.get()", f"{thing}.form({a})", f"{thing}.form({a})", f"{thing}.twice({a})", f"{thing}.put({a})",
            f"{thing}[{a}]", f"{thing}[{self.bound()}]", f"{thing}[{self.bound()}]", f"{thing}[{self.bound()}, {self.bound()}]",
            f"{thing}[{a}, {b}]", f"{thing}({a})", f"{thing}({a}, {b})", f"len({thing})", f"{thing}.half", f"({thing} + {a}).x",
            f"({thing} - {other}).x", f"({a} * {thing})", f"({thing} {self.pick(['+', '-', '*', '/', '&', '%', '**', '@', '<<'])} {a})",
            f"({a} {self.pick(['+', '-', '*', '/', '|', '//'])} {thing})", f"{thing}.check({a})", f"{thing}.sm({a})", f"{thing}.cm({a})",
            f"{thing}.dist({other})", f"{thing}.items[{self.bound()}]", f"abs({thing})", f"int({thing})", f"float({thing})", f"-{thing}",
            f"{thing}.held.x", f"{thing}.late"])

    def bound(self):
        """A bound, an index or a key."""
        choice = self.below(10)
        if choice < 4:
            return str(self.below(8) - 3)
        if choice < 7 and self.counters:
            return self.pick([name := self.pick(self.counters), f"{name} + 1", f"-{name}", f"{name} - 3", f"{name} % 3"])
        if choice == 7:
            return f"({self.number_atom()})"
        if choice == 8:
            return self.pick(["True", "100", "-100", "1 << 62", "1 << 70", "-(1 << 63)"]) if self.chance(40) else "0"
        return f"(len({self.pick(self.lists)}) & 3)" if self.lists else "1"

    def cut(self):
        parts = [self.bound() if self.chance(65) else self.pick(["", "", "None"]) for _ in range(2)]
        return f"{parts[0]}:{parts[1]}" + self.pick(["", "", "", "", ":-1", ":2", ":-2", ":1", f":{self.bound()}", ":None"])

    # Functions that are small enough to become part of their callers

    def in_body(self, numbers, things, inside):
        self.numbers, self.things, self.inside = numbers, things, inside
        self.lists, self.dicts, self.strings, self.counters = [], [], [], []

    def small_body(self, parameters, things, inside, result=None):
        """Lines of a body that a caller may take in."""
        self.in_body(parameters, things, inside)
        lines = []
        for _ in range(self.pick([0, 0, 0, 1, 1, 2])):
            choice = self.below(8)
            if choice < 2:
                lines.append(f"t{len(lines)} = {self.number(1)}")
                self.numbers = self.numbers + [f"t{len(lines) - 1}"]
            elif choice < 4:
                lines.append(f"if {self.condition_of(0)}: return {result or self.number(1)}")
            elif choice == 4:
                lines.append(f"if {self.condition_of(0)}: raise {self.pick(['ValueError', 'IndexError', 'KeyError'])}({self.number_atom()})")
            elif choice == 5 and things:
                lines.append(f"{things[0]}.{self.pick(['x', 'y', 'total'])} {self.pick(['=', '+=', '-=', '='])} {self.number(1)}")
            elif choice == 6 and len(parameters) > 1:
                lines.append(f"{parameters[0]}, {parameters[1]} = {self.number(1)}, {self.number(0)}")
            else:
                lines += [f"if {self.condition_of(0)}:", f"    t{len(lines)} = {self.number(1)}", "else:", f"    t{len(lines)} = {self.number(1)}"]
                self.numbers = self.numbers + [f"t{len(lines) - 4}"]
        if result != "":
            lines.append(f"return {result or self.number(self.pick([1, 1, 2]))}")
        return lines

    def helper_function(self):
        name, count = self.name("h"), self.pick([0, 1, 1, 2, 2, 3])
        parameters = [f"a{index}" for index in range(count)]
        signature = [p + (f"={self.number_constant()}" if self.chance(12) else "") for p in parameters]
        for index in range(1, count):
            if "=" in signature[index - 1] and "=" not in signature[index]:
                signature[index] += "=1"
        if count and self.chance(8):
            signature.insert(self.below(count), "*")
            if signature[0] == "*" and count > 1 and self.chance(50):
                signature[0] = "*rest"
        elif self.chance(5):
            signature.append("**more")
        elif count and self.chance(5):
            signature.insert(1, "/")
        self.method(name, ", ".join(signature), self.small_body(parameters, [], "helper"))
        self.helpers.append((name, count))

    def family(self):
        """A class with small methods."""
        name = self.name("K")
        parent = self.pick(self.families) if self.families and self.chance(45) else None
        slots = parent is None and self.chance(15)
        self.line(f"class {name}({parent[0]}):" if parent else f"class {name}:")
        self.indent += 1
        if slots:
            self.line("__slots__ = ('x', 'y', 'total', 'items', 'held')")
        if parent is None or self.chance(50):
            self.line(f"k = {self.number_constant()}")
        self.families.append((name, slots))
        self.method("__repr__", "self", [f"return '<{name}>'"])
        if parent is None or self.chance(50):
            self.initialiser(parent)
        here = self.small_body
        whole = parent is None
        likely = lambda percent: self.chance(percent if whole else percent // 3)
        if self.plain:
            likely = lambda percent: self.chance((percent > 20) * 95 if whole else percent // 4)
        for method, parameters in (("get", ["n"]), ("form", ["n"]), ("put", ["n"]), ("twice", ["n"]), ("check", ["n"])):
            if likely(85):
                self.small_method(method, parameters)
        if likely(70):
            self.method("dist", "self, other", here(["self.x", "other.x", "self.y"], ["self", "other"], "method"))
        if likely(60):
            self.line("@staticmethod")
            self.method("sm", "n", here(["n"], [], "method"))
        if likely(60):
            self.line("@classmethod")
            self.method("cm", "cls, n", here(["n", "cls.k"], [], "method", f"cls(n).x" if self.chance(15) else None))
        if likely(50):
            self.line("@property")
            self.method("half", "self", here(["self.x", "self.y"], ["self"], "method"))
        self.operators(likely)
        self.containers(likely)
        if likely(35):
            parameters = self.pick(["self, n", "self, n, m=1", "self, *n"])
            self.method("__call__", parameters, here(["self.x"] + (["n"] if "*" not in parameters else []), ["self"], "method"))
        if likely(20):
            self.method("__getattr__", "self, name", ["if name[0] == '_': raise AttributeError(name)", f"return {self.number_constant()}"])
        if likely(5):
            self.method("__setattr__", "self, name, value", ["object.__setattr__(self, name, value)"])
        if likely(5):
            self.method("__getattribute__", "self, name", ["return object.__getattribute__(self, name)"])
        self.indent -= 1

    def initialiser(self, parent):
        if parent and self.chance(50):
            parameters, lines = "self, x, y=2", [self.pick([f"{parent[0]}.__init__(self, x, y)", "super().__init__(x, y)"])]
            if self.chance(50) and not parent[1]:
                lines.insert(self.below(2), f"self.{self.pick(['z', 'w'])} = {self.number_constant()}")
        else:
            parameters = "self, x, y" if self.plain and self.chance(50) else self.pick(["self, x, y=1", "self, x, y=0.5", "self, x=0, y=0", "self, x=1.5, y=None"])
            lines = [self.pick(["self.x = x", "self.x = x", "self.x = x + 1", "self.x = float(x)", "self.x = x if x else 0"]),
                     self.pick(["self.y = y", "self.y = y", "self.y = x", f"self.y = {self.number_constant()}"]),
                     f"self.total = {self.number_constant()}"]
            if self.chance(25):
                lines.reverse()
            if self.plain and self.chance(60):
                self.line("items = [1, 2, 0.5, 3]")
            elif self.plain or self.chance(60):
                lines.append(self.pick(["self.items = [1, 2.5, 3, 4]", "self.items = [x, y, 0, 1]", "self.items = array('d', [1, 2, 3, 4])",
                                        "self.items = [0] * 5"]))
            if self.chance(10):
                lines.append("self.held = self")
            if self.chance(10):
                lines.append("if x == 13: raise ValueError(x)")
            if self.chance(5):
                lines.append("return None")
        self.method("__init__", parameters, lines)

    def small_method(self, name, parameters):
        choice = self.below(8)
        own = ["self.x", "self.y", "self.x", "self.k", "self.total"]
        if name == "get":
            self.method(name, "self", [f"return {self.pick(own)}"] if choice < 5 else self.small_body(own, ["self"], "method"))
        elif name == "put":
            body = [f"self.{self.pick(['x', 'y', 'total'])} = {self.pick(['n', 'n', 'self.y + n', 'self.x'])}"]
            if choice == 0:
                body += [f"self.{self.pick(['x', 'y', 'total'])} = n"]
            elif choice == 1:
                body = [f"self.items[{self.pick(['0', '1', 'n', '-1', '9'])}] = n"]
            elif choice == 2:
                body.insert(0, f"if n {self.pick(COMPARES)} self.x: return {self.pick(own)}")
            elif choice == 3:
                body = self.small_body(own + ["n"], ["self"], "method", "")+ body
            if self.chance(30):
                # What was there before outlives the store.
                attribute = self.pick(["x", "y", "total"])
                body = [f"t = self.{attribute}", f"self.{attribute} = {self.pick(['n', 'n', 'self.y + n'])}", f"return {self.pick(['t', 't', 't + n'])}"]
            elif self.chance(40):
                body.append(f"return {self.pick(['n', 'self.x', '0'])}")
            else:
                body.append("return 0" if self.chance(60) else "pass")
            self.method(name, "self, n", body)
        elif name == "twice":
            self.method(name, "self, n", [self.pick(["return self.form(n) + self.form(n)", "return self.get() + n", "self.put(n); return self.get()",
                                                     "return self.form(self.get())", "return self.check(n) - self.k"])])
        elif name == "check":
            self.method(name, "self, n", [f"if n {self.pick(COMPARES)} {self.pick(own + ['5', '20'])}: raise ValueError(n)" if choice < 3 else "pass",
                                          f"return {self.pick(own + ['n'])}"])
        else:
            self.method(name, f"self, {', '.join(parameters)}", self.small_body(parameters + own, ["self"], "method"))

    def operators(self, likely):
        name = self.families[-1][0]
        if self.plain:
            likely = lambda percent: self.chance(percent + 15)
        chosen = [operator for operator in ARITHMETIC if likely(45 if operator in ("add", "sub", "mul", "truediv") else 12)]
        for operator in chosen:
            sign = ARITHMETIC[operator] if operator not in ("lshift", "pow", "matmul", "mul") else "+"
            simple = f"return {name}(self.x {sign} other, self.y)"
            careful = [f"if isinstance(other, {name}): return {name}(self.x {sign} other.x, self.y)",
                       f"return {self.pick(['NotImplemented', f'{name}(self.x {sign} other)', 'self'])}"]
            if self.chance(85):
                self.method(f"__{operator}__", "self, other", self.pick([
                    [simple], careful, careful, [f"return self.x {sign} other"], ["return NotImplemented"],
                    self.small_body(["self.x", "self.y"], ["self"], "method")]))
            if self.chance(45):
                self.method(f"__r{operator}__", "self, other", self.pick([
                    [f"return {name}(other {sign} self.x)"], [f"return other {sign} self.x"], ["return NotImplemented"], ["return self"]]))
            if self.chance(20):
                self.method(f"__i{operator}__", "self, other", self.pick([
                    [f"self.x {sign}= other", "return self"], ["return NotImplemented"], [f"return {name}(other)"], ["self.total = 1; return self"]]))
        for order in ORDERS:
            if likely(90 if self.plain else 35):
                self.method(f"__{order}__", "self, other", self.pick([
                    [f"return self.x {ORDERS[order]} other.x"], [f"return self.x {ORDERS[order]} other.x"], [f"return self.x {ORDERS[order]} other"],
                    ["return NotImplemented"], [f"if isinstance(other, {name}): return self.x {ORDERS[order]} other.x", "return NotImplemented"],
                    ["return self.y"], ["raise ValueError(1)"]]))
        for special in ("neg", "abs", "invert", "int", "float", "index", "hash", "trunc", "pos", "round", "floor"):
            if likely(15):
                self.method(f"__{special}__", "self", [self.pick(["return self.x", "return -self.x", "return 1", "return 2.0", f"return {name}(1)"])])

    def containers(self, likely):
        if self.plain and likely(60):
            name, index = self.families[-1][0], "x * 2 + y" if self.pairs else "key"
            unpacked = self.pick([["x, y = key"], ["x = key[0]", "y = key[1]"], ["(x, y) = key"]]) if self.pairs else []
            guard = self.pick([[], [], [f"if {index} > {self.pick([2, 3, 6])}: raise IndexError(key)"], [f"if {index} < 0: return self.y"]])
            self.method("__getitem__", "self, key", unpacked + guard + [self.pick([
                f"return self.items[{index}]", f"return self.items[{index}]", f"return self.items[({index}) & 3] + self.x", f"return self.form({index})"])])
            self.method("__setitem__", "self, key, value", unpacked + guard + [self.pick([
                f"self.items[{index}] = value", f"self.items[{index}] = value", f"self.items[({index}) & 3] = value + self.x", f"self.x = {index}",
                f"self.total += value"])])
        elif likely(60):
            self.method("__getitem__", "self, key", self.pick([
                ["return self.items[key]"], ["x, y = key", "return self.items[x + y]"], ["return self.items[key[0] * 2 + key[1]]"],
                ["return self.x + key"], [f"if key > {self.below(12)}: raise IndexError(key)", "return self.y"],
                ["x, y = key", "if x < 0 or y > 3: return self.k", "return self.items[x % 4] + y"], ["return key"],
                ["(x, y), z = key, 2", "return self.form(x) + y + z"], self.small_body(["self.x", "self.y"], ["self"], "method")]))
        if not self.plain and likely(55):
            self.method("__setitem__", "self, key, value", self.pick([
                ["self.items[key] = value"], ["x, y = key", "self.items[x + y] = value"], ["self.items[key[0]] = value"], ["self.x = value"],
                ["x, y = key", "self.total = value"], ["if key == 3: raise KeyError(key)", "self.y = value"], ["self.items[key[1] & 3] = value + key[0]"],
                ["self.put(value)"], ["self.total += value"]]))
        if likely(30):
            self.method("__len__", "self", [self.pick(["return len(self.items)", "return 3", "return self.x", "return 0"])])
        if likely(25):
            self.method("__bool__", "self", [self.pick(["return self.x > 0", "return True", "return False", "return self.x", "return not self.y"])])
        if likely(25):
            self.method("__contains__", "self, item", [self.pick(["return item == self.x", "return True", "return self.x", "return 0"])])
        if likely(25):
            self.method("__iter__", "self", self.pick([["yield self.x", "yield self.y"], ["return iter(self.items)"], ["return iter((1, 2.5))"]]))

    # Functions that use them

    def thing(self):
        if not self.families:
            return "None"
        name = self.pick(self.families)[0]
        number = self.number_constant
        return self.pick([f"{name}({number()}, {number()})" if self.plain else f"{name}({number()})", f"{name}({number()}, {number()})", f"{name}({number()}, {number()})"] + [f"{name}()"] * self.chance(8))

    def user(self):
        name = self.name("u")
        self.line(f"def {name}(o, p, a, b, l, d, s):")
        self.indent += 1
        self.in_body(["a", "b", "acc", "v"], ["o", "p", "q"] if self.families else [], None)
        self.lists, self.dicts, self.strings = ["l", "w"], ["d"], ["s"]
        self.line(f"acc = {self.pick(['0', '0.0', 'a', '1'])}")
        self.line(f"v = {self.number_constant()}")
        self.line("q = o")
        self.line(f"w = {self.pick(['l[:]', '[1, 2, 3]', '[0.5, 1.5]', '[]'])}")
        if self.chance(30):
            self.line(f"l = {self.pick(['l[:6]', 'l[::-1]', 'list(l)', 'l + [a]'])}")
        before = list(self.numbers)
        for _ in range(1 + self.below(2)):
            self.user_loop(2)
            self.numbers = list(before)
        self.line("return acc, v, a, b, o, p, q, l, w, d, s")
        self.indent -= 1
        self.in_body([], [], None)
        return name

    def user_loop(self, depth):
        counter = self.name("i")
        rounds = self.pick([3, 6, 10, 20, 40]) if depth == 2 else self.pick([2, 3, 4])
        source = f"range({rounds})"
        if self.chance(15):
            source = self.pick(["l", "w", "reversed(l)", "d", "map(abs, w)", "[x for x in l if x]", "(x for x in w)", "iter(l)", "(1, 2.5, 3, 4.5)", f"range({rounds}, 0, -1)", "[0.5, 1, 2]", "l[:5]", "list(range(5))[1:]", "(1, 0.5) * 4"])
        self.line(f"for {counter} in {source}:")
        self.indent += 1
        self.numbers.append(counter)
        self.counters.append(counter)
        for _ in range(1 + self.below(6 if depth == 2 else 3) + (3 if self.plain and depth == 2 else 0)):
            self.user_statement(depth)
        if self.lists:
            self.line(f"if len(l) > 30: del l[9:]")
        self.indent -= 1
        self.counters.remove(counter)

    def user_statement(self, depth, guarded=False):
        if not guarded and self.chance(75 if self.plain else 50):
            self.line("try:")
            self.indent += 1
            self.user_statement(depth, True)
            self.indent -= 1
            if self.chance(70):
                self.line(f"except Exception as x0: {self.pick(['E(x0)', 'acc = acc - 1', 'v = 0', 'P(v)'])}")
            else:
                self.line(f"except ({self.pick(['TypeError, ValueError', 'ArithmeticError', 'LookupError, AttributeError'])}): v = 1")
            return
        choice = self.below(46)
        if self.plain and self.chance(60):
            # Mostly what works again and again.
            choice = self.pick([0, 0, 0, 6, 9, 10, 14, 14, 17, 17, 20, 23, 24, 25, 28, 31, 40, 44, 44, 44])
        if self.plain and not guarded and choice >= 28 and self.chance(90):
            # Likely to raise.
            choice = 0
        number, thing = self.number, lambda: self.pick(self.things)
        if choice == 12 and depth <= 1 or 14 <= choice < 28 and not self.things:
            choice = self.below(9)
        if choice < 6:
            self.line(f"acc {self.pick(['+=', '+=', '-='])} {number(2)}")
        elif choice < 9:
            self.line(f"{self.pick(['v', 'v', 'a', 'b', 'acc'])} = {number(2)}")
        elif choice == 9:
            name = self.name("v")
            self.line(f"{name} = {number(2)}")
            self.numbers.append(name)
        elif choice < 12:
            self.line(f"if {self.condition_of(1)}:")
            self.indent += 1
            self.user_statement(depth - 1, True)
            self.indent -= 1
            if self.chance(50):
                self.line("else:")
                self.indent += 1
                self.user_statement(depth - 1, True)
                self.indent -= 1
        elif choice == 12 and depth > 1:
            self.user_loop(depth - 1)
        elif choice == 13:
            self.line(f"if {self.condition_of(1)}: {self.pick(['break', 'continue', 'acc = 0', 'acc = 0.5'])}")
        elif choice < 17:
            self.line(f"{thing()}.{self.pick(['x', 'y', 'total', 'x', 'k', 'w'])} {self.pick(['=', '+=', '=', '-='])} {number(1)}")
        elif choice < 20:
            key = self.pick([self.bound(), f"{self.bound()}, {self.bound()}", f"{self.bound()}, {self.number(0)}"])
            key = self.subscript() if self.plain and self.chance(90) else key
            self.line(f"{thing()}[{key}] {self.pick(['=', '=', '+='])} {number(1)}")
        elif choice < 22:
            sign = self.pick(["+", "-", "*", "/", "+", "-", "%", "&", "**", "@", ">>"])
            a, b = self.pick([(thing(), thing()), (thing(), number(1)), (number(1), thing())])
            self.line(f"q = {a} {sign} {b}")
        elif choice == 22:
            self.line(f"{thing()} {self.pick(['+', '-', '*', '/', '|'])}= {self.pick([number(1), thing()])}")
        elif choice == 23:
            self.line(f"q = {self.pick(self.families)[0]}({number(1)}, {number(0)})")
        elif choice == 24:
            self.line(f"for r in ({thing()}, {thing()}, {thing()}): acc += {self.asked('r', number(0), number(0), 1)}")
        elif choice == 25:
            self.line(f"{thing()}.{self.pick(['put', 'put', 'form', 'twice', 'check'])}({number(1)})")
        elif choice == 26:
            self.line(self.pick([f"o, p = p, o", f"q = {thing()}", f"a, b = {thing()}", f"acc += sum({thing()})", f"v, a = {number(1)}, {number(1)}",
                                 f"P({thing()} {self.pick(COMPARES)} {self.pick([thing(), number(0)])})", f"P(*{thing()})"]))
        elif choice == 27:
            attribute = self.pick(["x", "y", "get", "form", "extra", "k"])
            self.line(self.pick([f"{thing()}.__dict__", f"del {thing()}.{attribute}", f"{thing()}.{attribute} = {number(0)}",
                                 f"vars({thing()})['{attribute}'] = {number(0)}", f"{thing()}.get = lambda: {self.number_constant()}"]))
        elif choice < 31:
            l = self.pick(self.lists)
            self.line(self.pick([f"{l}.append({number(1)})", f"{l}.append({number(1)})", f"{l}.insert({self.bound()}, {number(1)})", f"{l}.pop()",
                                 f"{l}.pop({self.bound()})", f"acc += {l}.pop()", f"{l}[{self.bound()}] = {number(1)}", f"{l}[{self.bound()}] += {number(1)}"]))
        elif choice < 35:
            l = self.pick(self.lists)
            right = self.pick([f"[{number(0)}]", f"({number(0)}, {number(0)})", f"{self.pick(self.lists)}[{self.cut()}]", self.pick(self.lists), "[]", "'ab'",
                               "(z for z in (1, 2))", f"{l}[{self.cut()}]", "range(3)", f"{l}[{self.bound()}::-1]", number(0)])
            self.line(self.pick([f"{l}[{self.cut()}] = {right}", f"{l}[{self.bound()}:{self.bound()}] = {right}", f"w = {l}[{self.cut()}]",
                                 f"{l}[:{self.bound()}] = {l}[{self.bound()}::-1]", f"acc += len({l}[{self.cut()}])", f"del {l}[{self.cut()}]",
                                 f"P(s[{self.cut()}], (1, 2, 3, 4)[{self.cut()}], b'abcd'[{self.cut()}])", f"P({thing() if self.things else 'l'}[{self.cut()}])"]))
        elif choice < 37:
            self.line(self.pick([f"d[{self.bound()}] = {number(1)}", f"d[{self.bound()}] = d.get({self.bound()}, 0) + {number(0)}",
                                 f"acc += d.get({self.bound()}, {number(0)})", f"d.pop({self.bound()}, None)"]))
        elif choice < 39:
            self.line(self.pick([f"s = (s + chr(97 + ({number(0)} & 7)))[-9:]", f"s = s[{self.cut()}]", f"P(chr({number(0)}))", f"acc += ord(s[{self.bound()}])",
                                 f"s = ''.join([s, 'x'])[:9]", f"P(','.join([s, str(v)]))"]))
        elif choice == 39:
            self.line(self.pick([f"M.n = {number(0)}", f"M.n += 1", f"M.f = min"]))
        elif choice == 40 and self.globals_of_numbers:
            self.line(f"globals()['{self.pick(self.globals_of_numbers)}'] = {number(1)}")
        elif choice == 41 and self.families:
            self.line(f"{self.pick(self.families)[0]}.k = {number(0)}")
        elif choice == 42:
            self.line(f"w = [{number(1).replace('acc', 'j')} for j in range(3)]")
        elif choice >= 44:
            self.odd_statement(number, thing)
        else:
            self.line(f"acc = acc + {number(1)} * {self.pick(['2', '0.5'])}")

    def odd_statement(self, number, thing):
        """What is not like other statements."""
        counter = self.pick(self.counters) if self.counters else "v"
        lines = [f"v = {counter} if {counter} % 3 else {counter} + 0.5", f"acc += (lambda z: z + {number(0)})({number(0)})", "acc += a * b % 1000",
                 f"while acc > {number(0)}: acc -= 1 + abs(acc)", f"v = 1 << ({counter} & 63)", f"acc += 1 << {self.pick(['62', '30', '61'])}",
                 "a, b = b, a", f"v = {self.pick(['int', 'float'])}(v)", "d[1] = d", f"l = [v, acc]", f"w.sort()", f"l.extend(w)", f"s += 'ab'"]
        name = self.name("z")
        helper = self.pick(self.helpers)[0] if self.helpers else "f"
        lines += [[f"def {name}(z, y=1): return z + {self.pick(['a', 'b', 'v', 'y'])}", f"acc += {name}({number(0)})"],
                  [f"{name} = {helper}", f"acc += {name}({number(0)})"], [f"{name} = M.f", f"acc += {name}({number(0)}, 2)"],
                  f"acc += {self.pick(self.globals_of_numbers)}"]
        if self.things:
            t, u = thing(), thing()
            k = self.pick(self.families)[0]
            lines += 2 * [
                [f"r = {t} if {counter} % {self.pick(['2', '3', '5'])} else {u}", f"acc += {self.asked('r', number(0), number(0), 0)}"],
                [f"r = {t}.{self.pick(['get', 'form', 'put', 'sm', 'cm'])}", f"acc += r({self.pick(['', number(0)])})"],
                f"{t}.x, {t}.y = {u}.y, {u}.x", f"{t}.items[{self.subscript(False)}] {self.pick(['=', '+='])} {number(0)}",
                f"acc += sum(r.x for r in ({t}, {u}))", f"w = [r.form({number(0)}) for r in ({t}, {u})]", f"acc += {k}.get({t})", f"acc += {k}.form({t}, n={number(0)})",
                f"acc += {t}.form(n={number(0)})", f"q = {k}(y={number(0)}, x={number(0)})", f"q = {k}({number(0)}, y={number(0)})",
                f"q = {k}(*({number(0)}, {number(0)}))", f"{t}.__class__ = {k}", f"{t}.held = {u}", f"acc += {t}.held.x",
                [f"for r in range(40): setattr({t}, 'n%d' % r, r)"], f"{t}.__dict__ = {{'x': {number(0)}, 'y': 1, 'total': 2.5}}",
                f"{t}.get = {t}.get", f"del {t}.x; {t}.x = {number(0)}", f"acc += getattr({t}, 'x')", f"setattr({t}, 'y', {number(0)})",
                f"acc += isinstance({t}, {k})", f"q = max({t}, {u})", f"P(sorted([{t}, {u}]))", f"acc += ({t} is {u}) + ({t} == {u})",
                f"q = {t} + {u} + {number(0)}", f"q = -{t}", f"q = {t}; {t} += {number(0)}", f"v = {t} < {u} < {t}", f"acc += ({t}.x > {u}.x) * ({t}.y <= 1)",
                f"{t}.k = {number(0)}", f"q = type({t})({number(0)}, {number(0)})", f"acc += {t}.x * {u}.y - {t}.y * {u}.x"]
        chosen = self.pick(lines)
        for line in [chosen] if isinstance(chosen, str) else chosen:
            self.line(line)

    def user_calls(self, name, rounds):
        variants = []
        for _ in range(1 + self.below(3)):
            number = self.number_constant
            thing = lambda: self.thing() if self.chance(98 if self.plain else 94) else self.pick([self.number_constant(), "None", "'a'", "[1, 2, 3]"])
            child = lambda kind, plain: f"{self.children[kind]}({plain})" if kind in self.children and self.chance(20) else plain
            items = child("list", self.pick(["[1, 2, 3]", "[0.5, 1, 2.5, 3]", "[5, 6, 7, 8, 9]", "[]", "['a', 1]", "list(range(12))"]))
            scalar = lambda: child(self.pick(["int", "float"]), number())
            variants.append(f"({thing()}, {thing()}, {scalar()}, {scalar()}, {items}, {child('dict', '{1: 2, 0: 0.5}')}, "
                            f"{child('str', self.pick(['chr(97)', repr('hello'), repr('héé'), repr('')]))})")
        k = self.name("k")
        self.line(f"for {k} in range({rounds}):")
        self.indent += 1
        if self.chance(50):
            # Mostly the first; the others come at the end.
            chosen = f"max(0, {k} - {rounds - len(variants)})"
        else:
            chosen = f"{k} % {len(variants)}"
        self.line("try:")
        self.line(f"    P({name}(*({', '.join(f'lambda: {variant}' for variant in variants)},)[{chosen}]()))")
        self.line("except Exception as x0: E(x0)")
        self.indent -= 1

    def change(self):
        """Changes what compiled code may rely upon."""
        lines = [f"M.n = {self.number_constant()}", "M.f = lambda a, b: 1.5", "del M.n", "math = M", "M.sqrt = math.sqrt; math = M",
                 f"{self.pick(['len', 'abs', 'min', 'max', 'int', 'float', 'isinstance', 'ord'])} = lambda *a: {self.number_constant()}",
                 "M = types.SimpleNamespace(n=1, half=2, f=max)", "import builtins; builtins.len = lambda x: 2"]
        if self.helpers:
            name = self.pick(self.helpers)[0]
            lines += [f"{name} = lambda *a, **k: {self.number_constant()}", f"{name}.__code__ = (lambda a0=0, a1=1, a2=2: {self.number_constant()}).__code__",
                      f"{name} = M", f"{name}.__defaults__ = (1,)"]
        if self.globals_of_numbers:
            lines += [f"{self.pick(self.globals_of_numbers)} = {self.pick([self.number_constant(), repr('a'), 'None'])}"] * 2
        if self.families:
            k, other = self.pick(self.families)[0], self.pick(self.families)[0]
            special = self.pick(list(ARITHMETIC) + list(ORDERS) + ["getitem", "setitem", "len", "bool", "call", "init", "contains", "iter"])
            lines += [f"{k}.k = {self.number_constant()}"] * 3
            lines += [f"{k}.x = {self.number_constant()}", f"{k}.get = lambda self: {self.number_constant()}", f"del {k}.get", f"del {k}.k",
                      f"{k}.__{special}__ = lambda self, *a: {self.pick([self.number_constant(), 'NotImplemented', 'self', 'None'])}",
                      f"del {k}.__{special}__", f"{k}.__{special}__ = {other}.__{special}__", f"{k}.form = {other}.form",
                      f"{k}.x = property(lambda self: 4)", f"{k}.__getattr__ = lambda self, name: 8", f"{k}.sm = staticmethod(lambda n: {self.number_constant()})",
                      f"{k}.cm = classmethod(lambda cls, n: cls.k)", f"{k}.__setattr__ = lambda self, n, v: object.__setattr__(self, n, v)",
                      f"{k}.form.__code__ = (lambda self, n: n).__code__", f"{k}.__bases__ = {k}.__bases__", f"{k}.put = property(lambda self: abs)",
                      f"{k} = {other}", f"{k}.__getattribute__ = lambda self, name: object.__getattribute__(self, name)",
                      f"{k}.k = property(lambda self: self.x)", f"class {k}({k}): pass", f"{k}.late = 3"] * 2
        self.line("try:")
        self.line(f"    {self.pick(lines)}")
        self.line("except Exception as x0: E(x0)")

    def object_program(self):
        self.families, self.helpers, self.globals_of_numbers, self.children = [], [], [], {}
        self.tame = self.chance(65)
        # Whether most of it is what compiled code does in line; whether keys are pairs.
        self.plain, self.pairs = self.chance(65), self.chance(50)
        self.in_body([], [], None)
        self.lines += PRELUDE.splitlines()
        self.line(f"def f(a, b): return {self.pick(['a + b', 'a - M.n', 'a if a else b', 'b'])}")
        self.line("M.f = f")
        if self.chance(30):
            self.line("f.__globals__  # the same for all")
        for _ in range(1 + self.below(3)):
            name = self.name("G")
            self.line(f"{name} = {self.number_constant()}")
            self.globals_of_numbers.append(name)
        if self.chance(5 if self.plain else 25):
            for kind in self.random.sample(sorted(BUILTIN_CHILDREN), 1 + self.below(2)):
                name = self.name("B")
                self.line(f"class {name}({kind}):")
                self.line("    " + self.pick(BUILTIN_CHILDREN[kind]))
                self.children[kind] = name
        for _ in range(self.below(4)):
            self.helper_function()
        for _ in range(self.pick([1, 1, 2, 2, 3] if self.plain else [0, 1, 1, 2, 2, 3])):
            self.family()
        if self.families:
            for _ in range(self.below(3)):
                self.helper_function()
        users = [self.user() for _ in range(self.pick([1, 1, 2]))]
        for user in users:
            self.user_calls(user, self.pick([20, 30, 40]))
        for _ in range(self.pick([0, 1, 1, 2, 3])):
            self.change()
            self.user_calls(self.pick(users), self.pick([5, 12, 20]))
