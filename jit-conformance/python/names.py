# Local names that are unbound or deleted, and what the frame shows of them.
# compiled: maybe, deleted, visible, reused


def maybe(bind):
    if bind:
        value = bind
    return value


def deleted(n):
    value = n
    for i in range(n):
        if i == 2:
            del value
        value = value + i
    return value


def visible(a, b=2.5):
    c = a * 2
    for i in range(3):
        c = c + i
    return sorted(locals().items())


def reused(x):
    y = x + 1
    x = str(y)
    y = x * 2
    x = y
    return x, y


def main():
    print(maybe(1), maybe("text"), deleted(2), visible(3), visible(0.5, "b"), reused(4), reused(1.5))
    for function, argument in ((maybe, 0), (deleted, 3)):
        try:
            function(argument)
        except UnboundLocalError as error:
            print(error)
    print([eval(text, {"a": 3}) for text in ("a + 1", "[a for _ in range(2)]", "(lambda: a)()")])
