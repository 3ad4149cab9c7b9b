# Attributes of modules, classes and instances with a dictionary, read in line: what changes them afterwards must be seen.
# compiled: of_module, of_class, call_class, of_instance, call_instance
import gc
import sys
import types


def shown(call, *arguments):
    """A result, or the error."""
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)


def often(call, *arguments):
    """The same again and again: the last results, which are all the same."""
    results = [shown(call, *arguments) for _ in range(40)]
    assert all(repr(result) == repr(results[0]) for result in results), results
    return results[-1]


def expect(function, counter, *thresholds):
    """Asserts that an optimisation was used in the version that is in use now, where that is certain."""
    if "columba" not in sys.modules:
        return
    import columba

    config = columba.config()
    if columba.is_enabled() and config["stress"] == "none" and config["threshold"] in thresholds:
        done = columba.info(function).optimisations
        assert any(name.startswith(counter) for name in done), (function, counter, done)


# ---- modules ----

module = types.ModuleType("module")
module.value = 1
module.function = lambda x=0: ("function", x)
plain = module


def of_module(): return module.value
def call_module(x): return module.function(x)


class Sub(types.ModuleType):
    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        return ("sub", found) if name == "value" else found


class Shy(types.ModuleType):
    value = property(lambda self: "property")


def modules():
    global module
    print(often(of_module), often(call_module, 2))
    expect(of_module, "inline_module_attributes", 20)
    expect(call_module, "inline_module_attributes", 20)
    for value in 2, 2.5, "text", None, [1]:
        module.value = value
        print(shown(of_module), end=" ")
    # Rebound in the middle of a loop.
    seen = []
    for i in range(120):
        if i % 50 == 49:
            module.value = i
        seen.append(of_module())
    print(seen[0], seen[48], seen[49], seen[98], seen[119])
    for i in range(100):
        setattr(module, f"name{i}", i)
        assert of_module() == 99 and call_module(i) == ("function", i)
    del module.value
    print(often(of_module))
    module.__getattr__ = lambda name: f"made {name}"
    print(often(of_module), of_module() is of_module())
    module.value = "back"
    print(often(of_module))
    del module.__getattr__, module.function
    print(often(of_module), often(call_module, 1))
    module.function = len
    print(often(call_module, "four"), shown(call_module, 1))
    module.function = complex
    print(often(call_module, 2))
    # Another module, another kind of module, something else.
    for other in types.ModuleType("other"), Sub("sub"), Shy("shy"), types.SimpleNamespace(), 5:
        module = other
        if other != 5:
            vars(other).update(value="of " + type(other).__name__, function=abs)
        print(often(of_module), often(call_module, -3))
    module = plain
    print(often(of_module))
    module.__class__ = Shy
    print(often(of_module))
    module.__class__ = types.ModuleType
    print(often(of_module))
    vars(module)[1] = "a key that is no str"
    print(often(of_module))
    del vars(module)[1]
    vars(module).clear()
    print(often(of_module))
    module.value = 7
    print(often(of_module))


# ---- classes ----

class Counter:
    step = 1
    data = [1, 2]

    @staticmethod
    def double(x): return x * 2
    @classmethod
    def name(cls): return cls.__name__
    @classmethod
    def make(cls, *args): return cls, args
    def plain(self): return "plain", self
    @property
    def asked(self): return "asked"
    def __class_getitem__(cls, key): return "item", key


class Child(Counter):
    @classmethod
    def name(cls): return "child " + super().name()


class GrandChild(Child):
    step = 10

    @staticmethod
    def double(x): return -x
    make = staticmethod(lambda *args: ("static", args))


class Meta(type):
    step = property(lambda cls: "of the metaclass")
    name = "hidden by the class"
    def double(cls, x): return "double of the metaclass", x
    def __getattr__(cls, name): return "asked the metaclass for " + name


class Strange(metaclass=Meta):
    step = "of the class"
    @classmethod
    def name(cls): return "name of the class"


class Slotted:
    __slots__ = "step",
    @classmethod
    def name(cls): return "slotted"


class Value:
    def __repr__(self): return "value"


class Holder:
    value = Value()


def of_class(): return Counter.step
def call_class(x): return Counter.double(x), Counter.name(), Counter.plain(x)
def of_any(cls): return cls.step
def call_any(cls, x): return cls.name(), cls.double(x)
def make(cls, x): return cls.make(x)
def of_value(): return Holder.value


