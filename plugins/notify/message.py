"""What is told about a run that ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from tobs.plugin import FinishedRun

#: Problems told by name; of more, the number. Longest line of one.
_MOST_PROBLEMS = 5
_MAX_LINE = 300

Weight = Literal["success", "warning", "failure"]


class Telling(Struct, frozen=True):
    """A message: its ``weight`` is how apprise marks it."""

    title: str
    text: str
    weight: Weight


def telling(run: FinishedRun, *, details: bool) -> Telling:
    """What to say about ``run``; without ``details`` no names of chats and files, and no reasons."""
    problems = run.report.get("problems", ())
    if run.error:
        told = f"It was given up: {_line(run.error)}" if details else "It was given up before its end."
        return Telling(f"tobs {run.run.command} failed", "\n".join([told, *_counts(run.report)]), "failure")
    if not problems:
        return Telling(f"tobs {run.run.command} finished", "\n".join(_counts(run.report)), "success")
    lines = list(_counts(run.report))
    if details:
        lines += [_line(f"{each['what']}: {each['item']}: {each['reason']}") for each in problems[:_MOST_PROBLEMS]]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"… and {len(problems) - _MOST_PROBLEMS} more")
    what = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Telling(f"tobs {run.run.command} finished with {what}", "\n".join(lines), "warning")


def has_news(run: FinishedRun) -> bool:
    """Whether the run brought something: messages, files, or trouble."""
    counts = (("messages", "new", "edited", "deleted"), ("media", "downloaded"))
    found = any(run.report.get(group, {}).get(name) for group, *names in counts for name in names)
    return found or not run.ok


def _counts(report: Mapping[str, Any]) -> list[str]:
    messages, notes, media = (report.get(name, {}) for name in ("messages", "notes", "media"))
    lines = [f"Messages: {_told(messages, 'new', 'edited', 'deleted') or 'nothing new'}"]
    if changed := _told(notes, "created", "updated", "conflicts"):
        lines.append(f"Notes: {changed}")
    if files := _told(media, "downloaded", "failed"):
        lines.append(f"Files: {files}")
    return lines


def _told(counts: Mapping[str, int], *names: str) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in names if counts.get(name))


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_LINE else text[: _MAX_LINE - 1] + "…"
