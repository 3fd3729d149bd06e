"""The call of a command, and the JSON document of a call that fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from tobs.errors import TobsError
from tobs.model.report import RunReport, iso_time

if TYPE_CHECKING:
    from tobs.app.results import ReportBuilder

#: Commands whose result is a run report.
_RUNS = frozenset({"demo", "export", "import", "process", "render", "sync", "undo"})


class Invocation:
    """A command with its targets, the outputs it was asked for, and its run once there is one (``run``)."""

    def __init__(
        self, command: str = "", targets: Sequence[str] = (), *, json: bool = False, report: Path | None = None
    ) -> None:
        self.command = command
        self.targets = list(targets)
        self.json = json
        self.report = report
        self.started = time.time()
        self.run: ReportBuilder | None = None

    @classmethod
    def of(cls, context: typer.Context, values: Mapping[str, Any], *, json: bool, report: Path | None) -> Invocation:
        """The command of ``context``, with the ``values`` of its options."""
        return cls(command_of(context), _targets(values), json=json, report=report)

    def document(self, error: TobsError) -> dict[str, Any]:
        """The JSON document: the run report as far as there is one, or an object, with ``error``."""
        head = self._report() if self.command in _RUNS else {"ok": False}
        return {**head, "error": error_document(error)}

    def _report(self) -> dict[str, Any]:
        if self.run is not None:
            report = self.run.finish()
        else:
            finished = iso_time(time.time())
            report = RunReport("", self.command, self.targets, iso_time(self.started), finished=finished)
        return {**msgspec.to_builtins(report), "ok": False}


def error_document(error: TobsError) -> dict[str, Any]:
    """The ``error`` of a JSON document: exit code, message and remedy."""
    return {"code": error.exit_code, "message": error.message, "remedy": error.remedy}


def command_of(context: typer.Context | None) -> str:
    """The name of a command as it is typed, such as ``plugins list``; empty for tobs itself."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent  # type: ignore[assignment]  # as its children
    return " ".join(names)


def _targets(values: Mapping[str, Any]) -> list[str]:
    """The targets as a run report names them: of an import the name of the file, of an undo the run."""
    named = [Path(values["path"]).name] if values.get("path") else [values["run"]] if values.get("run") else []
    given = [target.strip() for target in values.get("targets") or ()]
    flags = [f"--{name}" for name in ("all", "left") if values.get(name) is True]
    return [*given, *named, *flags]


class CommandFailed(Exception):
    """The ``error`` that ended a command, and the command's ``invocation``."""

    def __init__(self, error: TobsError, invocation: Invocation) -> None:
        super().__init__(str(error))
        self.error = error
        self.invocation = invocation
