"""What the Rust examples decode and compile, from kernels.pyc."""


def total(n):
    x = 0.0
    for i in range(n):
        x += i * 0.5
    return x


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a
