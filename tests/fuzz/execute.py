"""Runs a program plain and compiled, in one process, and says where the two differ.

Problem: thousands of programs are to be compared, and a process for each would take longer than the programs. Method: the
text is compiled to a new code object for every run, so nothing that one run learned helps the next; the first run is with
Columba switched off, the others with it on, in one mode each. Everything a program shows goes into a list, as text: what it
printed, each exception with message, chain and traceback positions, and its variables at the end.

Invariants: a run leaves the interpreter as it was (builtins, limits). A plain run that takes too long, or memory, condemns
the program, not Columba. Texts hold no address, and of an object of the program's own its attributes only.
"""

import builtins
import gc
import signal
import sys
import types
import warnings

# Names of this module's own: programs replace those of `builtins`.
from builtins import *

MODES = {
    "threshold-0": {"threshold": 0, "stress": "none"},
    "warm": {"threshold": 16, "stress": "none"},
    "stress": {"threshold": 0, "stress": "exits"},
    "stress-warm": {"threshold": 16, "stress": "exits"},
    # Loops are entered while they run, and functions compiled soon after.
    "loops": {"threshold": 1000, "stress": "loops"},
    # What the first backend has made is replaced by the second's while it runs.
    "tiers": {"threshold": 16, "stress": "tiers"},
}


def modes_of(backend):
    """The modes that make sense for a backend, or for two with a comma between them."""
    return [mode for mode in MODES if mode != "tiers" or "," in (backend or "")]


FILE = "<fuzz>"
# Seconds of processor time for a plain run, and lines of what it shows.
LIMIT = 0.4
LONGEST = 20000


class TooLong(BaseException):
    """A plain run that is given up."""


def show(value, depth=4):
    kind = type(value)
    if kind is int:
        return repr(value) if -(1 << 400) < value < 1 << 400 else f"int of {value.bit_length()} bits, {value % 1000000007}"
    if kind is str:
        return repr(value) if len(value) < 300 else f"str of {len(value)}: {value[:100]!r}"
    if kind in (float, bool, bytes, complex, range, slice) or value is None or value is NotImplemented or value is ...:
        return repr(value)
    name = kind.__name__
    if depth == 0:
        return name
    if kind in (list, tuple, set, frozenset):
        return f"{name}({', '.join([show(item, depth - 1) for item in list(value)[:60]])}; {len(value)})"
    if kind is dict:
        items = [f"{show(key, depth - 1)}: {show(item, depth - 1)}" for key, item in list(value.items())[:60]]
        return f"{name}({', '.join(items)}; {len(value)})"
    if name == "array":
        return f"array{value.tolist()}"
    if kind.__module__ != "fuzzed":
        return name
    try:
        return f"{name}({show(object.__getattribute__(value, '__dict__'), depth - 1)})"
    except AttributeError:
        return f"{name}(" + ", ".join(
            show(kind.__dict__[slot].__get__(value, kind), depth - 1) for slot in ("x", "y", "total")
            if slot in kind.__dict__ and _is_set(kind.__dict__[slot], value)) + ")"


def _is_set(member, value):
    try:
        member.__get__(value)
    except AttributeError:
        return False
    return True


# What `co_positions` gives of the program's code objects, which takes longer than all else about an exception: by their addresses,
# together with themselves.
_positions = {}


def position_of(code, unit):
    known = _positions.get(id(code))
    if known is None:
        known = _positions[id(code)] = code, list(code.co_positions())
    return known[1][unit]


