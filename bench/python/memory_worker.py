"""Compiles code objects of the standard library and keeps what comes of it; prints {"batches": [bytes per function], "functions"} as JSON.

    memory_worker.py --one-in N --columba BACKENDS

The resident set is read from /proc after each batch.
"""

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

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident():
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
    batches, kept, before = [], 0, None
    for code in codes:
        kept += _columba._compile_and_keep(code)
        if kept >= WARM and (before is None or (kept - WARM) % BATCH == 0):
            now = resident()
            if before is not None and kept > counted:
                batches.append((now - before) / (kept - counted))
            before, counted = now, kept
    assert batches, "too few functions for one batch"
    print(json.dumps({"batches": batches, "functions": kept - WARM}))


main()
