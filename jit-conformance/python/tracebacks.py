# Tracebacks: functions, lines and columns that an exception came through, out of calls, loops and generators.
# compiled: outer, middle, inner, looping, stepping


def inner(values, index):
    first = values[0]
    second = (
        first
        + values[index]
    )
    return second


def middle(values, index):
    try:
        return inner(values, index)
    except KeyError:
        return None


def outer(values, index):
    before = len(values)
    result = middle(values, index)
    return before, result


def looping(values):
    total = 0
    for value in values:
        total += value
        total = total * \
            2
    return total


def stepping(values):
    for value in values:
        yield 10 // value


def places(function, *args):
    try:
        return function(*args)
    except Exception as error:
        trace, seen = error.__traceback__.tb_next, []
        while trace:
            code = trace.tb_frame.f_code
            start, end, column, end_column = list(code.co_positions())[trace.tb_lasti // 2]
            lines = [line - code.co_firstlineno for line in (trace.tb_lineno, start, end)]
            seen.append((code.co_name, lines, column, end_column))
            trace = trace.tb_next
        return type(error).__name__, seen


def main():
    print(places(outer, [1, 2], 1), places(outer, [1, 2], 5), places(outer, {0: 1}, 2), places(outer, [1, "x"], 1))
    print(places(looping, [1, 2, 3]), places(looping, [1, None]), places(looping, 5))
    print(places(list, stepping([5, 2])), places(lambda: list(stepping([5, 0]))))
