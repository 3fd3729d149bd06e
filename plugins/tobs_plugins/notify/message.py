"""The text of the message about a run that ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from tobs.plugin import FinishedRun

#: Most problems that are listed; further ones are counted. Longest line of a problem.
_MOST_PROBLEMS = 5
_MAX_LINE = 300

Weight = Literal["success", "warning", "failure"]


class Message(Struct, frozen=True):
    """A message; ``weight`` is its type in apprise."""

    title: str
    text: str
    weight: Weight


def message_for(run: FinishedRun, *, details: bool) -> Message:
    """Write the message about ``run``; without ``details`` it has no names of chats and files, and no reasons."""
    problems = run.report.get("problems", ())
    if run.error:
        reason = f"The run failed: {_line(run.error)}" if details else "The run failed before its end."
        return Message(f"tobs {run.run.command} failed", "\n".join([reason, *_counts(run.report)]), "failure")
    if not problems:
        return Message(f"tobs {run.run.command} finished", "\n".join(_counts(run.report)), "success")
    lines = list(_counts(run.report))
    if details:
        lines += [_line(f"{each['what']}: {each['item']}: {each['reason']}") for each in problems[:_MOST_PROBLEMS]]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"… and {len(problems) - _MOST_PROBLEMS} more")
    what = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Message(f"tobs {run.run.command} finished with {what}", "\n".join(lines), "warning")


def has_news(run: FinishedRun) -> bool:
    """Report whether the run has new, edited or deleted messages, new files, or problems."""
    counts = (("messages", "new", "edited", "deleted"), ("media", "downloaded"))
    found = any(run.report.get(group, {}).get(name) for group, *names in counts for name in names)
    return found or not run.ok


def _counts(report: Mapping[str, Any]) -> list[str]:
    messages, notes, media = (report.get(name, {}) for name in ("messages", "notes", "media"))
    lines = [f"Messages: {_listed(messages, 'new', 'edited', 'deleted') or 'nothing new'}"]
    if changed := _listed(notes, "created", "updated", "conflicts"):
        lines.append(f"Notes: {changed}")
    if files := _listed(media, "downloaded", "failed"):
        lines.append(f"Files: {files}")
    return lines


def _listed(counts: Mapping[str, int], *names: str) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in names if counts.get(name))


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_LINE else text[: _MAX_LINE - 1] + "…"
