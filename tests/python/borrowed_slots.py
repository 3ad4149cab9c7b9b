# Slots of one class that stand in another, whose instances do not have them: an error, at each access.
class Slots:
    __slots__ = ("a", "b", "c", "d", "e")
    def __init__(self): self.a = self.b = self.c = self.d = self.e = 1


class Sneaky:
    __slots__ = ("own",)
    borrowed = Slots.__dict__["e"]
    def __init__(self): self.own = 1


class Setting:
    __slots__ = ("own",)
    borrowed = Slots.__dict__["e"]
    def __init__(self, value): self.borrowed = value


class Derived(Slots):
    __slots__ = ("own",)
    again = Slots.__dict__["e"]


def load(o): return o.borrowed
def store(o, value): o.borrowed = value
def again(o):
    o.again = o.again + 1
    return o.e


def attempt(call, *arguments):
    try:
        return call(*arguments)
    except TypeError as error:
        return str(error)


derived = Derived()
for i in range(200):
    results = [attempt(load, Sneaky()), attempt(store, Sneaky(), i), attempt(Setting, i), attempt(lambda: Setting(i)), again(derived)]
print(*results, sep="\n")
