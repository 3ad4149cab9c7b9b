# A loop that is entered while it runs may walk an iterator that the program holds as well.
def taken_over(n):
    it = iter(range(n))
    count = skipped = 0
    for i in it:
        count += i
        if i % 1000 == 0:
            skipped += next(it, 0)
    return count, skipped


def held_elsewhere(n, holder):
    holder.append(iter(range(n)))
    count = 0
    for i in holder[0]:
        count += 1
        if i % 1000 == 0:
            next(holder[0], None)
    return count


def over_a_list(n):
    it = iter(list(range(n)))
    count = 0
    for i in it:
        count += 1
        if i % 1000 == 0:
            next(it, None)
    return count


print(taken_over(600_000), held_elsewhere(600_000, []), over_a_list(600_000))
it = iter(range(600_000))
count = 0
for i in it:
    count += 1
    if i % 1000 == 0:
        next(it, None)
print(count)
