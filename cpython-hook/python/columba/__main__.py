"""python -m columba [--option value]... script.py | -m module | -c command | -  [arguments]

Runs a program as ``python`` would, with hot code compiled. Options are those of ``columba.config()``; ``--report``
prints what was compiled, to standard error, when the program ends.
"""

import sys

from . import _columba


def _usage(message):
    print(f"columba: {message}", file=sys.stderr)
    print("usage: python -m columba [--option value]... script.py | -m module | -c command | -  [arguments]", file=sys.stderr)
    raise SystemExit(2)


def _help():
    print(__doc__)
    print("options, with their values now:")
    for name, value in _columba.config().items():
        print(f"  --{name} {','.join(value) if isinstance(value, list) else value}")
    print("  --report")
    raise SystemExit(0)


def _parse(arguments):
    """Splits the command line into (options, report, kind, target, arguments of the program)."""
    options, report = {}, False
    arguments = list(arguments)
    while arguments:
        word = arguments.pop(0)
        if word in ("-h", "--help"):
            _help()
        if word in ("-m", "-c"):
            if not arguments:
                _usage(f"argument expected for {word}")
            return options, report, word, arguments.pop(0), arguments
        if word == "-" or not word.startswith("-"):
            return options, report, "", word, arguments
        if word == "--report":
            report = True
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if not word.startswith("--") or name not in _columba.OPTIONS:
            _usage(f"unknown option {word}; the options are {', '.join('--' + n for n in _columba.OPTIONS)}, --report")
        if not equals:
            if not arguments:
                _usage(f"option {word} needs a value")
            value = arguments.pop(0)
        options[name] = value
    _usage("no program given")


def _importer(path):
    """The importer for a directory or archive with a ``__main__``, else None."""
    for hook in sys.path_hooks:
        try:
            return hook(path)
        except ImportError:
            pass
    return None


def _fresh_main():
    """A ``__main__`` as it is when ``python`` starts."""
    import builtins

    main = type(sys)("__main__")
    main.__loader__ = sys.modules["_frozen_importlib"].BuiltinImporter
    main.__annotations__ = {}
    main.__builtins__ = builtins
    sys.modules["__main__"] = main


def _report():
    stats = _columba.stats()
    print(
        "columba: {code_objects} code objects seen, {compiled} compiled, {refused} refused, {bytes} bytes in "
        "{compile_time:.3f} s; {exits} exits; {loops_entered} loops entered while running".format(**stats),
        file=sys.stderr,
    )


def main():
    options, report, kind, target, arguments = _parse(sys.argv[1:])
    try:
        _columba.enable(**options)
    except (ValueError, RuntimeError) as error:
        print(f"columba: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    if report:
        import atexit

        atexit.register(_report)

    # `python -m columba` has put the working directory first; `python` puts there what its own command line says.
    first = None if sys.flags.safe_path else 0
    if kind == "-m":
        sys.argv[:] = ["-m", *arguments]
        _fresh_main()
        code = _columba.run_module(target, True)
    elif kind == "-c":
        sys.argv[:] = ["-c", *arguments]
        if first is not None:
            sys.path[0] = ""
        _fresh_main()
        code = _columba.run_command(target)
    else:
        import os

        sys.argv[:] = [target, *arguments]
        path = target if target == "-" else os.path.join(os.getcwd(), target)
        if target == "-":
            if first is not None:
                sys.path[0] = ""
        elif not path.endswith(".py") and _importer(path) is not None:
            # A directory or archive: it goes first on the path even in safe mode, as `python` does.
            if first is None:
                sys.path.insert(0, path)
            else:
                sys.path[0] = path
            _fresh_main()
            code = _columba.run_module("__main__", False)
            return code
        elif first is not None:
            sys.path[0] = os.path.dirname(os.path.realpath(target))
        _fresh_main()
        try:
            code = _columba.run_file(path)
        except OSError as error:
            print(
                f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {os.strerror(error.errno)}",
                file=sys.stderr,
            )
            return 2
    return code


if __name__ == "__main__":
    # After an unhandled KeyboardInterrupt CPython ends the process by the signal, if `main` simply returns.
    _code = main()
    if _code:
        raise SystemExit(_code)
