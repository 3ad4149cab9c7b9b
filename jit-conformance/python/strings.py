# Strings: built in loops, formatted, compared, sliced, with characters of every width; bytes.
# compiled: build, formatted, caesar, is_palindrome


def build(n):
    text = ""
    for i in range(n):
        text += chr(97 + i)
        if i == 2:
            kept = text
            text += "-"
    return text, kept


def formatted(name, value):
    return f"{name!r:>8}|{value:6.2f}|{value!s}|{name}" + "%s has %05d" % (name, value)


def caesar(text, shift):
    return "".join(chr((ord(c) - 97 + shift) % 26 + 97) if c.isalpha() else c for c in text)


def is_palindrome(text):
    i, j = 0, len(text) - 1
    while i < j:
        if text[i] != text[j]:
            return False
        i, j = i + 1, j - 1
    return True


def main():
    print(build(6), formatted("dove", 42), formatted("é", 2.5), caesar("columba, livia", 3))
    print([is_palindrome(text) for text in ("", "a", "otto", "columba", "été", "\U0001f54a.\U0001f54a")])
    for text in ("columba", "Täubchen", "鸽子", "\U0001f54a"):
        print(text.upper(), text[::-1], len(text), text[0], text[-1:], text.encode(), text * 2, "u" in text)
    print("a" < "b", "Z" < "a", "ab" < "abc", "a b c".split(), " x ".strip(), "x".join("123"), "abc".replace("b", "--"))
    data = bytearray(b"columba")
    data[0] ^= 0x20
    print(data, data[1:3], bytes(3), b"a" + b"b", int("12") + int("-7", 16), str(3.0), repr("it's"))
