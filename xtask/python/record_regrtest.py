"""Runs one file of CPython's regression suite and records what each test did.

    record_regrtest.py RECORD NAME

RECORD gets one JSON object per line, written at once, so that a crash shows what was running: {"start": id},
{"test": id, "outcome": "passed" | "failed" | "skipped", "detail": text} and at the end {"end": "finished" | "skipped" | reason}.

libregrtest does the work (its set-up of the process changes what tests see); only the runner it asks for is replaced. Where it
takes that runner from differs between patch releases of 3.11.
"""

import json
import sys
import traceback
import unittest


class Record:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", buffering=1)

    def line(self, **fields):
        self.file.write(json.dumps(fields) + "\n")


class RecordingResult(unittest.TextTestResult):
    record = None

    def startTest(self, test):
        self.record.line(start=test.id())
        self.failed = False
        super().startTest(test)

    def say(self, test, outcome, detail=None):
        self.record.line(test=test.id(), outcome=outcome, detail=detail)

    @staticmethod
    def describe(error):
        return traceback.format_exception_only(error[0], error[1])[-1].strip().splitlines()[0][:300]

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say(test, "passed")

    def addError(self, test, error):
        super().addError(test, error)
        self.say(test, "failed", self.describe(error))

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.say(test, "failed", self.describe(error))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        # A skipped subtest leaves the test's own outcome to come.
        if not hasattr(test, "test_case"):
            self.say(test, "skipped")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.say(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.say(test, "failed", "unexpected success")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.say(test, "failed", self.describe(error))

    # libregrtest's own result class has it; nothing here asks for XML.
    def get_xml_element(self):
        return None


def recording_runner(stream, verbosity, capture_output=False):
    return unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=RecordingResult)


def main():
    path, name = sys.argv[1:]
    RecordingResult.record = record = Record(path)
    from test import support
    from test.libregrtest.main import main as regrtest_main

    try:
        from test.libregrtest import single as place
    except ImportError:
        place = support
    place.get_test_runner = recording_runner
    end = "no tests ran"
    # "-v" keeps libregrtest from swallowing the output; the file name must be the only selection.
    sys.argv = ["-m test", "-v", name]
    try:
        regrtest_main()
    except SystemExit as exit:
        code = exit.code or 0
        # 2: some test failed, which the record tells; 4: nothing ran, as when the file skips itself.
        if code in (0, 2, 3, 4, 5):
            end = "finished"
    record.line(end=end)
    sys.exit(0 if end == "finished" else 1)


if __name__ == "__main__":
    main()
