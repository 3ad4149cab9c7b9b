"""Runs one program of the pyperformance suite in this process, calling each of its benchmark functions a few times.

    pyperformance_worker.py REPORT NAME VALUES [--columba BACKENDS]

REPORT (a file, or - for standard output) gets a JSON list of {"name", "result", "seconds"}: what the last call returned (as `repr`, addresses taken out) and the best time.

The program is the suite's own, unchanged; pyperf.Runner, which would start worker processes, is replaced.
"""

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from under import columba_of


# Arguments of programs that need some: one run for each list.
ARGUMENTS = {"async_tree": [["none"], ["io"], ["memoization"], ["cpu_io_mixed"]]}


def describe(value):
    text = repr(value)
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    return text if len(text) < 2000 else f"{text[:2000]}... ({len(text)})"


class Runner:
    values = 1
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
        best, result = float("inf"), None
        for _ in range(self.values):
            start = time.perf_counter()
            result = call()
            best = min(best, time.perf_counter() - start)
        self.report.append({"name": name, "result": describe(result), "seconds": best})

    def bench_func(self, name, func, *args, inner_loops=None, metadata=None):
        self._record(name, lambda: func(*args))

    def bench_time_func(self, name, func, *args, inner_loops=None, metadata=None):
        # The function returns the time it measured.
        def call():
            func(1, *args)

        self._record(name, call)

    def bench_async_func(self, name, func, *args, inner_loops=None, metadata=None, loop_factory=None):
        self._record(name, lambda: asyncio.run(func(*args)))

    def bench_command(self, name, command, metadata=None):
        raise NotImplementedError("programs that measure commands are not run here")


def main():
    report, name, values, *rest = sys.argv[1:]
    # What the program prints is not the report.
    stdout, sys.stdout = sys.stdout, sys.stderr
    if rest:
        columba_of(rest)
    import pyperf
    import pyperformance

    Runner.values = int(values)
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
    if report == "-":
        json.dump(Runner.report, stdout)
    else:
        with open(report, "w") as file:
            json.dump(Runner.report, file)
    if not Runner.report:
        sys.exit("the program called no benchmark function")


main()
