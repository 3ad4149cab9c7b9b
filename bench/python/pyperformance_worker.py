"""Runs one program of the pyperformance suite in this process.

    pyperformance_worker.py REPORT NAME VALUES [--steady FUNCTION] [--columba BACKENDS]

REPORT (a file, or - for standard output) gets a JSON list of {"name", "result", "seconds"}, one for each benchmark function: what it
returned (as `repr`, addresses taken out) and the best time of VALUES calls.

With --steady only FUNCTION is measured, as pyperf measures programs under JITs: calls to warm up, then VALUES values (more while they take
little time, fewer when they take much). "seconds" is their median; "first" is how long the first call of the process took, all included. Calls are repeated in an inner
loop where one value would be too short to be timed; what a function does before its clock starts is in no value, as with pyperf.

The program is the suite's own, unchanged; pyperf.Runner, which would start worker processes, is replaced. With --columba --steady some code
other than this file's must have been compiled at the end.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import re
import sys
import time
import types

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from under import columba_of


# Arguments of programs that need some: one run for each list.
ARGUMENTS = {"async_tree": [["none"], ["io"], ["memoization"], ["cpu_io_mixed"]]}

# Seconds and calls of warming up, the first call included. Where a call takes longer than LONG, fewer calls do.
WARM_UP = 2.0
WARM_UP_CALLS, LONG_WARM_UP_CALLS = 3, 2
LONG = 1.0
# Seconds that one value must take, and that all values together must take.
SHORTEST_VALUE = 0.02
SHORTEST_MEASUREMENT = 0.5
# Seconds after which no further value is taken.
LONGEST_MEASUREMENT = 5.0


def describe(value):
    text = repr(value)
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    return text if len(text) < 2000 else f"{text[:2000]}... ({len(text)})"


def best_of(call, values):
    """The fastest of so many calls."""
    best, result = float("inf"), None
    for _ in range(values):
        start = time.perf_counter()
        _, result = call(1)
        best = min(best, time.perf_counter() - start)
    return {"result": describe(result), "seconds": best}


def steady(call, values, clock=time.perf_counter):
    """The first call, then the median of values after warming up. `call(loops)` gives the seconds of so many calls, and a result."""
    start = clock()
    spent, result = call(1)
    first = clock() - start
    right = describe(result)
    loops = calls = 1
    least = LONG_WARM_UP_CALLS if first > LONG else WARM_UP_CALLS
    # Compiled code may have become so fast that the inner loop has to grow once more.
    while calls < least or clock() - start < WARM_UP or spent < SHORTEST_VALUE:
        if spent < SHORTEST_VALUE:
            loops *= 2
        spent, result = call(loops)
        calls += 1
    measured = []
    while (len(measured) < values or sum(measured) < SHORTEST_MEASUREMENT) and sum(measured) < LONGEST_MEASUREMENT:
        spent, result = call(loops)
        measured.append(spent)
    again = describe(result)
    assert again == right, f"the result changes from call to call: first {right}, then {again}"
    measured.sort()
    middle = len(measured) // 2
    median = measured[middle] if len(measured) % 2 else (measured[middle - 1] + measured[middle]) / 2
    return {"result": right, "seconds": median / loops, "first": first}


class Runner:
    values = 1
    # The only function to be measured, or None: all, by their best call.
    steady = None
    report = []

    def __init__(self, values=None, processes=None, loops=0, add_cmdline_args=None, **ignored):
        self.argparser = argparse.ArgumentParser()
        self.metadata = {}
        self.args = None

    def parse_args(self, args=None):
        if self.args is None:
            self.args = self.argparser.parse_args(sys.argv[1:] if args is None else args)
        return self.args

    def _record(self, name, call):
        self.parse_args()
        if self.steady is None:
            self.report.append({"name": name, **best_of(call, self.values)})
        elif self.steady == name:
            self.report.append({"name": name, **steady(call, self.values)})

    def bench_func(self, name, func, *args, inner_loops=None, metadata=None):
        def call(loops):
            clock = time.perf_counter
            start = clock()
            for _ in range(loops):
                result = func(*args)
            return clock() - start, result

        self._record(name, call)

    def bench_time_func(self, name, func, *args, inner_loops=None, metadata=None):
        # The function returns the time it measured, which is no result.
        self._record(name, lambda loops: (func(loops, *args), None))

    def bench_async_func(self, name, func, *args, inner_loops=None, metadata=None, loop_factory=None):
        async def measured(loops):
            clock = time.perf_counter
            start = clock()
            for _ in range(loops):
                result = await func(*args)
            return clock() - start, result

        self._record(name, lambda loops: asyncio.run(measured(loops)))

    def bench_command(self, name, command, metadata=None):
        raise NotImplementedError("programs that measure commands are not run here")


def compiled_functions(columba):
    """Names of functions in use that were compiled, those of this file left out."""
    functions = (thing for thing in gc.get_objects() if isinstance(thing, types.FunctionType))
    foreign = (function for function in functions if function.__code__.co_filename != __file__)
    return [function.__qualname__ for function in foreign if columba.info(function).entered]


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("report")
    parser.add_argument("name")
    parser.add_argument("values", type=int)
    parser.add_argument("--steady", metavar="FUNCTION")
    parser.add_argument("--columba", metavar="BACKENDS")
    return parser.parse_args()


def main():
    options = parse()
    report, name = options.report, options.name
    # What the program prints is not the report.
    stdout, sys.stdout = sys.stdout, sys.stderr
    columba_of(["--columba", options.columba] if options.columba else [])
    import pyperf
    import pyperformance

    Runner.values, Runner.steady = options.values, options.steady
    pyperf.Runner = Runner
    folder = os.path.join(os.path.dirname(pyperformance.__file__), "data-files", "benchmarks", f"bm_{name}")
    script = os.path.join(folder, "run_benchmark.py")
    if not os.path.exists(script):
        sys.exit(f"pyperformance has no program {name}")
    sys.path.insert(0, folder)
    if name == "pyflate":
        os.chdir(folder)
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), script, "exec")
    for arguments in ARGUMENTS.get(name, [[]]):
        sys.argv = [script, *arguments]
        # As a module of its own, so that classes are found by pickle and copy.
        module = type(sys)("__main__")
        module.__file__ = script
        module.__builtins__ = __builtins__
        sys.modules["__main__"] = module
        random.seed(20)
        exec(code, module.__dict__)
    if os.environ.get("COLUMBA"):
        import columba

        assert columba.is_enabled(), "Columba is not enabled"
        assert columba.stats()["compiled"] > 0, "nothing was compiled"
        if options.columba and options.steady:
            assert compiled_functions(columba), "no function of the program, or that it calls, was compiled"
    if report == "-":
        json.dump(Runner.report, stdout)
    else:
        with open(report, "w") as file:
            json.dump(Runner.report, file)
    if not Runner.report:
        sys.exit("the program called no benchmark function")


main()
