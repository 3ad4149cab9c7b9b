# Threads make progress beside compiled loops; one function in many threads; asynchronous exceptions.
import ctypes
import sys
import threading
import time


def work(n):
    total = 0
    for i in range(n):
        total += i & 3
    return total


results = []


def target(n):
    results.append(work(n))


threads = [threading.Thread(target=target, args=(20_000,)) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(results)
flag = False
rounds = 0


def waiter():
    global rounds
    n = 0
    while not flag:
        n += 1
        rounds = n
    return n > 0


def setter():
    global flag
    while rounds == 0:
        time.sleep(0.001)
    time.sleep(0.02)
    flag = True


t = threading.Thread(target=setter)
t.start()
print(waiter())
t.join()
stop = False
counts = [0, 0, 0]


def spin(k):
    while not stop:
        counts[k] += 1


threads = [threading.Thread(target=spin, args=(k,)) for k in range(3)]
for t in threads:
    t.start()
time.sleep(0.2)
stop = True
for t in threads:
    t.join()
print([c > 0 for c in counts])


def thousand():
    lock = threading.Lock()
    total = 0

    def one(x):
        nonlocal total
        y = x * 2 + 1
        with lock:
            total += y

    for start in range(0, 1000, 50):
        threads = [threading.Thread(target=one, args=(start + i,)) for i in range(50)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    return total


print(thousand())


class Stop(Exception):
    pass


ended = []


def endless():
    try:
        while True:
            pass
    except Stop:
        ended.append("stopped")


t = threading.Thread(target=endless)
t.start()
time.sleep(0.05)
ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(t.ident), ctypes.py_object(Stop))
t.join(20)
print(ended)
local = threading.local()


def with_local(n):
    local.x = n
    for i in range(1000):
        local.x += 1
    results.append(local.x - n)


results.clear()
threads = [threading.Thread(target=with_local, args=(k,)) for k in range(5)]
[t.start() for t in threads]
[t.join() for t in threads]
print(results)


def recursive(n):
    return 0 if n == 0 else 1 + recursive(n - 1)


def in_thread():
    results.append(recursive(500))
    try:
        recursive(10**6)
    except RecursionError:
        results.append("limited")


results.clear()
t = threading.Thread(target=in_thread)
t.start()
t.join()
print(results)
