# Loops in the module body, whose variables live in a dictionary that others may read and write.
# timeout: 120
import sys

N = 300_000
s = 0.0
for i in range(N):
    s += i * 0.5 - s * 0.25
print(s, i)
total = count = 0
while count < N:
    total += count & 0xFF
    count += 1
print(total, count)
x = 1
for k in range(200):
    x += x
print(x)


def reads():
    return visible


visible = 0
seen = []
for j in range(50_000):
    visible += 1
    if j % 10_000 == 0:
        seen.append((reads(), globals()["visible"], visible))
print(seen)


def writes(v):
    global changed
    changed = v


changed = 0
log = []
for j in range(50_000):
    changed += 1
    if j == 20_000:
        writes(0.5)
    if j == 30_000:
        globals()["changed"] = -1
    if j % 10_000 == 9_999:
        log.append(changed)
print(log)
for j in range(1000):
    if j == 500:
        del j
        break
print("j" in globals())
try:
    for q in range(10_000):
        if q == 5000:
            del s
        s2 = s
except NameError as e:
    print(e, q)
hits = 0
for j in range(20_000):
    try:
        if j % 5 == 0:
            raise KeyError(j)
        hits += 1
    except KeyError as e:
        hits += e.args[0]
print(hits, "e" in globals())
frame = sys._getframe()
for j in range(20_000):
    inside = j
    if j == 15_000:
        print(frame.f_locals["inside"], frame.f_lineno, frame.f_locals is globals())
for a in range(100):
    for b in range(100):
        if b > a:
            continue
        last = (a, b)
print(last)


class Body:
    acc = 0
    for n in range(50_000):
        acc += n
    del n


print(Body.acc)
exec("t = 0\nfor i in range(50000):\n    t += i\nprint(t, i)", {})
locals_ = {}
exec("t = 0\nfor i in range(5000):\n    t += i\n", {}, locals_)
print(sorted(locals_.items()))