def classes():
    print(often(of_class), often(call_class, 3))
    expect(of_class, "inline_class_attributes", 0, 20)
    expect(call_class, "inline_methods", 0, 20)
    seen = []
    for i in range(120):
        if i % 50 == 49:
            Counter.step = i
        seen.append(of_class())
    print(seen[48:50], seen[98:100])
    for cls in Counter, Child, GrandChild:
        print(often(of_any, cls), often(call_any, cls, 2), often(make, cls, 1))
    # All of them by turns, and some that have less.
    kinds = Counter, Child, GrandChild, Strange, Slotted, Counter(), Child(), Strange(), 5
    for _ in range(30):
        line = [(shown(of_any, cls), shown(call_any, cls, 2), shown(make, cls, 1)) for cls in kinds]
    for of, call, made in line:
        print(str(of).split(" object")[0], call, str(made).split(" object")[0])
    # What a subclass inherits may come to be hidden, and the other way round.
    Child.step = "child's"
    print(often(of_any, Child), often(of_any, GrandChild))
    del GrandChild.step, GrandChild.double, GrandChild.make
    print(often(of_any, GrandChild), often(call_any, GrandChild, 2), often(make, GrandChild, 1))
    del Child.step
    print(often(of_any, GrandChild))
    GrandChild.__bases__ = (Counter,)
    print(often(call_any, GrandChild, 2))
    # Another kind of attribute under the same name.
    Counter.double = lambda x: ("function", x)
    print(often(call_class, 3))
    Counter.double = classmethod(lambda cls, x: (cls.__name__, x))
    print(often(call_class, 3), often(call_any, Child, 3))
    Counter.double = str
    print(often(call_class, 3))
    Counter.double = classmethod(len)
    print(often(call_any, Child, 3))
    Counter.step = property(lambda self: 1)
    print(type(often(of_class)).__name__)
    Counter.step = types.MethodType(lambda x: x, 5)
    print(often(of_class)())
    del Counter.step
    print(often(of_class))
    Counter.step = "again"
    print(often(of_class), often(of_any, Child))


def wrappers():
    """What a class's version does not show: a static method with another function, a value that becomes a descriptor."""
    Counter.double = staticmethod(lambda x: ("first", x))
    Counter.name = classmethod(lambda cls: ("first", cls))
    print(often(call_class, 1))
    Counter.__dict__["double"].__init__(lambda x: ("second", x))
    Counter.__dict__["name"].__init__(lambda cls: ("second", cls))
    junk = [lambda: i for i in range(500)]
    print(often(call_class, 1), len(junk))
    print(often(of_value))
    expect(of_value, "inline_class_attributes", 0, 20)
    Value.__get__ = lambda self, instance, owner: (instance, owner)
    print(often(of_value))
    del Value.__get__
    print(often(of_value))
    Holder.value.__class__ = type("Getter", (Value,), {"__get__": lambda self, instance, owner: "got"})
    print(often(of_value))


def counts():
    """References of what is read stay what they are."""
    class Local:
        item = object()
        @classmethod
        def own(cls): return cls
        @staticmethod
        def none(): return None
    def read(cls): return cls.item, cls.own(), cls.none(), module.value
    item = Local.item
    read(Local)
    module.value = item
    before = sys.getrefcount(item), sys.getrefcount(Local), sys.getrefcount(Local.own.__func__)
    for _ in range(300):
        read(Local)
    after = sys.getrefcount(item), sys.getrefcount(Local), sys.getrefcount(Local.own.__func__)
    # The compiled code may hold code objects; what it reads it does not.
    print([b - a for a, b in zip(before, after)])


# ---- instances with a dictionary ----

class Thing:
    kind = "kind of the class"

    def __init__(self, x):
        self.x = x
        self.y = 0

    def method(self): return "method", self.x
    def other(self): return "other"


class Many:
    def __init__(self):
        for i in range(70):
            setattr(self, f"a{i}", i)


class Extra(dict):
    def __getitem__(self, key): return "never asked"


def of_instance(thing): return thing.x
def call_instance(thing): return thing.method()
def of_own(thing): return thing.x
def of_many(many): return many.a0, many.a35, many.a69
def kind_of(thing): return thing.kind


def touched(x):
    thing = Thing(x)
    thing.__dict__
    return thing


