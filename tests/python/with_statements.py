# with: exits by return, break, continue, raise; swallowing; several managers; errors of the protocol.
class M:
    def __init__(self, name, log, swallow=False, fail=None):
        self.name, self.log, self.swallow, self.fail = name, log, swallow, fail

    def __enter__(self):
        self.log.append("+" + self.name)
        if self.fail == "enter":
            raise OSError(self.name)
        return self

    def __exit__(self, t, v, tb):
        self.log.append(("-" + self.name, t and t.__name__, tb is None))
        if self.fail == "exit":
            raise KeyError(self.name)
        return self.swallow


def ways(how, **kw):
    log = []
    try:
        for i in range(2):
            with M("a", log, **kw) as a, M("b", log):
                if how == "raise":
                    raise ValueError(a.name)
                if how == "return":
                    return log, "returned"
                if how == "break":
                    break
                if how == "continue":
                    continue
                log.append("body")
            log.append("after")
    except Exception as e:
        log.append((repr(e), repr(e.__context__)))
    return log


for _ in range(15):
    results = [ways(how, **kw) for how in ("", "raise", "return", "break", "continue")
               for kw in ({}, {"swallow": True}, {"fail": "enter"}, {"fail": "exit"})]
for r in results:
    print(r)


def bad(x):
    with x:
        pass


class OnlyEnter:
    def __enter__(self): pass


class OnlyExit:
    def __exit__(self, *a): pass


for x in (5, OnlyEnter(), OnlyExit()):
    try:
        bad(x)
    except TypeError as e:
        print(e)


def parenthesised(log):
    with (M("x", log) as x, M("y", log) as (y)):
        log.append((x.name, y.name))


log = []
parenthesised(log)
print(log)


def targets(log):
    d, l = {}, [0, 0]
    with M("t", log) as d["k"], M("u", log) as l[1]:
        pass
    return d["k"].name, l[1].name


print(targets([]))


def hot(n):
    log = []
    m = M("m", log, swallow=True)
    hits = 0
    for i in range(n):
        with m:
            if i % 3 == 0:
                raise ValueError
            hits += 1
        log.clear()
    return hits


print(hot(3000))
