"""Compiles, and prints what each compilation took, as JSON:
{"stages": {NAME: [ns]}, "total": [ns], "bytes": [machine code], "first": ns of the process's first compilation, "refused": count}.

    compile_worker.py five-lines --columba BACKENDS
    compile_worker.py library --columba BACKENDS --one-in N
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import library
from under import check_compiled, columba_of

FIVE_LINES = """
def five_lines(values, limit):
    total = 0
    for value in values:
        total += value * 3 if value < limit else limit
    return total
"""

COPIES = 60
# Compilations of a process that are not counted: caches are cold, and a backend starts up.
COLD = 10

report = {"stages": {}, "total": [], "bytes": [], "first": None, "refused": 0}


def keep(last):
    stages, size = last
    for name, spent in stages.items():
        report["stages"].setdefault(name, []).append(spent)
    report["bytes"].append(size)


def five_lines(columba, last_compilation):
    """Copies that become hot one after the other: what a program pays."""
    # The only thing that becomes hot between two looks is the copy: loops of this program are left alone.
    columba.config(loop_entry=False, background=False)
    values = [7, 8, 9]
    for copy in range(COPIES):
        namespace = {}
        exec(compile(FIVE_LINES, f"<copy {copy}>", "exec"), namespace)
        function = namespace["five_lines"]
        last_compilation()
        for _ in range(100_000):
            assert function(values, 9) == 54
            if last := last_compilation():
                break
        else:
            sys.exit("five_lines was not compiled")
        check_compiled(columba, function)
        spent = sum(last[0].values())
        if copy == 0:
            report["first"] = spent
        if copy >= COLD:
            keep(last)
            report["total"].append(spent)


def whole_library(one_in, last_compilation, compile_code):
    seen = 0
    for code in library.code_objects(one_in):
        start = time.perf_counter_ns()
        compiled, _ = compile_code(code)
        spent = time.perf_counter_ns() - start
        if not compiled:
            report["refused"] += 1
            continue
        seen += 1
        last = last_compilation()
        if seen > COLD:
            keep(last)
            report["total"].append(spent)


def main():
    what, *rest = sys.argv[1:]
    columba = columba_of(rest[:2])
    from columba import _columba

    if what == "five-lines":
        five_lines(columba, _columba._last_compilation)
    else:
        # What this program itself does is not to be compiled meanwhile.
        columba.disable()
        whole_library(int(rest[3]), _columba._last_compilation, _columba.compile_code)
    print(json.dumps(report))


main()
