# Displays of tuples, lists, sets, dicts with every kind of element; common builtins.
def displays(a, b, *c):
    return (a, b), [a, *c, b], {a, b}, {a: b, **{"z": 1}}, (*c, a), [], (), {}, set(), [[a] * 3], ((a,),), {"x": {"y": [a]}}, (1, 2, 3), [1, 2, 3], {1, 2, 3}, {"a": 1, "b": 2}


for _ in range(20):
    r = displays(1, 2.5, 3, 4)
print(*r, sep="\n")
r[13].append(9)
print(displays(1, 2)[13])


def builtin_calls(x):
    return (
        abs(-x), divmod(x, 3), pow(x, 2), pow(int(x), 3, 5), round(x * 1.26, 1), len([x]), min(x, 2), max(x, 2, 5), sum([x, 1]), sorted([3, x, 1]),
        list(reversed([1, x])), isinstance(x, (int, float)), issubclass(bool, int), callable(len), chr(97), ord("a"), hex(255), bin(5), oct(8),
        hash(1.0) == hash(1), list(enumerate("ab", 1)), list(zip([1, 2], "ab", strict=True)), any([0, x]), all([]), getattr(x, "real"), hasattr(x, "nope"),
        type(x).__name__, str(x), repr(x), float(x), int(x), bool(x), complex(x), tuple([x]), frozenset([x]), bytes([1, 2]), id(x) == id(x), next(iter([x])), format(x, ".3f"),
        "abc".upper().lower().title(), [1, 2].index(2), {"a": 1}.get("b", x), "a-b".partition("-"), (1, 2).count(1), x.__class__.__name__,
    )


for _ in range(20):
    r = builtin_calls(2), builtin_calls(2.0)
print(*r, sep="\n")
for bad in (lambda: len(5), lambda: int("x"), lambda: float("y"), lambda: chr(-1), lambda: sum(["a"]), lambda: next(iter([])), lambda: list(zip([1], [], strict=True)),
            lambda: min(), lambda: max([]), lambda: isinstance(1, 5), lambda: getattr(1, "a"), lambda: abs("x"), lambda: ord("ab"), lambda: {}[1], lambda: "a" + 1, lambda: 1 + "a",
            lambda: [] + (), lambda: -"a", lambda: None(), lambda: None.x, lambda: None[0], lambda: 1 < "a", lambda: 5 in 5, lambda: (1).x, lambda: int.nope, lambda: [1] * "a",
            lambda: "%d" % "x", lambda: "{}".format(), lambda: 1 @ 2, lambda: ~1.5, lambda: 1.5 << 1, lambda: [1, 2][1.0], lambda: iter(5), lambda: {1, []}, lambda: int(float("nan")), lambda: int(float("inf")),
            lambda: 10**400 * 1.0, lambda: 2.0**10000, lambda: "x" * 10**30, lambda: range(1, 2, 0), lambda: object() < object()):
    try:
        print(bad())
    except Exception as e:
        print(type(e).__name__, e)
