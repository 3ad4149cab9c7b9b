# An argument that only the callee holds dies when the callee lets go of it, not when the call returns.
log = []


class Loud:
    def __init__(self, name): self.name = name
    def __del__(self): log.append("del " + self.name)


def arguments(x, y):
    x = None
    log.append("x gone")
    del y
    log.append("y gone")
    return 1


def method_arguments():
    class C:
        def m(self, x, k=None):
            x = k = None
            log.append("in method")

    C().m(Loud("positional"), k=Loud("keyword"))


for _ in range(20):
    log.clear()
    arguments(Loud("arg x"), Loud("arg y"))
    method_arguments()
print(*log, sep="\n")
