# Divisions by zero raise inside compiled loops and are handled there.
# compiled: loop
def loop(n):
    caught = []
    for i in range(n):
        try:
            if i % 3 == 0:
                caught.append(10 // (i % 2))
            elif i % 3 == 1:
                caught.append(10 % (i % 2))
            else:
                caught.append(1.5 / (i % 2))
        except ZeroDivisionError as e:
            caught.append(str(e))
    return caught


for _ in range(20):
    result = loop(12)
print(result)


def one(a, b, op):
    try:
        if op == 0:
            return a // b
        if op == 1:
            return a % b
        if op == 2:
            return a / b
        if op == 3:
            return a ** b
        return divmod(a, b)
    except ZeroDivisionError as e:
        return str(e)


for a, b in ((1, 0), (1.0, 0), (1, 0.0), (0, 0), (True, False), (2**70, 0), (0, -1), (0.0, -1)):
    print([one(a, b, op) for op in range(5)])
