"""Tells xtask, when the program has ended, what Columba did in it.

Imported at start-up because this folder is on PYTHONPATH. It does nothing unless XTASK_PROBE names a file; the name is taken out
of the environment at once, so that children of the program do not write there too.

XTASK_PROBE_FUNCTIONS lists functions of the program by qualified name, separated by commas; without it, all functions of
`__main__` are told about.
"""

import os

_path = os.environ.pop("XTASK_PROBE", None)
_wanted = os.environ.pop("XTASK_PROBE_FUNCTIONS", None)


def _resolve(module, name):
    found = module
    for part in name.split("."):
        found = found.__dict__[part] if isinstance(found, type) else getattr(found, part)
    return getattr(found, "__func__", found)


def _functions(module):
    function = type(_functions)
    for name, value in list(vars(module).items()):
        if isinstance(value, function) and value.__module__ == "__main__":
            yield name, value
        elif isinstance(value, type) and value.__module__ == "__main__":
            for member, inner in list(vars(value).items()):
                inner = getattr(inner, "__func__", inner)
                if isinstance(inner, function):
                    yield f"{name}.{member}", inner


def _describe(columba, name, function):
    info = columba.info(function)
    exits = getattr(info, "exits", None)
    return {
        "name": name,
        "compiled": bool(info.compiled),
        "reason": info.reason,
        "tier": str(getattr(info, "tier", None)),
        "entered": getattr(info, "entered", None),
        "exits": exits if isinstance(exits, dict) else repr(exits),
        "bytes": getattr(info, "bytes", None),
        "compile_time": getattr(info, "compile_time", None),
        # "guess_types x2": a name and how often it was applied.
        "optimisations": sorted(str(one).split(" x")[0] for one in getattr(info, "optimisations", ()) or ()),
    }


def _write(pid):
    if os.getpid() != pid:
        return
    import json
    import sys

    report = {"enabled": False, "stats": {}, "functions": [], "missing": []}
    try:
        import columba

        report["enabled"] = bool(columba.is_enabled())
        report["stats"] = dict(columba.stats())
        main = sys.modules["__main__"]
        if _wanted is None:
            found = list(_functions(main))
        else:
            found = []
            for name in filter(None, map(str.strip, _wanted.split(","))):
                try:
                    found.append((name, _resolve(main, name)))
                except (AttributeError, KeyError):
                    report["missing"].append(name)
        for name, function in found:
            report["functions"].append(_describe(columba, name, function))
    except Exception as error:
        report["error"] = f"{type(error).__name__}: {error}"
    with open(_path, "w") as file:
        json.dump(report, file, default=repr)


if _path:
    import atexit

    atexit.register(_write, os.getpid())
