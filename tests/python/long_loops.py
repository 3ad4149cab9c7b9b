# Functions called once with long loops: compiled code is entered while the loop runs, with exactly the right state.
# timeout: 120
N = 300_000


def floats(n):
    s = 0.0
    for i in range(n):
        x = i * 0.5
        s += x * i - s * 0.25
    return s, x, i


def while_sum(n):
    s = i = 0
    while i < n:
        s += i
        i += 1
    return s, i


def while_true(n):
    i = 0
    while True:
        i += 1
        if i % 7 == 0:
            continue
        if i > n:
            break
    return i


def nested(n):
    total = 0
    for i in range(n):
        for j in range(30):
            if j > i:
                break
            total += i ^ j
        else:
            total += 1
    return total, i, j


def overflow(n):
    s = 1
    steps = 0
    for i in range(n):
        s += 1 << 45
        steps += 1
    return s, steps


def masks(n):
    s = 1
    for i in range(n):
        s = (s * 31 + i) & 0xFFFF
    return s


def divisions(n):
    s = 0
    for i in range(1, n):
        s += (i - 1000) // 7 - s // 3 + i % -5
    return s


def in_try(n):
    hits = 0
    last = None
    for i in range(n):
        try:
            if i % 1000 == 999:
                raise ValueError(i)
            hits += 1
        except ValueError as e:
            last = e.args[0]
        finally:
            hits += 1
    return hits, last


def in_with(n):
    class M:
        count = 0
        def __enter__(self): return self
        def __exit__(self, *a): M.count += 1
    m = M()
    for i in range(n):
        with m:
            i += 1
    return M.count, i


def with_state(n):
    items = [1, 2]
    d = {"k": 0}
    text = ""
    flag = False
    it = iter(range(n))
    for i in it:
        if i % 10_000 == 0:
            text += "x"
            items.append(i)
            flag = not flag
        d["k"] += 1
    return len(items), d, len(text), flag, next(it, "end")


def type_change(n):
    x = 0
    for i in range(n):
        x += 1
        if i == n // 2:
            x = float(x)
        if i == n * 3 // 4:
            x = int(x) << 64
    return x


def raises_at_end(n):
    t = 0
    for i in range(n):
        t += 1 // (n - 1 - i)
    return t


def generator(n):
    total = 0
    for i in range(n):
        total += i
        if i % 50_000 == 0:
            yield total
    return


def stack_below(n):
    return [1, 2, sum_to(n), *[sum(k * 2 for k in range(n // 10))], 4]


def sum_to(n):
    t = 0
    for k in range(n):
        t += k
    return t


def over_list(n):
    values = [i * 0.5 for i in range(n)]
    s = 0.0
    for v in values:
        s += v
    for i, v in enumerate(values):
        if i > 10:
            break
        s -= v
    for a, b in zip(values, values[1:]):
        s += a * b % 3
    return s


def calls(n):
    def f(x, y=2): return x + y
    t = 0
    for i in range(n):
        t += f(i)
    return t


for f in (floats, while_sum, while_true, masks, divisions, overflow, in_try, in_with, with_state, type_change, sum_to, stack_below, over_list, calls):
    print(f.__name__, f(N))
print(nested(N // 20))
try:
    raises_at_end(N)
except ZeroDivisionError as e:
    tb = e.__traceback__.tb_next
    print(tb.tb_lineno - raises_at_end.__code__.co_firstlineno, tb.tb_frame.f_locals)
print(list(generator(N)))
