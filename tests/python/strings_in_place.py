# Strings that grow with +=, and everything else strings do in loops.
def grow(n):
    s = ""
    for i in range(n):
        s += "ab"
        s += str(i % 10)
    return s


for _ in range(10):
    r = grow(1000)
print(len(r), r[:20], r[-20:])


def kept(n):
    s = "x"
    versions = []
    for i in range(n):
        versions.append(s)
        s += "y"
        t = s
        s += "z"
        versions.append(t)
    return versions[-1] == "x" + "yz" * (n - 1) + "y", versions[2], s == "x" + "yz" * n


print(kept(20))


class Holder:
    text = ""

    def add(self, more):
        self.text += more
        return self


h = Holder()
for i in range(30):
    h.add("-")
print(h.text, Holder.text == "")


def global_grow():
    global text
    text += "!"


text = "g"
for _ in range(20):
    global_grow()
print(text)


def compare(words):
    return [(a < b, a == b, a is a, a in b) for a in words for b in words]


print(compare(["a", "ab", "", "é", "€uro", "𝒳"]))
print("é€𝒳"[1], "é€𝒳"[-1], "abc"[::-1], "x" * 3, "%s-%d-%.2f" % ("a", 3, 1.5), "a" "b")
print(" ".join(c.upper() for c in "abc"), "a,b".split(","), "{}{x}".format(1, x=2))
b = b""
for i in range(5):
    b += bytes([i])
print(b, b[2], b[1:3], bytearray(b"ab") + b"c")
