# Methods of a base class that meet several subclasses: attributes in common places and not, methods the same and redefined.
import sys


class Task:
    def __init__(self, name):
        self.name = name
        self.count = 0
        self.ready = True
        self.link = None

    def isready(self): return self.ready and self.count >= 0
    def work(self, n):
        self.count = self.count + n
        return self
    def weight(self): return 1
    def run(self, n):
        if self.isready():
            self.work(n)
            return self.weight() + self.count
        return -1


class Fast(Task):
    def weight(self): return 10


class Slow(Task):
    def __init__(self, name):
        Task.__init__(self, name)
        self.extra = name

    def weight(self): return 100


class Moved(Task):
    def __init__(self, name):
        self.extra = name
        Task.__init__(self, name)


class Slotted:
    __slots__ = "count", "ready", "name"
    def __init__(self, name): self.count, self.ready, self.name = 0, True, name
    isready, work, weight, run = Task.isready, Task.work, Task.weight, Task.run


class Speaking(Task):
    def __setattr__(self, name, value): object.__setattr__(self, name, value if name != "count" else value + 1000)


class Asked(Task):
    def __getattr__(self, name):
        if name == "count":
            return 7
        raise AttributeError(name)


class Late(Task):
    def __init__(self, name):
        # Attributes before the base's: the same names have other places.
        self.first, self.second = name, name
        Task.__init__(self, name)


def fresh(n):
    """First stores of attributes whose places depend on the class."""
    out = []
    for i in range(n):
        task = (Task, Late, Fast, Moved)[i % 4](i)
        task.link = task.run(i)
        out.append((list(vars(task).items())[-3:], task.link))
    return out


def drive(tasks, n):
    total = 0
    for i in range(n):
        for task in tasks:
            total += task.run(i)
    return total


def reset(tasks):
    for task in tasks:
        task.count = 0


def optimisations():
    """What was done to a method, where it is known when it is compiled."""
    if "columba" not in sys.modules:
        return None
    import columba

    config = columba.config()
    if not columba.is_enabled() or config["stress"] != "none" or config["threshold"] != 20:
        return None
    return columba.info(Task.run).optimisations


two = [Task("a"), Fast("b")]
four = two + [Slow("c"), Fast("d"), Slow("e"), Task("f"), Moved("m")]
six = four + [Slotted("g"), Speaking("h"), Asked("i")]
del six[-1].count
shown = []
for tasks in two, four, six, four, two:
    for repeat in range(60):
        total = drive(tasks, 6)
        if repeat in (0, 20, 59):
            shown.append(total)
        if tasks is two and repeat == 59 and len(shown) == 3:
            done = optimisations()
            assert done is None or any(name.startswith("inline_polymorphic") for name in done), done
        if repeat < 59:
            reset(tasks)
print(shown)

for _ in range(8):
    made = fresh(40)
print(made[:8], made[-2:])

# A method that an instance hides, a class that changes, an attribute that goes.
four[0].weight = lambda: 5000
print(drive(four, 3))
del four[0].weight
Slow.weight = lambda self: 0.5
print(drive(four, 3))
Task.isready = lambda self: self.name != "a"
print(drive(four, 3))
del Fast.weight
print(drive(four, 3))
del four[2].count
try:
    drive(four, 3)
except AttributeError as error:
    print(error)
four[3].__class__ = Moved
four[3].count = 3
print([task.run(1) for task in four if hasattr(task, "count")])


# A guess that held for long is kept for long: failures meanwhile are no reason to give up a class that the version does not know.
class Handle:
    __slots__ = "callback", "args"
    def __init__(self, callback, args):
        self.callback = callback
        self.args = args


class Timer(Handle):
    __slots__ = "when",


def make(cls, n):
    made = None
    for i in range(n):
        made = cls(i, made and made.callback)
    return made.callback, made.args


for cls, n in (Handle, 40_000), (Timer, 2_000), (Handle, 100), (Timer, 100):
    print(make(cls, n))
if optimisations() is not None:
    import columba

    info = columba.info(Handle.__init__)
    assert any(name.startswith("inline_polymorphic") for name in info.optimisations), info.optimisations
    assert sum(exit.count for exit in info.exits) > 60, info.exits
