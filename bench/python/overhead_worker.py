"""Measures code that Columba cannot make faster, and prints {"seconds", "result"} as JSON.

    overhead_worker.py cold|half|types|guard [--columba BACKENDS]

cold   code that does little but call, while nothing is compiled: what enabling Columba costs
half   the same while half of the callees are compiled: what changing over between interpreter and compiled code costs
types  a function called with ints and floats in turn, CALLS times, from its first call on
guard  a function compiled with machine integers and then called CALLS times with integers that fit none

cold and half give the median of passes after a first one, types and guard the time of all calls, compile time included.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from under import check_compiled, columba_of

# A threshold that nothing reaches, and one that is reached soon.
NEVER, SOON = 1 << 60, 50
PASSES, TURNS = 41, 10_000
CALLS = 200_000


class Account:
    def __init__(self, balance):
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount
        return self

    def is_covered(self, amount):
        return amount <= self.balance


def plus(a, b):
    return a + b


def clamp(value, low=0, high=1000):
    return low if value < low else high if value > high else value


def both(value, *, first, second):
    return second(first(value, 1), high=900)


def largest(*values):
    return max(values)


def swap(pair):
    a, b = pair
    return b, a


def calls(turns):
    account, pair, total = Account(0), (1, 2), 0
    for turn in range(turns):
        pair = swap(pair)
        total = clamp(plus(total, turn))
        total = both(total, first=plus, second=clamp)
        account.deposit(largest(total, turn))
        if account.is_covered(turn):
            total = plus(total, Account(turn).balance)
    return total, account.balance, pair


CALLEES = [plus, clamp, both, largest, swap, Account.__init__, Account.deposit, Account.is_covered]
COMPILED = [plus, both, swap, Account.deposit]


def warm_half():
    """Calls those that are to be compiled, in the ways in which they are called later."""
    account = Account(0)
    for turn in range(4 * SOON):
        both(turn, first=plus, second=clamp)
        swap((1, 2))
        account.deposit(turn)


def median_of_passes():
    clock, passes = time.perf_counter, []
    result = calls(TURNS)
    for _ in range(PASSES):
        start = clock()
        again = calls(TURNS)
        passes.append(clock() - start)
        assert again == result, "the result changes from call to call"
    passes.sort()
    return passes[PASSES // 2], result


def cold(columba):
    if columba:
        columba.config(threshold=NEVER, loop_entry=False)
    seconds, result = median_of_passes()
    if columba:
        for function in [calls, *CALLEES]:
            assert not columba.info(function).compiled, f"{function.__qualname__} was compiled"
    return seconds, result


def half(columba):
    if columba:
        # A code object keeps the threshold under which it was seen first; calls are all seen while the hook is never parked.
        columba.config(threshold=NEVER, loop_entry=False, parking=False)
        clamp(1), Account(1)
        columba.config(threshold=SOON, background=False)
        warm_half()
        columba.config(threshold=NEVER, parking=True)
    seconds, result = median_of_passes()
    if columba:
        for function in COMPILED:
            check_compiled(columba, function)
        for function in [calls, *CALLEES]:
            assert function in COMPILED or not columba.info(function).compiled, f"{function.__qualname__} was compiled"
    return seconds, result


def polynomial(x):
    y = x * 3 + 2
    if y > 50:
        y = y - x
    return y * x + 1


def types(columba):
    start = time.perf_counter()
    total = 0
    for turn in range(CALLS // 2):
        total += polynomial(turn & 15)
        total += polynomial(0.5)
    seconds = time.perf_counter() - start
    assert not columba or columba.stats()["compiled"], "nothing was compiled"
    return seconds, total


def call_all(arguments, times):
    result = None
    for _ in range(times):
        for argument in arguments:
            result = polynomial(argument)
    return result


def guard(columba):
    few = list(range(16))
    call_all(few, 5000)
    exits = 0
    if columba:
        # The loop that calls it may have been compiled before, and hold its body.
        check_compiled(columba, call_all if columba.info(call_all).compiled else polynomial)
        exits = columba.stats()["exits"]
    large = [(1 << 70) + number for number in few]
    start = time.perf_counter()
    result = call_all(large, CALLS // len(large))
    seconds = time.perf_counter() - start
    assert not columba or columba.stats()["exits"] > exits, "no guard failed"
    return seconds, result


def main():
    what, *rest = sys.argv[1:]
    columba = columba_of(rest)
    seconds, result = {"cold": cold, "half": half, "types": types, "guard": guard}[what](columba)
    print(json.dumps({"seconds": seconds, "result": repr(result)}))


main()
