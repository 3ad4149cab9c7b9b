"""Prints every stage of the compilation of one function.

    dump.py FILE FUNCTION [--backend NAME]

FUNCTION is a qualified name: `f`, `C.m`, `f.<locals>.g`, `<module>`. Of several functions with one name the last is taken, as when the
file is run.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import code_objects


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("function")
    parser.add_argument("--backend")
    args = parser.parse_args()
    try:
        module = code_objects.compile_file(args.file)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        sys.exit(f"{args.file}: {error}")
    found = [code for code in code_objects.walk(module) if code.co_qualname == args.function]
    if not found:
        names = ", ".join(sorted({code.co_qualname for code in code_objects.walk(module)}))
        sys.exit(f"{args.file} has no function {args.function}; it has {names}")
    from columba import _columba

    if args.backend:
        import columba

        columba.enable(backend=args.backend)
        columba.disable()
    sys.stdout.write(_columba.dump(found[-1]))


main()
