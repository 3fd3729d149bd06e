"""Runs tobs and kills it, as ``kill -9`` would, when the archive was committed to or a file renamed for the N-th time
(0: never). ``python mortal.py N COMMAND...``; how often that happened is the last line of standard error."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from typing import Any

from tobs.archive.database import Database
from tobs.cli.main import run


def _mortal(last: int, arguments: list[str]) -> int:
    execute, replace, steps = Database.run, os.replace, count(1)

    def counted(self: Database, sql: str, parameters: Any = ()) -> int:
        changed = execute(self, sql, parameters)
        if sql == "COMMIT" and next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return changed

    def replaced(source: Any, target: Any, **more: Any) -> None:
        replace(source, target, **more)
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    Database.run, os.replace = counted, replaced  # type: ignore[method-assign]
    code = run(arguments)
    sys.stderr.write(f"\n{next(steps) - 1}\n")
    return code


if __name__ == "__main__":
    sys.exit(_mortal(int(sys.argv[1]), sys.argv[2:]))
