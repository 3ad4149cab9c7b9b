# Exceptions that nobody catches: the traceback as CPython prints it.
# compiled: main, divide, average


class Shape:
    def __init__(self, sides):
        self.sides = sides

    def check(self):
        assert self.sides > 2, f"{self.sides} sides"


def divide(a, b):
    return a / b


def average(values):
    total = 0
    for value in values:
        total = total + value
    return divide(total, len(values))


rounds = 0


def main():
    global rounds
    rounds += 1
    print(average([1, 2.5]))
    if rounds % 3 == 0:
        average([])
    elif rounds % 3 == 1:
        try:
            average([1, "two"])
        except TypeError as error:
            raise RuntimeError("no average") from error
    Shape(rounds % 3).check()
