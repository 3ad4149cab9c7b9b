# Objects of classes that have no version tag (changed since they were last looked up, or never looked up) are dropped by
# compiled code, while classes with all sorts of tags are met.
# compiled: make, drop


def make(cls):
    instance = cls()
    instance.a = 1
    instance.b = 2
    return instance.a + instance.b


def drop(items):
    dropped = 0
    while items:
        item = items.pop()
        item = None
        dropped += 1
    return dropped


total = 0
for number in range(700):
    cls = type(f"C{number}", (), {})
    kept = [cls(), cls()]
    kept[0].a = kept[1].a = number
    total += make(cls)
    cls.changed = number
    total += drop(kept)
    # Nobody looks attributes of these up.
    total += drop([iter(list, 1), reversed((1, 2)), zip(), iter(bytearray(b"x"))])
print(total)
