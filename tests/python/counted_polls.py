# Loops that are looked for after so many polls, not milliseconds: entered in the middle, left, replaced, always the same.
import sys

LOOPS = []


def total(values):
    result = 0
    for value in values:
        result += value
    return result


def nested(n):
    pairs = []
    for i in range(n):
        for j in range(i):
            if (i + j) % 7 == 0:
                pairs.append((i, j))
    return pairs


def turns(n):
    value, seen = 1, []
    while n:
        n -= 1
        if n == 20:
            value = "a"
        if n == 10:
            value = 1.5
        value = value + value
        seen.append(type(value).__name__)
    return len(seen), seen[::9], value


def generated(n):
    for i in range(n):
        try:
            yield i * i
        finally:
            if i == n - 1:
                LOOPS.append(i)


def raised(n):
    caught = 0
    for i in range(n):
        try:
            [0, 1, 2][i % 5]
        except IndexError as error:
            caught += error.__traceback__.tb_lineno > 0
    return caught


def run_all():
    print(total(range(100)), total([1.5] * 60), total([2 ** 62] * 50))
    print(nested(15))
    print(turns(40))
    print(sum(generated(60)), LOOPS[-1])
    print(raised(60))


def under(stress):
    """Runs all again with code of its own; what `columba` says of `total`."""
    import columba

    before = columba.config()
    columba.config(stress=stress, threshold=1000, loop_entry=True)
    functions = [total, nested, turns, generated, raised]
    for function in functions:
        function.__code__ = function.__code__.replace(co_name=function.__name__)
    try:
        run_all()
        return columba.info(total), before["backend"]
    finally:
        columba.config(stress=before["stress"], threshold=before["threshold"], loop_entry=before["loop_entry"])


ENABLED = "columba" in sys.modules and sys.modules["columba"].is_enabled()
if ENABLED:
    # What is finished in the background is a request, which would be one poll more.
    sys.modules["columba"].config(background=False)
run_all()
if ENABLED:
    info, _ = under("loops")
    assert info.compiled and info.loops_entered >= 3, info
    again, _ = under("loops")
    assert (again.loops_entered, len(again.exits)) == (info.loops_entered, len(info.exits)), (info, again)
    info, backend = under("tiers")
    assert info.loops_entered >= 3, info
    assert info.tier == ("second" if "," in backend else "optimised"), info
else:
    for _ in range(3):
        run_all()
