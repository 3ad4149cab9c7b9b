"""Prints what the interpreter is, and the day, as JSON."""

import datetime
import json
import platform
import sys

if sys.implementation.name == "pypy":
    version = "PyPy %d.%d.%d" % sys.pypy_version_info[:3] + " (Python %d.%d.%d)" % sys.version_info[:3]
else:
    version = f"{platform.python_implementation()} {platform.python_version()}"
print(json.dumps({"version": version, "compiler": platform.python_compiler(), "date": datetime.date.today().isoformat()}))
