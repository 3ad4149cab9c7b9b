"""Shifts, exclusive or and a mask: a linear congruence with xorshift."""

REPEATED = 200_000
FIRST = 3_000_000


def kernel(n):
    s = 88172645463325252 & 0xFFFFFFFF
    for i in range(n):
        s ^= (s << 13) & 0xFFFFFFFF
        s ^= s >> 17
        s ^= (s << 5) & 0xFFFFFFFF
    return s
