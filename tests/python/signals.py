# Signals reach Python handlers while compiled loops run.
import _thread
import os
import signal
import threading
import time

hits = 0


def handler(number, frame):
    global hits
    hits += 1
    assert frame is None or frame.f_code.co_name


signal.signal(signal.SIGALRM, handler)
# A process that was started in the background has inherited that this signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


def spin_for(limit):
    i = 0
    while hits < limit:
        i += 1
    return i > 0


def spin_range(limit):
    for i in range(10**12):
        if hits >= limit:
            return True


signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
print(spin_for(5), spin_range(12))
signal.setitimer(signal.ITIMER_REAL, 0)


class Out(Exception):
    pass


# A busy machine may be so late that the loop has not begun, or has been left: then the next signal counts.
def raising(number, frame):
    while frame is not None:
        if frame.f_code in loops:
            raise Out("from the handler")
        frame = frame.f_back


def endless(x):
    while True:
        x = x + 1.5


def endless_for():
    total = 0
    for i in range(10**15):
        total += i & 7


def endless_nested():
    while True:
        for i in range(1000):
            for j in range(1000):
                pass


def endless_calls():
    def f(x): return x
    x = 0
    while True:
        x = f(x)


def endless_generator():
    def g():
        while True:
            yield 1
    for _ in g():
        pass


signal.signal(signal.SIGALRM, raising)
loops = {f.__code__ for f in (endless, endless_for, endless_nested, endless_calls, endless_generator)}
for f, args in ((endless, (0.0,)), (endless_for, ()), (endless_nested, ()), (endless_calls, ()), (endless_generator, ())):
    for _ in range(2):
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            f(*args)
        except Out as e:
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(f.__name__, e, e.__traceback__.tb_next.tb_frame.f_code.co_name)


def interrupted():
    begun = []

    def interrupt():
        while not begun:
            time.sleep(0.001)
        time.sleep(0.02)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    n = 0
    try:
        begun.append(True)
        while True:
            n += 1
    except KeyboardInterrupt:
        return n >= 0


print(interrupted(), interrupted())


def handled_inside(n):
    caught = 0
    loops.add(handled_inside.__code__)
    while caught < n:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.005)
            while True:
                pass
        except Out:
            caught += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return caught


print(handled_inside(3))
signal.signal(signal.SIGUSR1, handler)
before = hits
for i in range(100):
    os.kill(os.getpid(), signal.SIGUSR1)
print(hits - before)


# A signal is seen right after the call that raised it, as in the interpreter.
def raised_in_call():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        return "inside"
    return "outside"


try:
    print([raised_in_call() for _ in range(5)])
except KeyboardInterrupt:
    print("late")
