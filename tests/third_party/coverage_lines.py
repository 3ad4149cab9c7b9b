"""coverage.py started after functions were compiled: the lines it reports."""

import os
import sys
import tempfile
import textwrap

import coverage

SOURCE = textwrap.dedent(
    """
    def classify(n):
        if n < 0:
            return "negative"
        elif n == 0:
            return "zero"
        total = 0
        for i in range(n):
            if i % 2:
                total += i
            else:
                continue
        try:
            total //= (n - 3)
        except ZeroDivisionError:
            total = None
        finally:
            done = True
        return total

    def gen(n):
        for i in range(n):
            yield i
        return 5

    def never():
        return 1

    class C:
        def m(self, x):
            return [y for y in range(x) if y]
    """
)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "subject.py")
    with open(path, "w") as file:
        file.write(SOURCE)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    import subject

    for _ in range(60):
        subject.classify(5), subject.classify(-1), list(subject.gen(3)), subject.C().m(3)
    for options in ({}, {"branch": True}, {"timid": True}):
        cov = coverage.Coverage(data_file=None, include=[path], **options)
        cov.start()
        results = [subject.classify(n) for n in (5, 3)], list(subject.gen(2)), subject.C().m(2)
        cov.stop()
        _, statements, _, missing, _ = cov.analysis2(path)
        arcs = sorted(cov.get_data().arcs(os.path.realpath(path)) or cov.get_data().arcs(path) or ())
        print(options, results, statements, missing, arcs)
        print(sorted(cov.get_data().lines(path) or cov.get_data().lines(os.path.realpath(path)) or ()))
print(subject.classify(10))
