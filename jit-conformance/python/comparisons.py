# Every comparison of integers, floats (NaN among them), strings and None; chains; identity and membership.
# compiled: compare, branches, ordered_floats, chosen_floats, between, identity, minimum

NAN = float("nan")


# These make lists, since a function that does is not inlined: it is compiled by itself.
def compare(a, b):
    return [a < b, a <= b, a == b, a != b, a > b, a >= b]


def branches(a, b):
    seen = ""
    if a < b:
        seen += "<"
    if a <= b:
        seen += "L"
    if a == b:
        seen += "="
    if a != b:
        seen += "!"
    if a > b:
        seen += ">"
    if a >= b:
        seen += "G"
    if not a < b:
        seen += "n"
    if not a >= b:
        seen += "N"
    return seen


def ordered_floats(a, b):
    return [a < b, a <= b, a == b, a != b, a > b, a >= b]


def chosen_floats(a, b):
    seen = 0
    if a < b:
        seen += 1
    if not a <= b:
        seen += 2
    if a == b:
        seen += 4
    if a != b:
        seen += 8
    if not a > b:
        seen += 16
    if a >= b:
        seen += 32
    return seen


def between(low, x, high):
    return low < x <= high, low <= x < high != x


def identity(a, b):
    return [a is b, a is not b, a is None, b is not None]


def minimum(values):
    best = None
    for value in values:
        if best is None or value < best:
            best = value
    return best


def main():
    groups = [[-3, 0, 3, 2**62, -(2**70), True], [0.0, -0.0, 1.5, float("inf"), -float("inf"), NAN], ["", "a", "b", "ab"]]
    for group in groups:
        for a in group:
            print([(compare(a, b), branches(a, b)) for b in group])
    # These see nothing but floats, so they are compiled for floats.
    numbers = groups[1]
    print([(ordered_floats(a, b), chosen_floats(a, b)) for a in numbers for b in numbers])
    print([branches(n, x) for n in (0, 1, 2**53) for x in (0.0, 1.0, NAN, 2.0**53)])
    print(between(1, 2, 3), between(3, 3, 3), between(1.0, NAN, 2.0), between(1, 1.5, 2))
    print(identity(None, 1), identity(NAN, NAN), identity(1, None))
    print(minimum([4, 2, 9, -1, 7]), minimum([2.5, 0.5, NAN, -1.0]), minimum("columba"))
    print(3 in [1, 2, 3], NAN in [NAN], "b" not in "abc", (1, 2) in {(1, 2): 0})
    try:
        compare(1, "1")
    except TypeError as error:
        print(error)
