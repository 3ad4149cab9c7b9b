# Objects are freed when the interpreter would free them: on every path, also where an exception or an exit leaves.
# compiled: dropped, overwritten, raised, in_loop, held_by_generator

log = []


class Noted:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        log.append(self.name)

    def __add__(self, other):
        return Noted(self.name + other.name)


def dropped():
    x = Noted("local")
    log.append("before")
    x = None
    log.append("after")


def overwritten():
    x = Noted("first")
    x = Noted("second")
    log.append("end")
    return x.name


def raised(index):
    x = Noted("kept by traceback")
    return [x.name][index]


def in_loop(n):
    for i in range(n):
        x = Noted(str(i)) + Noted("+")
        log.append("turn")
    log.append("loop ended")


def held_by_generator():
    def generator():
        x = Noted("in generator")
        yield 1
        yield x.name

    g = generator()
    next(g)
    del g
    log.append("generator gone")


def main():
    log.clear()
    dropped()
    print(overwritten(), raised(0))
    try:
        raised(1)
    except IndexError:
        log.append("caught")
    in_loop(3)
    held_by_generator()
    print(log)
