"""Makes a program that fails smaller.

Problem: a failing program has a hundred lines, of which three matter. Method: the syntax tree is cut, one place at a time:
runs of statements go (large ones first), compound statements give way to their bodies, expressions to their parts or to a
plain constant; whatever still fails is kept, until nothing can be cut any more. Invariant: `fails` decides alone; it must
call a text that is no longer a fit program one that does not fail.
"""

import ast
import time

BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def minimise(text, fails, seconds=120):
    """The smallest text found that fails."""
    end = time.monotonic() + seconds
    best = ast.unparse(ast.parse(text))
    if not fails(best):
        return text
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for reduce in (_without_statements, _with_bodies, _with_smaller_expressions):
            index = 0
            while time.monotonic() < end:
                candidate = reduce(ast.parse(best), index)
                if candidate is None:
                    break
                try:
                    smaller = ast.unparse(ast.fix_missing_locations(candidate))
                    ast.parse(smaller)
                except (SyntaxError, ValueError, AttributeError, TypeError):
                    smaller = best
                if smaller != best and (len(smaller) < len(best)) and fails(smaller):
                    best, progress = smaller, True
                else:
                    index += 1
    return best + "\n"


def _lists(tree):
    return [(node, field) for node in ast.walk(tree) for field in BODIES if isinstance(getattr(node, field, None), list)]


def _without_statements(tree, index):
    """The `index`-th way to leave statements out: halves of long lists first, single ones last."""
    for size in (16, 8, 4, 2, 1):
        for node, field in _lists(tree):
            body = getattr(node, field)
            ways = (len(body) + size - 1) // size if len(body) >= size else 0
            if index < ways:
                left = body[:index * size] + body[index * size + size:]
                if not left and field == "body":
                    left = [] if isinstance(node, ast.Module) else [ast.Pass()]
                setattr(node, field, left)
                if isinstance(node, ast.Try) and not node.handlers and not node.finalbody:
                    node.finalbody = [ast.Pass()]
                return tree
            index -= ways
    return None


def _with_bodies(tree, index):
    """The `index`-th compound statement replaced by one of its bodies."""
    for node, field in _lists(tree):
        body = getattr(node, field)
        for place, statement in enumerate(body):
            for inner in ("body", "orelse", "finalbody"):
                replacement = getattr(statement, inner, None)
                if isinstance(replacement, list) and replacement and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                    if index == 0:
                        body[place:place + 1] = replacement
                        return tree
                    index -= 1
    return None


def _with_smaller_expressions(tree, index):
    """The `index`-th replacement of an expression by a part of it or a constant."""
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            values = value if isinstance(value, list) else [value]
            for place, old in enumerate(values):
                if not isinstance(old, ast.expr) or isinstance(getattr(old, "ctx", None), (ast.Store, ast.Del)):
                    continue
                parts = [part for part in ast.iter_child_nodes(old) if isinstance(part, ast.expr)]
                parts += [] if isinstance(old, ast.Constant) else [ast.Constant(0), ast.Constant(None)]
                if isinstance(value, list):
                    parts.append(None)
                if isinstance(old, ast.Constant) and type(old.value) is int and abs(old.value) > 9:
                    parts.append(ast.Constant(1))
                if index < len(parts):
                    if isinstance(value, list):
                        value[place:place + 1] = [part for part in [parts[index]] if part is not None]
                    else:
                        setattr(node, field, parts[index])
                    return tree
                index -= len(parts)
    return None
