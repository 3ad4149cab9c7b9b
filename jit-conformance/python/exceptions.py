# Exceptions: which handler, which order of finally blocks, causes and contexts, returns that override, groups.
# compiled: handler, order, nested, overriding, chained, in_loop


class Custom(Exception):
    pass


def handler(function):
    try:
        return function()
    except (ValueError, TypeError) as error:
        return type(error).__name__, str(error)
    except ArithmeticError as error:
        return "arithmetic", str(error)
    except Custom:
        return "custom"


def order(fail):
    log = []
    try:
        try:
            log.append("body")
            if fail:
                raise Custom(fail)
        finally:
            log.append("finally")
    except Custom as error:
        log.append(error.args[0])
    else:
        log.append("else")
    return log


def nested(depth):
    if depth == 0:
        raise Custom("bottom")
    try:
        nested(depth - 1)
    except Custom as error:
        raise Custom(f"{error.args[0]} {depth}")


def overriding(n):
    for i in range(n):
        try:
            return "returned", i
        finally:
            if i < 2:
                continue
    return "fell through"


def chained():
    try:
        try:
            {}["missing"]
        except KeyError as error:
            raise Custom("wrapped") from error
    except Custom as error:
        return repr(error.__cause__), error.__suppress_context__


def in_loop(values):
    results = []
    for value in values:
        try:
            results.append(100 // value)
        except ZeroDivisionError:
            results.append("zero")
        except TypeError:
            results.append("type")
    return results


def groups():
    seen = []
    try:
        raise ExceptionGroup("several", [ValueError(1), TypeError(2), Custom(3)])
    except* ValueError as group:
        seen.append(group.exceptions)
    except* (TypeError, Custom) as group:
        seen.append(group.exceptions)
    return seen


def main():
    for function in (lambda: int("x"), lambda: 1 + "a", lambda: 1 // 0, lambda: 1.0 / 0, lambda: 7):
        print(handler(function))
    print(order(None), order("failed"), overriding(1), overriding(5), overriding(0), chained())
    try:
        nested(4)
    except Custom as error:
        depth = 0
        context = error
        while context is not None:
            depth, context = depth + 1, context.__context__
        print(error, depth)
    print(in_loop([1, 0, 3, "x", 0, 7.5]), groups())
    try:
        handler(lambda: [].pop())
    except IndexError as error:
        print(error)
