# Bitwise operators, powers, in-place forms and booleans as numbers.
# compiled: both, either, exclusive, in_place, digest, booleans


def both(a, b):
    return a & b


def either(a, b):
    return a | b


def exclusive(a, b):
    return a ^ b


def in_place(n):
    n += 3
    n *= n
    n -= 1
    n <<= 2
    n ^= 0x55
    n //= 3
    n |= 8
    n %= 10**9
    n &= ~1
    n >>= 1
    n **= 2
    return n


def digest(text):
    h = 0xCBF29CE484222325
    for c in text:
        h = ((h ^ ord(c)) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def booleans(a, b):
    return a + b, a & b, a | b, a ^ b, -a, ~b, a * 3, a == 1, not a


def main():
    values = [0, 1, -1, 6, 2**31 - 1, -(2**31), 2**63, -(2**63), 2**100 + 5]
    for function in (both, either, exclusive):
        print(function.__name__, [function(a, b) for a in values for b in values])
    print([in_place(n) for n in (0, 5, -7, 2**40)])
    print(hex(digest("columba")), hex(digest("")))
    print(booleans(True, False), booleans(True, True), booleans(False, 7))
    for amount in (-1, 2**70):
        try:
            print(1 << amount if amount < 0 else 1 >> amount)
        except ValueError as error:
            print(error)
