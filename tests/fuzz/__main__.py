"""Differential fuzzing: random programs, plain and compiled.

    python tests/fuzz --backend dynasm --count 1000 --seed 1        compares the programs of seeds 1 to 1000
    python tests/fuzz --backend dynasm,llvm --mode tiers            compares programs that two backends compile
    python tests/fuzz --program FILE                                compares one program
    python tests/fuzz --program FILE --minimise                     and makes it smaller if it fails

Problem: a wrong program may end the process, or never end. Method: a child made by `fork` runs a batch of programs and
writes into shared memory what it is about to do; when it dies or stands still, that program is the one to blame, and another
child goes on behind it. Invariants: nothing is compiled in the parent, so each child starts alike; a child takes no more
memory than its limit. Figures go to standard output as one line of JSON, everything else to standard error.
"""

import argparse
import gc
import json
import mmap
import os
import resource
import signal
import struct
import sys
import time
import traceback

import execute
import generator
from minimiser import minimise

BATCH = 200
# Bytes of memory a child may have; a program that wants more ends with MemoryError and is not compared.
MEMORY = 2 << 30
# Seconds without progress after which a child is ended.
PATIENCE = 60

# What a child tells: seed, mode, programs done, runs done, programs given up.
STATE = struct.Struct("qqqqq")


class Child:
    """A process that does `work(tell)`, and what is known of it when it has ended."""

    def __init__(self, work):
        self.memory = mmap.mmap(-1, 4096)
        self.reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 70
            try:
                os.close(self.reader)
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                work(self.tell, lambda report: os.write(writer, json.dumps(report).encode() + b"\n"))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(writer)

    def tell(self, *state):
        STATE.pack_into(self.memory, 0, *state)

    def state(self):
        return STATE.unpack_from(self.memory, 0)

    def wait(self, patience):
        """How it ended: `None` if well; and the reports it wrote."""
        os.set_blocking(self.reader, False)
        last, since, text, ended = None, time.monotonic(), b"", None
        pause = 0.001
        while ended is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                ended = status
            else:
                state = self.state()
                if state != last:
                    last, since = state, time.monotonic()
                elif time.monotonic() - since > patience:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    ended = "does not end"
                    break
                time.sleep(pause)
                pause = min(pause * 1.5, 0.02)
            try:
                while part := os.read(self.reader, 65536):
                    text += part
            except BlockingIOError:
                pass
        os.close(self.reader)
        reports = [json.loads(line) for line in text.splitlines()]
        if isinstance(ended, int):
            ended = None if ended == 0 else f"ended by {signal.Signals(ended & 127).name}" if ended & 127 else f"exit code {ended >> 8}"
        return ended, reports


def compare(text, modes, backend, tell=lambda mode: None):
    """The modes in which a program differs, with the differences; `None` if it is not fit for a comparison."""
    tell(-1)
    plain = execute.run_plain(text)
    if plain is None:
        return None
    found = []
    for number, mode in enumerate(modes):
        tell(number)
        compiled = execute.run_compiled(text, mode, backend)
        if any("MemoryError" in line for line in compiled):
            # What the plain run has left behind takes memory, too.
            return found or None
        said = execute.difference(plain, compiled)
        if said is not None and execute.depends_on_recursion_limit(text, plain):
            return found or None
        if said is not None:
            found.append((mode, said))
    return found


def seeds_of_batch(seeds, modes, backend, all_modes):
    def work(tell, report):
        gc.collect()
        gc.freeze()
        done = runs = given_up = 0
        for seed in seeds:
            say = lambda mode: tell(seed, mode, done, runs, given_up)
            say(-1)
            chosen = modes if all_modes else [modes[seed % len(modes)]]
            found = compare(generator.program(seed), chosen, backend, say)
            if found is None:
                given_up += 1
            else:
                done += 1
                runs += len(chosen)
                for mode, said in found:
                    report({"seed": seed, "mode": mode, "difference": said})
            tell(seed, 0, done, runs, given_up)
    return work


def failure_of(text, modes, backend, patience=20):
    """What is wrong with a program, tried in a process of its own: (mode, text), or `None`."""
    def work(tell, report):
        found = compare(text, modes, backend, lambda mode: tell(0, mode, 0, 0, 0))
        for mode, said in found or []:
            report({"mode": mode, "difference": said})
    child = Child(work)
    ended, reports = child.wait(patience)
    if reports:
        return reports[0]["mode"], reports[0]["difference"]
    if ended is not None and child.state()[1] >= 0:
        return modes[child.state()[1]], ended
    return None


