# Variables of a module body live in a dictionary; loops keep them raw, and everybody else must see what the interpreter shows.
# timeout: 240
import gc
import signal
import sys
import threading

N = 60_000

# Readers and writers called from the loop.
s = 0.0
count = 0


def reads():
    return s, count


def writes():
    global s, count
    s = -1.0
    count = count + 1000


log = []
for i in range(N):
    s += i * 0.5
    count += 1
    if i % 15_000 == 7:
        log.append(reads())
        writes()
        log.append((s, count, globals()["s"], sys._getframe().f_locals["count"], vars()["i"]))
print(log, s, count, i)


# A called function changes the type of a name, or removes it.
def retype(v):
    global total
    total = v


total = 0
seen = []
for i in range(N):
    total += i & 3
    if i == 20_000:
        retype(0.25)
    elif i == 40_000:
        retype(10**30)
    elif i == 50_000:
        seen.append(total)
        retype(True)
print(total, seen)


def remove():
    del globals()["gone"]


gone = 0
for k in range(3):
    try:
        for i in range(N):
            gone += 1
            if i == 30_000 + k:
                remove()
    except NameError as error:
        print(error, i)
        gone = k

# Deletion in the loop itself; an unbound name.
x = 0
for i in range(N):
    if i % 10_000 == 9_999:
        del x
        try:
            x
        except NameError as error:
            print(error)
        x = i
    x += 1
print(x)
for i in range(N):
    late = i * 2
    later = late + 1.5
print(late, later)
try:
    for i in range(N):
        if i == N - 5:
            print(never_bound)
except NameError as error:
    print(error, i)

# Handlers in and around loops see the names.
good = bad = 0
for i in range(N):
    try:
        good += 1
        q = 7 // (i % 1000)
        good += q
    except ZeroDivisionError:
        bad += 1
        if bad % 20 == 0:
            print(good, bad, i)
    finally:
        good -= 1
print(good, bad, q)
acc = 0
try:
    while True:
        acc += 3
        1 // (acc - 90_000)
except ZeroDivisionError:
    print(acc, globals()["acc"])

# Overflow into big ints in the middle.
big = 1
step = 3
for i in range(N):
    big += step + i
    if i == 30_000:
        big += 2**62
    if i == 31_000:
        big += 2**62
print(big)


# Finalisers run in the middle and look at names, change them, or their types.
class Loud:
    def __init__(self, action):
        self.action = action

    def __del__(self):
        self.action()


def note():
    notes.append((a, b, globals()["a"]))


def shake():
    global a, b
    a, b = b, "text" if len(notes) == 1 else 5


notes = []
a = b = 0
holder = None
box = [None]
for i in range(N):
    a += 1
    b += a & 1
    if i % 20_000 == 100:
        holder = Loud(note)
    if i % 20_000 == 200:
        a += 7
        holder = 5
    if i % 20_000 == 300:
        box[0] = Loud(note)
    if i % 20_000 == 400:
        b += 1
        box[0] = None
    if i % 20_000 == 500:
        Loud(note)
print(notes, a, b)
notes = []
a = b = 0
for i in range(N):
    try:
        a += 1
        b += 2
    except TypeError as error:
        print("type changed", i, a, error)
        b = 0
    if i == 30_000:
        box[0] = Loud(shake)
    if i == 30_010:
        box[0] = notes.append(1)
    if i == 40_000:
        holder = Loud(shake)
    if i == 40_010:
        holder = 1
print(a, b)
# The first raw value of a name whose object has a finaliser.
for i in range(N):
    if i % 20_000 == 10:
        c = Loud(lambda: notes.append(i))
    else:
        c = i + 1
print(c, notes)

# Identity: a name and its copies are one object, whatever is raw.
nan = float("nan")
lost = 0
first = 1e300
y = nan
items = []
for i in range(N):
    y = first
    z = y
    if y is not first or z is not y:
        lost += 1
    w = i * 1.5
    v = w
    if v is not w:
        lost += 1
    if i % 20_000 == 5:
        items += [w, v, y]
        pair = (w, v)
        if pair[0] is not pair[1] or items[-3] is not v:
            lost += 1
    u = items[0] if items else w
    t = u
    lost += t is not u
print(lost, y is first, nan in [nan], items[0] is items[1])
previous = current = 0.0
kept = []
for i in range(N):
    previous = current
    current = current + 0.5
    if i % 10_000 == 0:
        kept.append(current)
    if i % 10_000 == 1 and kept[-1] is not previous:
        print("previous is a copy", i)
print(previous, current)
p, r = 0, 1
for i in range(N):
    p, r = r, (p + r) & 0xFFFF
print(p, r)
low, high = 1.5, 2.5
for i in range(N + 1):
    low, high = high, low
