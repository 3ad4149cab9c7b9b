# A subinterpreter runs its code, compiled or not, and leaves the main one alone.
import os

try:
    import _xxsubinterpreters as interpreters
except ImportError:
    print("not here")
    raise SystemExit


def work(n):
    t = 0
    for i in range(n):
        t += i
    return t


for _ in range(30):
    work(50)
r, w = os.pipe()
sub = interpreters.create()
interpreters.run_string(sub, f"""
import os
def work(n):
    t = 0.0
    for i in range(n):
        t += i * 0.5
    return t
for _ in range(50):
    x = work(100)
os.write({w}, repr(x).encode())
""")
os.close(w)
print(os.read(r, 100).decode())
interpreters.destroy(sub)
print(work(100), [work(n) for n in range(5)])
