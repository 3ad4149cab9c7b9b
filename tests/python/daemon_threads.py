# Daemon threads are inside compiled code, waiting for the GIL, when the interpreter ends.
import sys
import threading
import time

running = 0


def wait():
    global running
    running += 1
    while True:
        time.sleep(0.0005)


def compute():
    global running
    running += 1
    x = 0.0
    while True:
        x = x * 0.5 + 1.0


def in_handler():
    global running
    running += 1
    while True:
        try:
            time.sleep(0.0001)
            [].pop()
        except IndexError:
            pass


for target in (wait, compute, in_handler) * 2:
    threading.Thread(target=target, daemon=True).start()
while running < 6:
    time.sleep(0.001)
time.sleep(0.1)
print("main thread ends with", threading.active_count() - 1, "others running")
sys.stdout.flush()
