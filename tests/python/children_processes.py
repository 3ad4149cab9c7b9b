# Children inherit the setting through the environment and give the same results; isolated ones run all the same.
import subprocess
import sys

CODE = "def f(n):\n    t = 0.0\n    for i in range(n): t += i * 0.5\n    return t\nprint([f(100) for _ in range(40)][-1], f(1000))"
for options in ((), ("-I",), ("-S",), ("-E",), ("-O",), ("-X", "dev"), ("-B", "-s")):
    done = subprocess.run([sys.executable, *options, "-c", CODE], capture_output=True, text=True)
    print(options, done.returncode, done.stdout, done.stderr.strip().splitlines()[-1:])
done = subprocess.run([sys.executable, "-"], input=CODE, capture_output=True, text=True)
print(done.returncode, done.stdout)
done = subprocess.run([sys.executable, "-m", "calendar", "2024", "2"], capture_output=True, text=True)
print(done.returncode, done.stdout)
done = subprocess.run([sys.executable, "-i", "-q", "-c", "x = 5"], input="x + 1\nfor i in range(3): i\n\n[y for y in 'ab']\n", capture_output=True, text=True)
print(done.returncode, done.stdout)
