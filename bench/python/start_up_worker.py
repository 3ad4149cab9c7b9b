"""Times starting a short program, plain and under Columba; prints {"": [seconds], BACKENDS: [seconds], ...} as JSON.

    start_up_worker.py PROGRAM ROUNDS BACKENDS...

PROGRAM is one of PROGRAMS. Plain and Columba take turns. The first round reads files that are not cached yet, and does not count.
"""

import json
import subprocess
import sys
import time

PROGRAMS = {"calendar": ["-m", "calendar", "2026"], "import_json": ["-c", "import json"]}


def main():
    program, rounds, *backends = sys.argv[1:]
    times = {name: [] for name in ["", *backends]}
    for number in range(int(rounds)):
        for name, seconds in times.items():
            under = ["-m", "columba", "--backend", name] if name else []
            start = time.perf_counter()
            subprocess.run([sys.executable, *under, *PROGRAMS[program]], check=True, stdout=subprocess.DEVNULL)
            if number:
                seconds.append(time.perf_counter() - start)
    print(json.dumps(times))


main()
