"""Times starting `python -m calendar`, plain and under Columba; prints {"": [seconds], BACKENDS: [seconds], ...} as JSON.

    start_up_worker.py ROUNDS BACKENDS...

Plain and Columba take turns. The first round reads files that are not cached yet, and does not count.
"""

import json
import subprocess
import sys
import time


def main():
    rounds, *backends = sys.argv[1:]
    times = {name: [] for name in ["", *backends]}
    for number in range(int(rounds)):
        for name, seconds in times.items():
            under = ["-m", "columba", "--backend", name] if name else []
            start = time.perf_counter()
            subprocess.run([sys.executable, *under, "-m", "calendar", "2026"], check=True, stdout=subprocess.DEVNULL)
            if number:
                seconds.append(time.perf_counter() - start)
    print(json.dumps(times))


main()
