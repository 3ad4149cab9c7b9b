# The same within one running loop: it is left in the middle with much alive, and goes on with everything in its place.
# compiled: running, polynomial, switching, items


def running(values):
    count, small, large, text = 0, 0.0, 1, ""
    for position, value in enumerate(values):
        count = count + value
        small = small + 0.25
        large = large * 3 + position
        if position % 2:
            text = text + "x"
    return count, small, large, text, position


def polynomial(n, change):
    a, b, c = 1, 2, 3
    x = 0
    for i in range(n):
        if i == change:
            b = 0.5
        if i == change + 2:
            c = 2**61
        x = a * i * i + b * i + c - x
        c = c + c if c > 2**60 else c
    return a, b, c, x


def switching(n):
    value, seen = 0, []
    for i in range(n):
        if i % 4 == 1:
            value = value + 0.5
        elif i % 4 == 2:
            value = str(value)
        elif i % 4 == 3:
            value = len(value)
        seen.append(value)
    return seen


def items(containers):
    result = []
    for container in containers:
        first, last = container[0], container[-1]
        result.append((first, last))
    return result


def main():
    print(running([1, 2, 3, 4, 5]), running([1, 2, 3.5, 4, 5]), running([1, 2**62, 2**62, 2**63, -1]))
    print([polynomial(8, change) for change in range(9)], switching(9))
    print(items([[1, 2], [3, 4], (5, 6), "ab", [7.5, 8], b"cd", range(3)]))
    try:
        running([1, 2, "three"])
    except TypeError as error:
        print(error)