def shrink(text, mode, backend):
    """The program made smaller; `fails` keeps to the same way of failing: a wrong result, or an end."""
    def kind(failure):
        return failure and failure[1].split()[0]
    devnull = os.open(os.devnull, os.O_WRONLY)
    stderr = os.dup(2)
    os.dup2(devnull, 2)
    try:
        first = failure_of(text, [mode], backend)
        if first is None:
            return None
        return minimise(text, lambda smaller: kind(failure_of(smaller, [mode], backend, 5)) == kind(first))
    finally:
        os.dup2(stderr, 2)


def fuzz(arguments, modes):
    # Who is told to end after a long time still has figures.
    stopped = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    start = time.monotonic()
    seed, programs, runs, given_up, failures = arguments.seed, 0, 0, 0, []
    while not stopped and programs < arguments.count and time.monotonic() - start < arguments.seconds:
        rate = programs / (time.monotonic() - start + 0.01)
        left = arguments.seconds - (time.monotonic() - start)
        batch = max(1, min(BATCH, arguments.count - programs, int(rate * min(left, 10)) + 5))
        first = seed
        child = Child(seeds_of_batch(range(seed, seed + batch), modes, arguments.backend, arguments.all_modes))
        ended, reports = child.wait(PATIENCE)
        at, mode, done, ran, unfit = child.state()
        programs, runs, given_up = programs + done, runs + ran, given_up + unfit
        if ended is None:
            seed += batch
        else:
            seed = at + 1
            if mode >= 0:
                programs += 1
                runs += mode + 1
                blamed = modes[mode] if arguments.all_modes else modes[at % len(modes)]
                reports.append({"seed": at, "mode": blamed, "difference": ended})
            else:
                given_up += 1
        for failure in reports:
            print(f"MISMATCH seed {failure['seed']} [{failure['mode']}] {failure['difference']}", file=sys.stderr, flush=True)
            if len(failures) < arguments.minimise:
                small = shrink(generator.program(failure["seed"]), failure["mode"], arguments.backend)
                before = f"(does not fail by itself; perhaps after others: --seed {first} --count {failure['seed'] + 1 - first})"
                print(small or before, file=sys.stderr, flush=True)
            failures.append(failure)
        if arguments.verbose:
            print(f"{programs} programs, {runs} runs, {len(failures)} mismatches, {given_up} given up, next seed {seed}, "
                  f"{time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        if len(failures) >= arguments.max_failures:
            break
    print(json.dumps({"programs": programs, "runs": runs, "mismatches": len(failures), "given_up": given_up,
                      "next_seed": seed, "seconds": time.monotonic() - start, "failures": failures}))
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(prog="tests/fuzz")
    parser.add_argument("--backend")
    parser.add_argument("--mode", help="modes, separated by commas (default: all that the backend has)")
    parser.add_argument("--all-modes", action="store_true",
                        help="runs each program in every mode; else in one, which changes from program to program")
    parser.add_argument("--count", type=int, default=1 << 60)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minimise", type=int, nargs="?", const=1000, default=0, metavar="N",
                        help="makes the first N failing programs smaller")
    parser.add_argument("--max-failures", type=int, default=50)
    parser.add_argument("--program", help="a file in place of random programs")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    possible = execute.modes_of(arguments.backend)
    modes = arguments.mode.split(",") if arguments.mode else possible
    if unknown := set(modes) - set(possible):
        parser.error(f"no mode {unknown.pop()} with this backend; there are {', '.join(possible)}")
    import columba

    if arguments.backend and (unknown := set(arguments.backend.split(",")) - set(columba.backends())):
        parser.error(f"no backend {unknown.pop()}; there are {', '.join(columba.backends())}")
    if not arguments.program:
        return fuzz(arguments, modes)
    with open(arguments.program) as file:
        text = file.read()
    failure = failure_of(text, modes, arguments.backend)
    if failure is None:
        print("no difference")
        return 0
    print(f"[{failure[0]}] {failure[1]}")
    if arguments.minimise:
        print(shrink(text, failure[0], arguments.backend))
    return 1


if __name__ == "__main__":
    sys.exit(main())
