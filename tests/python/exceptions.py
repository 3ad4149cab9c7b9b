# try/except/else/finally with every way out of every part.
# compiled: ways
def ways(how, where):
    log = []
    for i in range(2):
        try:
            log.append("try")
            if where == "try":
                if how == "raise":
                    raise ValueError(i)
                if how == "return":
                    return log
                if how == "break":
                    break
                if how == "continue":
                    continue
            if where == "except":
                raise KeyError("k")
        except KeyError as e:
            log.append(f"except {e}")
            if how == "raise":
                raise ValueError("from except") from e
            if how == "return":
                return log
            if how == "break":
                break
            if how == "continue":
                continue
        else:
            log.append("else")
            if where == "else":
                if how == "raise":
                    raise ValueError("else")
                if how == "return":
                    return log
                if how == "break":
                    break
                if how == "continue":
                    continue
        finally:
            log.append("finally")
            if where == "finally":
                if how == "raise":
                    raise ValueError("finally")
                if how == "return":
                    return log
                if how == "break":
                    break
                if how == "continue":
                    continue
        log.append("after")
    else:
        log.append("loop else")
    return log


def run(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return f"{type(e).__name__}: {e}; cause {e.__cause__!r}; context {e.__context__!r}"


for _ in range(10):
    results = [(how, where, run(ways, how, where)) for how in ("raise", "return", "break", "continue", "") for where in ("try", "except", "else", "finally", "")]
for r in results:
    print(r)


def finally_swallows():
    for i in range(3):
        try:
            raise ValueError
        finally:
            if i < 2:
                continue
            return "swallowed"


print(finally_swallows())


def nested(n):
    log = []
    try:
        try:
            try:
                log.append(1 / n)
            except ZeroDivisionError:
                log.append("zero")
                raise
            finally:
                log.append("inner finally")
        except ArithmeticError as e:
            log.append(type(e).__name__)
            raise KeyError("new") from None
        finally:
            log.append("middle finally")
    except KeyError as e:
        log += [e.__suppress_context__, type(e.__context__).__name__, e.__cause__]
    return log


print(nested(0), nested(4))


def name_is_deleted():
    try:
        raise ValueError("x")
    except ValueError as e:
        pass
    try:
        return e
    except UnboundLocalError as error:
        return str(error)


print(name_is_deleted())


def tuple_match(e):
    try:
        raise e
    except (ValueError, TypeError):
        return 1
    except (KeyError, (IndexError,)) if False else LookupError:
        return 2
    except BaseException:
        return 3


for _ in range(10):
    r = [tuple_match(e) for e in (ValueError(), TypeError(), KeyError(), IndexError(), KeyboardInterrupt(), ValueError)]
print(r)


def bad_match():
    try:
        raise ValueError("v")
    except 5:
        pass


def bad_raise(x):
    raise x


def bad_cause():
    raise ValueError from 5


print(run(bad_match), run(bad_raise, 5), run(bad_raise, int), run(bad_cause))


def reraise_none():
    raise


print(run(reraise_none))


def hot_handlers(n):
    hits = misses = 0
    for i in range(n):
        try:
            if i % 3 == 0:
                raise KeyError(i)
            if i % 5 == 0:
                int("x")
            misses += 1
        except KeyError as e:
            hits += e.args[0]
        except ValueError:
            hits += 0.5
    return hits, misses


print(hot_handlers(10_000))


def assertion(x):
    assert x > 0, f"x is {x}"
    assert x


for x in (1, 0):
    print(run(assertion, x))


class Own(Exception):
    def __init__(self, a, b=2):
        self.a, self.b = a, b


def raise_in_loop(n):
    total = 0
    for i in range(n):
        try:
            raise Own(i, b=i * 0.5)
        except Own as e:
            total += e.a + e.b
    return total


print(raise_in_loop(1000))


def finally_return_value():
    x = 1
    try:
        return x
    finally:
        x = 2


def with_notes():
    try:
        e = ValueError("n")
        e.add_note("a note")
        raise e
    except ValueError as e:
        return e.__notes__


print(finally_return_value(), with_notes())
