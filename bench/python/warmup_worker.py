"""Calls a kernel again and again from the start of the process; prints {"seconds": [each call], "result"} as JSON.

    warmup_worker.py FOLDER NAME ITERATIONS [--columba BACKENDS]
"""

import importlib.util
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from under import check_compiled, columba_of


def main():
    folder, name, iterations, *rest = sys.argv[1:]
    columba = columba_of(rest)
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    kernel, n, clock = module.kernel, module.REPEATED, time.perf_counter
    seconds, results = [], set()
    for _ in range(int(iterations)):
        start = clock()
        result = kernel(n)
        seconds.append(clock() - start)
        results.add(repr(result))
    assert len(results) == 1, "the result changes from call to call"
    if columba:
        for function in getattr(module, "COMPILED", [kernel]):
            check_compiled(columba, function)
    print(json.dumps({"seconds": seconds, "result": results.pop()}))


main()
