"""Compiles code objects of the standard library and keeps what comes of it; prints
{"batches": [bytes per function], "whole": bytes per function over all batches, "functions"} as JSON.

    memory_worker.py --one-in N --columba BACKENDS

The resident set is read from /proc after each batch, when the allocator has given back what is free: else what is kept would hide in
what the compiler used before.
"""

import ctypes
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import library
from under import columba_of

BATCH = 64
# Functions before counting begins.
WARM = 256

give_back = ctypes.CDLL(None).malloc_trim
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident():
    give_back(0)
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE


def main():
    _, one_in, *rest = sys.argv[1:]
    columba = columba_of(rest)
    from columba import _columba

    # A threshold that nothing of this program reaches: the memory is to be that of the functions compiled below.
    columba.config(threshold=1 << 60, loop_entry=False)
    codes = list(library.code_objects(int(one_in)))
    random.Random(20).shuffle(codes)
    batches, kept, before, start = [], 0, None, None
    for code in codes:
        kept += _columba._compile_and_keep(code)
        if kept >= WARM and (before is None or (kept - WARM) % BATCH == 0):
            now = resident()
            if before is None:
                start = now
            elif kept > counted:
                batches.append((now - before) / (kept - counted))
            before, counted = now, kept
    assert batches, "too few functions for one batch"
    functions = counted - WARM
    print(json.dumps({"batches": batches, "whole": (before - start) / functions, "functions": functions}))


main()
