"""Compiles every code object of the standard library, tests excluded, and prints the counts as JSON.

    coverage.py [--folder FOLDER] [--part K/N] [--files N] [--backend NAME]

Nothing is run: each code object is handed to the compiler as it comes from the file. A crash of the compiler ends this process, and
the file it was at is on standard error.
"""

import argparse
import json
import os
import sys
import sysconfig
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import code_objects

# Test suites, and files that are meant not to compile.
SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "lib2to3/tests"}


def files_of(folder):
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            if name.endswith(".py"):
                yield os.path.join(where, name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", default=sysconfig.get_path("stdlib"))
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--files", type=int)
    parser.add_argument("--backend")
    args = parser.parse_args()
    from columba import _columba

    if args.backend:
        import columba

        columba.enable(backend=args.backend)
        columba.disable()
    part, parts = map(int, args.part.split("/"))
    report = {"files": 0, "compiled": 0, "refused": {}, "examples": {}, "seconds": 0.0}
    warnings.simplefilter("ignore")
    for number, path in enumerate(files_of(args.folder)):
        if number % parts != part:
            continue
        if args.files is not None and report["files"] >= args.files:
            break
        try:
            module = code_objects.compile_file(path)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        report["files"] += 1
        print(path, file=sys.stderr, flush=True)
        for code in code_objects.walk(module):
            start = time.perf_counter()
            compiled, reason = _columba.compile_code(code)
            report["seconds"] += time.perf_counter() - start
            if compiled:
                report["compiled"] += 1
            else:
                report["refused"][reason] = report["refused"].get(reason, 0) + 1
                report["examples"].setdefault(reason, f"{path}:{code.co_firstlineno} {code.co_qualname}")
    print(json.dumps(report))


main()