print(low, high)
k1 = 1000
k2 = 0
for i in range(N):
    k2 = 1000
    if i % 2:
        k2 = i
print(k1 is k2, k2)
for i in range(N):
    k1 = 0.5
    k3 = 0.5
    n = 0
    while n < 2:
        n += 1
print(k1 is k3)

# bools, None, strings, and names that change their type regularly.
flag = False
text = ""
mixed = 0
for i in range(N):
    flag = not flag
    if i % 10_000 == 0:
        text += str(flag)
    mixed = i if i % 3 else i * 0.5 if i % 2 else None
    flag ^= i > 5
print(flag, type(flag), text, mixed)

# Nested loops with calls between them.
inner_sum = 0
for row in range(300):
    base = row * 0.25
    print(end="")
    for column in range(200):
        inner_sum += base * column
        if column == 150 and row % 100 == 0:
            writes()
print(inner_sum, row, column, base)

# A signal handler reads and writes globals in the middle of a loop.
ticks = 0
progress = 0
stop = False


def handler(number, frame):
    global ticks, progress, stop
    ticks += 1
    if frame.f_globals["progress"] <= 0:
        print("progress is not seen")
    if ticks == 3:
        progress = float(progress)
    if ticks == 5:
        stop = True


if hasattr(signal, "setitimer"):
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    while not stop:
        progress += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    # One more may come before the timer is off.
    print(ticks >= 5, type(progress))

# Another thread watches and stops a loop.
shared = 0
quit_now = 0
watched = []


def watch():
    global quit_now
    last = 0
    while len(watched) < 5:
        now = shared
        if now > last:
            watched.append(now)
            last = now
    quit_now = 1


thread = threading.Thread(target=watch)
thread.start()
while not quit_now:
    shared += 1
thread.join()
print(len(watched), shared >= watched[-1])


# Class bodies, and exec with namespaces of all kinds.
class Body:
    total = 0.0
    j = 0
    while j < 60_000:
        total += j * 0.5
        j += 1
    names = sorted(n for n in vars() if not n.startswith("__"))


print(Body.total, Body.j, Body.names)


class Recording(dict):
    def __init__(self):
        super().__init__()
        self.stores = 0

    def __setitem__(self, key, value):
        self.stores += 1
        super().__setitem__(key, value)

    def __missing__(self, key):
        if key == "start":
            return 5
        raise KeyError(key)


class Meta(type):
    @classmethod
    def __prepare__(meta, name, bases):
        return Recording()

    def __new__(meta, name, bases, namespace):
        print(namespace.stores, namespace["m"])
        return super().__new__(meta, name, bases, dict(namespace))


class Prepared(metaclass=Meta):
    m = start
    while m < 60_000:
        m += 1


source = """
n = 0
acc = 0.0
while n < limit:
    acc += n
    n += 1
"""
compiled = compile(source, "<exec>", "exec")
scope = {"limit": 60_000}
exec(compiled, scope)
print(scope["acc"], scope["n"], list(scope)[-2:])
outer, inner = {"limit": 60_000}, {}
exec(compiled, outer, inner)
print(inner, "acc" in outer)


class Odd:
    """A key that equals a name."""

    def __hash__(self):
        return hash("n")

    def __eq__(self, other):
        return other == "n"


odd = {Odd(): 3, "limit": 60_000}
exec(compiled, odd)
print(odd["acc"], odd["n"], len([key for key in odd if key == "n"]))
recording = Recording()
recording["limit"] = 60_000
exec(compiled, {}, recording)
print(recording.stores, recording["acc"])


class Instance:
    pass


instance = Instance()
instance.limit = 60_000
exec(compiled, instance.__dict__)
print(instance.acc, instance.n)

# A generator and a comprehension read the module's names in between.
source_value = 1
def generate():
    for _ in range(5):
        yield source_value


stream = generate()
got = []
for i in range(N):
    source_value += 2
    if i % 10_000 == 1:
        got.append(next(stream, None))
        got.append([source_value + _ for _ in range(2)])
print(got)

# The order in which names appear is that of their first stores.
for i in range(N):
    order_b = i
    order_a = i * 2
print([n for n in globals() if n.startswith("order_")])
del i
gc.collect()

# Identity through conditional expressions and swaps.
m1, m2 = float("2.5"), float("3.5")
one, two = m1, m2
chosen = None
other = 0
for i in range(N + 1):
    chosen = m1 if i % 2 else m2
    if chosen is not (one if i % 2 else two):
        other += 1
    m1, m2 = m2, m1
    one, two = two, one
    if m1 is not one or m2 is not two:
        other += 1
print(other, chosen, m1 is one, m2 is two)
