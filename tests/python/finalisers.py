# Finalisers and weak references: objects die in the bytecode in which they die without Columba.
import weakref

log = []


class Loud:
    def __init__(self, name): self.name = name
    def __del__(self): log.append("del " + self.name)


def rebinding():
    x = Loud("a")
    log.append("have a")
    x = Loud("b")
    log.append("have b")
    x = None
    log.append("none")
    y = Loud("c")
    del y
    log.append("deleted")
    Loud("d")
    log.append("dropped")
    z = Loud("e")
    return len(log)


def temporaries():
    log.append(Loud("t1").name + Loud("t2").name)
    log.append([Loud("t3")][0].name)
    a, b = Loud("t4"), Loud("t5")
    a, b = b, a
    a = b
    log.append("swapped")
    return None


def in_loop(n):
    for i in range(n):
        x = Loud(f"l{i}")
        log.append(f"round {i}")
    log.append("after loop")


def exception():
    try:
        x = Loud("in try")
        raise ValueError
    except ValueError as e:
        log.append("handler")
        e = None
    log.append("after handler")


def generator():
    x = Loud("gen local")
    yield 1
    yield 2


def generators():
    g = generator()
    next(g)
    log.append("drop generator")
    del g
    log.append("dropped generator")


def containers():
    l = [Loud("i0"), Loud("i1")]
    l[0] = None
    log.append("stored")
    l.clear()
    log.append("cleared")
    d = {"k": Loud("v")}
    d["k"] = 0
    log.append("dict stored")
    o = Loud("owner")
    o.attr = Loud("attr")
    o.attr = None
    log.append("attr stored")


def run_all():
    log.clear()
    rebinding()
    temporaries()
    in_loop(3)
    exception()
    generators()
    containers()
    log.append("end")
    return list(log)


first = run_all()
for _ in range(20):
    r = run_all()
print(*r, sep="\n")
print(first == r)


def weak():
    out = []
    o = Loud("w")
    w = weakref.ref(o, lambda r: out.append("callback"))
    out.append(w() is o)
    p = o
    o = None
    out.append(w() is None)
    p = None
    out.append(w() is None)
    return out


for _ in range(20):
    r = weak()
print(r)


class Resurrect:
    kept = []

    def __del__(self):
        Resurrect.kept.append(self)


def resurrect():
    Resurrect()
    return len(Resurrect.kept)


print(resurrect(), resurrect())
