# fork: the child goes on in compiled code, compiles more, and does not disturb the parent.
import os
import sys


def work(n):
    s = 0.0
    for i in range(n):
        s += i * 0.5
    return s


for _ in range(40):
    work(100)


def new_in_child(n):
    t = 1
    for i in range(n):
        t = (t * 31 + i) & 0xFFFF
    return t


def in_child(f):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        os.write(w, repr(f()).encode())
        os._exit(5)
    os.close(w)
    data = b""
    while chunk := os.read(r, 1000):
        data += chunk
    os.close(r)
    return data.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


print(in_child(lambda: work(1000)))
print(in_child(lambda: [new_in_child(500) for _ in range(40)][-1]))
print([new_in_child(500) for _ in range(40)][-1], work(1000))


def fork_in_loop(n):
    total = 0
    codes = []
    for i in range(n):
        total += i
        if i % 10 == 5:
            pid = os.fork()
            if pid == 0:
                for j in range(100):
                    total += j
                os._exit(total % 200)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return total, codes


print(fork_in_loop(30))


def nested():
    def grandchild():
        return in_child(lambda: work(10))
    return in_child(grandchild)


print(nested())
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    print("child prints", work(200))
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
