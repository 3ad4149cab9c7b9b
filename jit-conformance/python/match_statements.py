# Pattern matching: literals, sequences, mappings, classes, guards, alternatives.
# compiled: kind, evaluate, shape


class Node:
    __match_args__ = ("op", "left", "right")

    def __init__(self, op, left, right):
        self.op, self.left, self.right = op, left, right


def kind(x):
    match x:
        case 0 | 1:
            return "bit"
        case int() if x < 0:
            return "negative"
        case int(n) | float(n):
            return f"number {n}"
        case "quit" | None:
            return "end"
        case str() as text:
            return text.upper()
        case []:
            return "empty"
        case [one]:
            return "single", one
        case [first, *rest]:
            return first, rest
        case {"type": "point", "x": x, **others}:
            return "point", x, others
        case {}:
            return "mapping"
        case _:
            return "other"


def evaluate(node):
    match node:
        case Node("+", left, right):
            return evaluate(left) + evaluate(right)
        case Node("*", left, right):
            return evaluate(left) * evaluate(right)
        case Node(op="-", left=left):
            return -evaluate(left)
        case number:
            return number


def shape(p):
    match p:
        case (0, 0):
            return "origin"
        case (x, 0) | (0, x):
            return "axis", x
        case (x, y) if x == y:
            return "diagonal"
        case (_, _):
            return "plane"
    return "no pair"


def main():
    values = [0, True, -5, 7, 2.5, 2**70, "quit", None, "coo", [], [1], [1, 2, 3], (4, 5), {"a": 1}, {1}, b"x"]
    print([kind(value) for value in values], kind({"type": "point", "x": 1, "z": 3}))
    print(evaluate(Node("+", 2, Node("*", 3, Node("-", 4, None)))), evaluate(Node("+", 0.5, 2**63)))
    print([shape(p) for p in ((0, 0), (3, 0), (0, 4), (5, 5), (1, 2), (1, 2, 3), "ab")])
