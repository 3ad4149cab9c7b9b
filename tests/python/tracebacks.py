# Tracebacks have the right lines and functions: nested, chained, in generators, loops, handlers, comprehensions.
# stderr: compare
import sys
import traceback


def divide(a, b):
    return (
        a
        / b
    )


def outer(n):
    total = 0
    for i in range(n, -1, -1):
        total += divide(1, i)
    return total


def chained():
    try:
        outer(3)
    except ZeroDivisionError as e:
        raise KeyError(
            "chained"
        ) from e


def context():
    try:
        outer(1)
    except ZeroDivisionError:
        [].pop()


def gen(n):
    yield n
    yield from (divide(x, 0) for x in range(n))


class C:
    def __init__(self, x):
        self.x = x.missing

    @property
    def p(self):
        return self.y


def comprehension():
    return [
        1 // x
        for x in (2, 1, 0)
    ]


def many_lines(x):
    a = 1
    b = (a +
         x.attr +
         2)
    return b


def with_block():
    with open("/nonexistent/file") as f:
        pass


def call_many(
    *args,
):
    return len(
        args,
        1,
    )


def reraised():
    try:
        divide(1, 0)
    except ZeroDivisionError:
        pass
        raise


def finally_line():
    try:
        divide(1, 0)
    finally:
        x = 1
        y = 2


def show(f, *args):
    try:
        f(*args)
    except BaseException:
        text = traceback.format_exc()
        tb = sys.exc_info()[2]
        lines = []
        while tb:
            lines.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno))
            tb = tb.tb_next
        return text.replace(__file__, "FILE"), lines


CASES = [(outer, 2), (chained,), (context,), (lambda: list(gen(2)),), (C, 1), (lambda: C.p.fget(object()),), (comprehension,),
         (many_lines, 1), (with_block,), (call_many, 1), (reraised,), (finally_line,), (divide, 1, "x"), (eval, "1 +"), (exec, "\n\n1/0")]
for round in range(12):
    results = [show(*case) for case in CASES]
for text, lines in results:
    print(text, lines)


def stored():
    errors = []
    for i in range(3):
        try:
            divide(i, 0)
        except ZeroDivisionError as e:
            errors.append(e)
    return [(e.__traceback__.tb_lineno - stored.__code__.co_firstlineno, e.__traceback__.tb_next.tb_lineno - divide.__code__.co_firstlineno) for e in errors]


print(stored())


def locals_in_traceback(n):
    a = n * 0.5
    b = n + 1
    c = [a, b]
    for i in range(n):
        a += 1.0
    divide(a, b - b)


for _ in range(20):
    try:
        locals_in_traceback(5)
    except ZeroDivisionError as e:
        frames = [f for f, _ in traceback.walk_tb(e.__traceback__)]
print({k: v for k, v in frames[1].f_locals.items()}, frames[2].f_locals)
print("to standard error", file=sys.stderr)
chained()
