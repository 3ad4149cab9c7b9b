"""Enables Columba when the environment says COLUMBA=1; imported by ``columba_startup.pth``.

Runs in every process of the environment, so it imports nothing else, and whatever is wrong becomes one line on
standard error rather than a broken interpreter. Subinterpreters are left alone.
"""


def _start():
    import sys

    try:
        from . import _columba

        _columba.enable()
    except (ImportError, RuntimeError, ValueError) as error:
        if "subinterpreters" not in str(error):
            print(f"columba: {error}", file=sys.stderr)


_start()
