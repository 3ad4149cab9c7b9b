# Tracing switched on while compiled code runs is honoured from the next line; switched off again, too.
import sys

events = []


def tracer(frame, event, arg):
    if frame.f_code.co_filename != __file__:
        return None
    events.append((event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))
    return tracer


def leaf(x):
    y = x + 1
    return y


def switches_on(n):
    total = 0
    for i in range(n):
        total += leaf(i)
        if i == n - 3:
            sys.settrace(tracer)
            sys._getframe().f_trace = tracer
        total += 1
    sys.settrace(None)
    return total


for _ in range(30):
    events.clear()
    r = switches_on(5)
print(r, *events, sep="\n")
for _ in range(40):
    leaf(1)
events.clear()
sys.settrace(tracer)
leaf(1)
sys.settrace(None)
leaf(2)
print(events)


def traced_loop(n):
    s = 0
    for i in range(n):
        if i % 2:
            s += i
        else:
            s -= 1
    return s


for _ in range(30):
    traced_loop(4)
events.clear()
sys.settrace(tracer)
traced_loop(4)
sys.settrace(None)
print(events)


def gen():
    x = yield 1
    try:
        yield x
    except ValueError:
        yield "caught"


def use():
    g = gen()
    return next(g), g.send(2), g.throw(ValueError)


for _ in range(30):
    use()
events.clear()
sys.settrace(tracer)
use()
sys.settrace(None)
print(events)


def raising():
    try:
        leaf("x")
    except TypeError:
        return "handled"


for _ in range(30):
    raising()
events.clear()
sys.settrace(tracer)
raising()
sys.settrace(None)
print(events)


def opcodes(frame, event, arg):
    frame.f_trace_opcodes = True
    if event == "opcode":
        events.append(frame.f_lasti)
    return opcodes


events.clear()
sys.settrace(opcodes)
leaf(1)
sys.settrace(None)
print(len(events) > 3)


def jumper(frame, event, arg):
    if frame.f_code is jumped.__code__ and event == "line" and frame.f_lineno == jumped.__code__.co_firstlineno + 2:
        frame.f_lineno += 1
    return jumper


def jumped():
    x = 1
    x = 2
    return x


for _ in range(30):
    jumped()
sys.settrace(jumper)
r = jumped()
sys.settrace(None)
print(r, jumped())


def changed_locals(frame, event, arg):
    return None


def turned_on_in_callee():
    sys.settrace(tracer)
    sys._getframe(1).f_trace = tracer


def long_loop(n):
    total = 0
    for i in range(n):
        total += i
        if i == n - 2:
            turned_on_in_callee()
    sys.settrace(None)
    return total


for _ in range(5):
    events.clear()
    r = long_loop(500)
print(r, events)


# Tracing switched on below a frame: an exception that passes through it, its handler, its end.
def switch_on_and_raise(events):
    def tracer(frame, event, arg):
        events.append((event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))
        return tracer

    sys.settrace(tracer)
    frame = sys._getframe().f_back
    while frame is not None and frame.f_code.co_name != "<module>":
        frame.f_trace = tracer
        frame = frame.f_back
    raise RuntimeError


def passes(events):
    switch_on_and_raise(events)


def handles(events):
    try:
        passes(events)
    except RuntimeError:
        x = 1
    return x


class SwitchOn:
    def __init__(self, events):
        self.events = events

    def __enter__(self):
        try:
            switch_on_and_raise(self.events)
        except RuntimeError:
            pass

    def __exit__(self, *_):
        sys.settrace(None)


def in_with(events):
    with SwitchOn(events):
        y = 1
        z = 2
    return y


for function in handles, in_with:
    for _ in range(3):
        events = []
        function(events)
        sys.settrace(None)
        print([e for e in events if e[1] != "switch_on_and_raise"])
