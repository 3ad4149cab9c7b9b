# Profiling switched on later sees calls and returns, of C functions too.
import sys
import threading

events = []


def profiler(frame, event, arg):
    name = arg.__name__ if event.startswith("c_") else frame.f_code.co_name
    events.append((event, name))


def leaf(x):
    return len([x]) + abs(x)


def caller(n):
    total = 0
    for i in range(n):
        total += leaf(i)
    return total


for _ in range(40):
    caller(3)
sys.setprofile(profiler)
caller(2)
sys.setprofile(None)
print(events)


def switches_on():
    leaf(1)
    sys.setprofile(profiler)
    leaf(2)
    sys.setprofile(None)
    leaf(3)


for _ in range(30):
    events.clear()
    switches_on()
print(events)


def gen(n):
    for i in range(n):
        yield i


for _ in range(30):
    list(gen(2))
events.clear()
sys.setprofile(profiler)
for x in gen(2):
    pass
sys.setprofile(None)
print(events)


def fails():
    int("x")


def handled():
    try:
        fails()
    except ValueError:
        return 1


for _ in range(30):
    handled()
events.clear()
sys.setprofile(profiler)
handled()
sys.setprofile(None)
print(events)
events.clear()
threading.setprofile(profiler)
t = threading.Thread(target=caller, args=(1,))
t.start()
t.join()
threading.setprofile(None)
print([e for e in events if e[1] in ("caller", "leaf", "abs")])
import cProfile
import pstats

p = cProfile.Profile()
p.runcall(caller, 10)
stats = pstats.Stats(p)
print(sorted((key[2], value[0]) for key, value in stats.stats.items()))
