"""A pytest plugin: writes [test id, outcome] per phase of each test, one JSON list per line, to the file of --record-outcomes."""

import json


def pytest_addoption(parser):
    parser.addoption("--record-outcomes", metavar="FILE")


def pytest_configure(config):
    config._outcomes = open(config.getoption("--record-outcomes"), "a", buffering=1)


def pytest_runtest_logreport(report):
    # Set-up and tear-down count only when they fail or skip.
    if report.when == "call" or report.outcome != "passed":
        _config._outcomes.write(json.dumps([report.nodeid, report.outcome]) + "\n")


_config = None


def pytest_sessionstart(session):
    global _config
    _config = session.config
