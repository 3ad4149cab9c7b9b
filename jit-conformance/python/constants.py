# Functions of the same shape that differ in constants, names and globals only: each must keep its own.
# compiled: large, larger, text, other_text, first_global, second_global, first_attribute, second_attribute

FIRST = [1]
SECOND = [2]


def large():
    return 10**15 + 1


def larger():
    return 10**15 + 2


def text():
    return "columba"


def other_text():
    return "palumbus"


def first_global():
    return FIRST


def second_global():
    return SECOND


def first_attribute(o):
    return o.first


def second_attribute(o):
    return o.second


class Pair:
    def __init__(self):
        self.first = "first"
        self.second = "second"


def made(n):
    namespace = {}
    exec(f"def f(): return ({n}, 'item {n}', {n}.5)", namespace)
    return namespace["f"]


def main():
    pair = Pair()
    # By another name, so that no caller knows which function it reaches.
    for function in (large, larger, text, other_text, first_global, second_global):
        print(function())
    for function in (first_attribute, second_attribute):
        print(function(pair))
    print([made(n)() for n in range(6)])
