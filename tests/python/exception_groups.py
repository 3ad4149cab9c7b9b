# except*: splitting, re-raising, nested groups, several handlers, raising inside handlers.
def show(e):
    if isinstance(e, BaseExceptionGroup):
        return f"{type(e).__name__}({e.message}, [{', '.join(map(show, e.exceptions))}])"
    return repr(e)


def handle(group):
    log = []
    try:
        try:
            raise group
        except* ValueError as eg:
            log.append(("value", show(eg)))
        except* (TypeError, KeyError) as eg:
            log.append(("type", show(eg)))
        else:
            log.append("else")
        finally:
            log.append("finally")
    except BaseException as e:
        log.append(("left", show(e)))
    return log


def groups():
    return [
        ExceptionGroup("g", [ValueError(1)]),
        ExceptionGroup("g", [ValueError(1), TypeError(2)]),
        ExceptionGroup("g", [ValueError(1), OSError(2), ExceptionGroup("in", [KeyError(3), ValueError(4)])]),
        BaseExceptionGroup("b", [KeyboardInterrupt(), ValueError(1)]),
        ValueError("naked"),
        OSError("naked"),
    ]


for _ in range(10):
    results = [handle(g) for g in groups()]
for r in results:
    print(r)


def raising():
    try:
        try:
            raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
        except* ValueError:
            raise KeyError("new")
        except* TypeError as eg:
            raise
    except BaseException as e:
        return show(e)


print(raising())


def in_loop(n):
    count = 0
    for i in range(n):
        try:
            if i % 2:
                raise ExceptionGroup("x", [ValueError(i), ValueError(i + 1)])
        except* ValueError as eg:
            count += sum(e.args[0] for e in eg.exceptions)
    return count


print(in_loop(100))


def bad():
    try:
        raise ValueError
    except* ExceptionGroup:
        pass


try:
    bad()
except TypeError as e:
    print(e)


def one_raised(group, cause):
    try:
        try:
            raise group
        except* (TypeError, ValueError) as eg:
            raise SyntaxError(3) from (eg if cause else None)
    except BaseException as e:
        return show(e), show(e.__context__) if e.__context__ else None


print(one_raised(ExceptionGroup("eg", [TypeError(1), ValueError(2)]), False))
print(one_raised(ExceptionGroup("eg", [TypeError(1), ValueError(2)]), True))
print(one_raised(ExceptionGroup("eg", [TypeError(1), OSError(2)]), True))
