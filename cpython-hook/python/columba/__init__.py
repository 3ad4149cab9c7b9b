"""A JIT for CPython.

``enable()`` compiles hot Python code from then on; ``info(f)`` says what became of a function.
"""

from ._columba import (
    ExitInfo,
    FunctionInfo,
    __version__,
    backends,
    config,
    dis,
    disable,
    enable,
    info,
    ir,
    is_enabled,
    native,
    stats,
)

__all__ = [
    "ExitInfo",
    "FunctionInfo",
    "backends",
    "config",
    "dis",
    "disable",
    "enable",
    "info",
    "ir",
    "is_enabled",
    "native",
    "stats",
]
