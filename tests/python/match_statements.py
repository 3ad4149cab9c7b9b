# match: every kind of pattern.
import enum
import sys
from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


class Positional:
    __match_args__ = ("a",)
    a = 5


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def kind(v):
    match v:
        case None:
            return "none"
        case True | False:
            return f"bool {v}"
        case 0 | 1.5 | -2:
            return "literal"
        case 3 + 4j:
            return "complex"
        case "a" | b"b":
            return "text"
        case Colour.RED:
            return "red"
        case Colour():
            return "colour"
        case []:
            return "empty"
        case [1, x]:
            return f"one and {x}"
        case [first, *rest, "end"]:
            return f"{first} ... {rest}"
        case (Point(x=0, y=0) as origin, _):
            return f"origin {origin}"
        case [[a, b], {"k": c}]:
            return f"nested {a} {b} {c}"
        case [*all] if len(all) == 4:
            return f"four {all}"
        case {"type": "circle", "r": r, **rest}:
            return f"circle {r} {sorted(rest)}"
        case {"x": int(x) | float(x)}:
            return f"x={x}"
        case {}:
            return "mapping"
        case Point(0, y):
            return f"on axis {y}"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Point():
            return "point"
        case Positional(5):
            return "positional five"
        case int(n) if n > 100:
            return f"big {n}"
        case str() | bytes() as s:
            return f"string {s!r}"
        case float():
            return "float"
        case _:
            return "other"


VALUES = [None, True, False, 0, 1.5, -2, 3 + 4j, "a", b"b", Colour.RED, Colour.BLUE, [], (), [1, 2], [1, 2, 3], [9, 8, 7, "end"],
          (Point(0, 0), 1), [[1, 2], {"k": 3, "z": 0}], [1, 2, 3, 4], {"type": "circle", "r": 2, "c": 1, "b": 0}, {"x": 1}, {"x": "s"},
          {}, Point(0, 5), Point(3, 3), Point(1, 2), Positional(), 101, 2**80, "str", b"by", 2.5, {1, 2}, "end", range(2), bytearray(b"x")]
for _ in range(10):
    results = [kind(v) for v in VALUES]
for v, r in zip(VALUES, results):
    print(v if not isinstance(v, Positional) else "P", "->", r)


def errors(v):
    match v:
        case Point(1, 2, 3):
            pass


def duplicate(v):
    match v:
        case Positional(1, a=2):
            pass


def not_a_class(v):
    cls = 5
    match v:
        case cls():
            pass


for f in (errors, duplicate, not_a_class):
    try:
        f(Point(1, 2)), f(Positional())
    except TypeError as e:
        print(e)


def captures(v):
    match v:
        case [x, y, *_] | {"x": x, "y": y}:
            return x, y
    return "no match"


print([captures(v) for v in ([1, 2], [1, 2, 3], {"x": 5, "y": 6, "z": 7}, [1])])


def interpret(program):
    stack = []
    for instruction in program:
        match instruction.split() if isinstance(instruction, str) else instruction:
            case ["push", n]:
                stack.append(float(n))
            case ["add" | "mul" as op]:
                b, a = stack.pop(), stack.pop()
                stack.append(a + b if op == "add" else a * b)
            case [("dup" | "drop") as op]:
                stack.append(stack[-1]) if op == "dup" else stack.pop()
    return stack


for _ in range(20):
    r = interpret(["push 2", "push 3", "add", "dup", "mul", ("push", "1"), ["drop"]])
print(r)


# The guard of the first case leaves the subject on the stack twice, owned by both items once the ways have met.
def alternatives(x):
    match x:
        case int() if x < 0:
            return "negative"
        case int(n) | float(n):
            return n
        case [first, *rest]:
            return first, rest


subjects = [5, -5, 2.5, 2**70, "text", [1, 2], None]
counts = [sys.getrefcount(subject) for subject in subjects[2:6]]
for _ in range(40):
    r = [alternatives(subject) for subject in subjects]
after = [sys.getrefcount(subject) for subject in subjects[2:6]]
print(r, [count - before for count, before in zip(after, counts)])
