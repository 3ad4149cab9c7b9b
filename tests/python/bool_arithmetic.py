# Booleans are integers in arithmetic and stay booleans in logic.
def table(a, b):
    return (
        a + b, a - b, a * b, a & b, a | b, a ^ b, -a, +a, ~a, a << b, a >> b, a < b, a == b, a is b, not a,
        a and b, a or b, a // (b or 1), a % (b or 1), a / (b or 1), a**b, abs(a), int(a), float(a), repr(a),
    )


for _ in range(20):
    results = [table(a, b) for a in (True, False) for b in (True, False)]
for r in results:
    print(r)
for a in (True, False):
    for b in (3, 2.5, 2**70):
        print(a + b, a * b, b - a, a < b, a == b, isinstance(a & 1, bool), type(a & True), type(a ^ 1))


def count(n):
    total = 0
    flag = True
    for i in range(n):
        total += flag
        total += i > 5
        flag = not flag
    return total, flag


print(count(100))
print(sum(x > 3 for x in range(10)), True == 1, {True: "a", 1: "b", 1.0: "c"})
