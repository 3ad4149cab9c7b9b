"""Measures one kernel in one way and prints {"seconds", "result", "bytes", "compile_time"} as JSON.

    kernel_worker.py FOLDER NAME repeated|first|module [--columba BACKENDS]

FOLDER/NAME.py defines `kernel(n)`, `REPEATED` (the n of repeated calls), `FIRST` (the n of one single call) and, if the kernel is not
one function, `COMPILED` (the functions that must be compiled). FOLDER/module/NAME.py is a program whose module body times its own loop
into `SECONDS` and keeps its `RESULT`.

With --columba the process must have Columba enabled with just these backends, and the kernel must have been compiled by one of them at
the end.
"""

import importlib.util
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from under import check_compiled, columba_of


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def repeated(module):
    n = module.REPEATED
    clock = time.perf_counter
    best = []
    result = None
    # Warm-up: enough calls for the default threshold, and for a version that was compiled too early to be replaced.
    deadline = clock() + 0.3
    calls = 0
    while calls < 20 or clock() < deadline:
        result = module.kernel(n)
        calls += 1
        if clock() > deadline + 20:
            break
    for _ in range(9):
        start = clock()
        again = module.kernel(n)
        best.append(clock() - start)
        assert repr(again) == repr(result), "the result changes from call to call"
    best.sort()
    return best[len(best) // 2], result


def first(module):
    start = time.perf_counter()
    result = module.kernel(module.FIRST)
    return time.perf_counter() - start, result


def main():
    folder, name, way, *rest = sys.argv[1:]
    columba = columba_of(rest)
    if way == "module":
        before = columba.stats()["compiled"] if columba else 0
        module = load(os.path.join(folder, "module", name + ".py"), name)
        seconds, result = module.SECONDS, module.RESULT
        if columba:
            assert columba.stats()["compiled"] > before, "nothing was compiled while the module ran"
        functions = []
    else:
        module = load(os.path.join(folder, name + ".py"), name)
        seconds, result = (repeated if way == "repeated" else first)(module)
        functions = getattr(module, "COMPILED", [module.kernel])
    report = {"seconds": seconds, "result": repr(result)}
    if columba and functions:
        size = spent = 0
        for function in functions:
            info = check_compiled(columba, function)
            size += info.bytes or 0
            spent += info.compile_time or 0
        report["bytes"], report["compile_time"] = size, spent
    print(json.dumps(report))


main()