def instances():
    thing = touched(1)
    print(often(of_instance, thing), often(call_instance, thing), often(kind_of, thing))
    expect(call_instance, "inline_methods", 0, 20)
    things = [touched(i) for i in range(5)] + [Thing(i) for i in range(5)]
    for _ in range(30):
        line = [(of_instance(thing), call_instance(thing)) for thing in things]
    print(line)
    thing.x = 2
    print(often(of_instance, thing))
    vars(thing)["x"] = 3
    print(often(of_instance, thing))
    del thing.x
    print(often(of_instance, thing), often(call_instance, thing))
    thing.x = 4
    print(often(of_instance, thing), list(vars(thing)))
    thing.kind = "its own"
    print(often(kind_of, thing))
    # A method that an instance hides, in its dictionary and in line.
    for hider in thing, Thing(5):
        often(call_instance, hider)
        hider.method = lambda: "hidden"
        print(often(call_instance, hider))
        del hider.method
        print(often(call_instance, hider))
        vars(hider)["method"] = lambda: "hidden in the dictionary"
        print(often(call_instance, hider))
        del vars(hider)["method"]
    # Other dictionaries.
    for other in {"x": "other"}, {"y": 1, "z": 2, "x": "third"}, Extra(x="extra", method=len), {1: 2, "x": "mixed keys"}, \
            {str.__new__(type("Str", (str,), {}), "x"): "a str of another class"}, {}, {"".join(["met", "hod"]): int}:
        thing.__dict__ = other
        print(often(of_instance, thing), often(call_instance, thing), shown(call_instance, thing))
    for key in ("x", 1, None, ("x",)):
        thing = touched(6)
        for i in range(100):
            if i == 60:
                vars(thing)[key] = "later"
            result = of_instance(thing), call_instance(thing)
        print(result, sorted(vars(thing), key=str))
    # A dictionary that shares its keys with no other.
    thing = Thing(7)
    thing.__dict__ = dict(vars(thing))
    print(often(of_own, thing))
    expect(of_own, "inline_attributes", 20)
    for change in "changed", 7.5:
        thing.x = change
        print(often(of_own, thing), end=" ")
    vars(thing).pop("x")
    print(often(of_own, thing))
    vars(thing)["x"] = "at another place"
    print(often(of_own, thing), often(of_own, touched("shared keys")), often(of_own, Thing("in line")))
    # So many that they never lay in line.
    many = Many()
    print(often(of_many, many))
    expect(of_many, "inline_attributes", 20)
    del many.a35
    print(often(of_many, many))
    many.a35 = "back"
    print(often(of_many, many))
    # A dictionary that goes away and comes back.
    del thing.__dict__
    print(often(of_instance, thing), often(call_instance, thing))
    thing.x = 8
    print(often(of_instance, thing), often(call_instance, thing))
    Thing.x = property(lambda self: "property", lambda self, value: None)
    print(often(of_instance, thing))
    del Thing.x
    Thing.method = lambda self: "another method"
    print(often(call_instance, thing), often(of_instance, thing))
    Thing.__getattribute__ = lambda self, name: "asked"
    print(often(of_instance, thing), shown(call_instance, thing))
    del Thing.__getattribute__
    before = sys.getrefcount(thing), sys.getrefcount(vars(thing))
    often(of_instance, thing), often(call_instance, thing)
    print(sys.getrefcount(thing) - before[0], sys.getrefcount(vars(thing)) - before[1])


class Dropped:
    """Its `__init__` is replaced while an instance is made, by a finaliser that garbage collection runs."""
    def __init__(self, x): self.x = x


class Cycle:
    def __init__(self): self.self = self
    def __del__(self): Dropped.__init__ = lambda self, x: setattr(self, "x", x)


def drop():
    gc.set_threshold(5)
    made = []
    for i in range(400):
        Cycle()
        made.append(Dropped(i))
    gc.set_threshold(700, 10, 10)
    print(sum(thing.x for thing in made))


modules()
classes()
wrappers()
module = plain
counts()
instances()
drop()


# Metaclasses with a `__getattr__`: asked only where `type` finds nothing, and as it is now.
class Fallback(type):
    def __getattr__(cls, name):
        if name == "missing":
            raise AttributeError(name)
        return f"{cls.__name__} made {name}"

    prop = property(lambda cls: cls.__name__ + " prop")


class Colour(metaclass=Fallback):
    RED = 1

    @property
    def raising(self):
        raise AttributeError("own")


class Other(Fallback):
    def __getattribute__(cls, name):
        return "other " + name


class Different(metaclass=Other):
    RED = 2


class Raises:
    def __get__(self, instance, owner):
        raise AttributeError("descriptor")


def colours(cls):
    try:
        return cls.RED, cls.prop, cls.blue, cls.fails, cls.missing
    except AttributeError as error:
        return str(error), error.__context__


Colour.fails = Raises()
for _ in range(60):
    colours(Colour), colours(Different)
print(colours(Colour), colours(Different))
Fallback.__getattr__ = lambda cls, name: "new " + name
print(colours(Colour))
Fallback.__getattribute__ = lambda cls, name: type.__getattribute__(cls, name)
print(colours(Colour))
del Fallback.__getattribute__, Fallback.__getattr__
print(colours(Colour))
