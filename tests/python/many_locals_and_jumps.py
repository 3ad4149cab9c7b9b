# Large functions: hundreds of locals, constants and names, jumps that need EXTENDED_ARG, deep nesting.
N = 300
source = ["def big(n):"]
source += [f"    v{i} = n + {i}" for i in range(N)]
source += ["    if n > 5:"] + [f"        v{i} += v{N - 1 - i} * {i}.5" for i in range(N)]
source += ["    for k in range(3):"] + [f"        v{i} = v{i} - k" for i in range(N)]
source += ["    return " + " + ".join(f"v{i}" for i in range(N))]
exec("\n".join(source))
for n in (1, 10, 1, 10, 2**62, 0.25):
    print(big(n))
nested = "def nest(n):\n    t = 0\n"
for d in range(15):
    nested += "    " * (d + 1) + f"for i{d} in range(1 if n < {d} else 2):\n"
nested += "    " * 16 + "t += 1\n    return t\n"
exec(nested)
print([nest(n) for n in range(8)])
tries = "def tries(n):\n"
for d in range(18):
    tries += "    " * (d + 1) + "try:\n"
tries += "    " * 19 + "return 1 // n\n"
for d in reversed(range(18)):
    tries += "    " * (d + 1) + f"except {'ZeroDivisionError' if d == 3 else 'KeyError'}:\n" + "    " * (d + 2) + f"return 'level {d}'\n"
exec(tries)
for _ in range(10):
    r = tries(0), tries(1)
print(r)
chain = "def chain(x):\n    if x == 0: return 'r0'\n" + "".join(f"    elif x == {i}: return 'r{i}'\n" for i in range(1, 400)) + "    else: return x\n"
exec(chain)
print([chain(x) for x in (0, 1, 255, 256, 399, 400, 2.0, "s")])
expression = "def deep(x): return " + "(" * 80 + "x" + " + 1)" * 80
exec(expression)
print(deep(1), deep(0.5), deep(2**63))
listing = "def listing(): return [" + ",".join(map(str, range(2000))) + "], {" + ",".join(f"'k{i}': {i}" for i in range(600)) + "}, (" + ",".join("x" * 0 + f"'{i}'" for i in range(300)) + ")"
exec(listing)
a, b, c = listing()
print(sum(a), sum(b.values()), len(c))
call = "def call(f): return f(" + ",".join(f"a{i}={i}" for i in range(200)) + ")"
exec(call)
print(sum(call(dict).values()), call(lambda **kw: len(kw)))
words = "def words(s):\n    t = 0\n    for w in s.split():\n" + "".join(f"        if w == 'w{i}': t += {i}\n" for i in range(300)) + "    return t\n"
exec(words)
print(words("w1 w299 w150 x"))