def show_exception(error, depth=3):
    if error is None or depth == 0:
        return "-"
    places, traceback = [], error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == FILE:
            position = position_of(code, traceback.tb_lasti // 2) if traceback.tb_lasti >= 0 else None
            places.append(f"{code.co_name}:{traceback.tb_lineno}:{position}")
        traceback = traceback.tb_next
    if isinstance(error, UnboundLocalError) and places:
        # The interpreter names the instruction before, once it has joined the two.
        places[-1] = places[-1].split(":")[0]
    arguments = ", ".join([show(argument) for argument in error.args])
    return (f"{type(error).__name__}({arguments}) at {' '.join(places)} "
            f"cause {show_exception(error.__cause__, depth - 1)} context {show_exception(error.__context__, depth - 1)}")


class Manager:
    """What `with` statements of programs use."""

    def __init__(self, swallows):
        self.swallows = swallows

    def __enter__(self):
        return 1

    def __exit__(self, kind, value, traceback):
        return self.swallows and kind is not None and issubclass(kind, Exception)


def steady_hash(value):
    """`hash` but for what hashes by its address: objects, and NaN."""
    return hash(value) if type(value) in (int, bool, str) or type(value) is float and value == value else 7


def run(text, more=list):
    """Runs a program; everything it showed, line by line, and what `more` says at its end."""
    shown = []

    def look(*values):
        shown.append(" ".join([show(value) for value in values]))
        if len(shown) > LONGEST:
            raise TooLong

    def look_at_exception(error):
        shown.append(show_exception(error))
        if len(shown) > LONGEST:
            raise TooLong

    _positions.clear()
    code = compile(text, FILE, "exec")
    namespace = {"__name__": "fuzzed", "P": look, "E": look_at_exception, "Manager": Manager, "print": look,
                 "hash": steady_hash}
    known = set(namespace)
    names = vars(builtins)
    saved = dict(names)
    try:
        exec(code, namespace)
    except TooLong:
        raise
    except BaseException as error:
        failed = error
    else:
        failed = None
    finally:
        for name in [name for name in names if name not in saved]:
            del names[name]
        for name in [name for name, value in saved.items() if names.get(name) is not value]:
            names[name] = saved[name]
    if failed is not None:
        shown.append("ended by " + show_exception(failed))
        failed.__traceback__ = None
    for name, value in namespace.items():
        if name not in known and name != "__builtins__":
            shown.append(f"{name} = {show(value)}")
    return shown + more()


def _too_long(number, frame):
    raise TooLong


def run_plain(text):
    """What the interpreter shows; `None` if the program is not fit for a comparison."""
    signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    try:
        shown = run(text)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except (TooLong, SyntaxError, MemoryError):
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if any("MemoryError" in line or "TooLong" in line or "RecursionError" in line for line in shown):
        return None
    return shown


def depends_on_recursion_limit(text, plain):
    """Whether a program hides that it reached the limit: how deep it got depends on the calls of this module, too."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 50)
    try:
        return run_plain(text) != plain
    finally:
        sys.setrecursionlimit(limit)


def run_compiled(text, mode, backend):
    """What the program shows under Columba."""
    import columba

    # Loops are found by a clock, or under stress by counting; without the clock a run is the same every time.
    options = MODES[mode]
    columba.enable(backend, loop_entry=options["stress"] in ("loops", "tiers"), **options)
    refused = columba.stats()["refused"]
    try:
        return run(text, lambda: compiler_panics(columba) if columba.stats()["refused"] > refused else [])
    except TooLong:
        return ["shows no end of lines"]
    except MemoryError:
        return ["MemoryError"]
    finally:
        columba.disable()


def compiler_panics(columba):
    """What the program cannot see: why functions were not compiled, where that is the compiler's mistake."""
    codes = [value.__code__ for value in gc.get_objects() if type(value) is types.FunctionType and value.__code__.co_filename == FILE]
    reasons = [columba.info(code).reason for code in codes]
    return [reason for reason in reasons if reason and "panicked" in reason]


def difference(plain, compiled):
    """The first line that differs, for people; `None` if nothing does."""
    if plain == compiled:
        return None
    for number, (right, got) in enumerate(zip(plain, compiled)):
        if right != got:
            return f"line {number}: {got[:400]}\n    instead of: {right[:400]}"
    return f"{len(compiled)} lines instead of {len(plain)}: {(plain + compiled)[min(len(plain), len(compiled))][:400]}"


sys.setrecursionlimit(600)
warnings.simplefilter("ignore", SyntaxWarning)
