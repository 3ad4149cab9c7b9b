# Context managers: order, values, exceptions swallowed and passed on, leaving by return, break and continue.
# compiled: Manager.__enter__, Manager.__exit__, nested, leaving, swallowing


class Manager:
    def __init__(self, name, log, swallow=False):
        self.name, self.log, self.swallow = name, log, swallow

    def __enter__(self):
        self.log.append("+" + self.name)
        return self.name

    def __exit__(self, kind, error, trace):
        self.log.append(("-" + self.name, kind and kind.__name__))
        return self.swallow


def nested(fail):
    log = []
    try:
        with Manager("a", log) as a, Manager("b", log, fail == "inner"):
            log.append(a)
            if fail:
                raise ValueError(fail)
        log.append("after")
    except ValueError as error:
        log.append(str(error))
    return log


def leaving(n):
    log = []
    for i in range(n):
        with Manager(str(i), log):
            if i == 0:
                continue
            if i == 2:
                break
            if i == 3:
                return log
    with Manager("last", log):
        return log


def swallowing():
    log = []
    for i in range(3):
        with Manager("s", log, swallow=True):
            log.append(1 // (i - 1))
    return log


def broken():
    try:
        with 5:
            pass
    except TypeError as error:
        return str(error)


def main():
    print(nested(None), nested("inner"), nested("outer"))
    print(leaving(1), leaving(2), leaving(4), swallowing(), broken())
