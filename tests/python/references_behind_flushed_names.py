# A module's loop writes its raw names back before it loads a global variable, and what the stack borrows gets a reference for
# that. A guard that then fails hands this reference over: none is left behind.
import sys


def writes(v):
    global changed
    changed = v


changed = 0
log = []
before = sys.getrefcount(log)
for j in range(50_000):
    changed += 1
    if j == 20_000:
        writes(0.5)
    if j % 10 == 9:
        log.append(changed)
print(sys.getrefcount(log) - before, len(log), changed)
