"""The demo world's stories as text: the messages of a chat with sender, time and media.

    @ 2024-03-01 18:00 #hello by=Marta photo=panel react="👍12 ❤4"
    Good evening. **This is the first line** of the story, in the markup of ``worlds/markup.py``.

    @ 18:20 reply=#hello quote="first line"
    A second message, twenty minutes later. A date may leave out its year, a time its date.

    % skip 3        leaves three ids unused, as deleted messages do
    %% a comment

``build.py`` explains each key.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex

from msgspec import Struct, field

_WHEN = re.compile(r"(?:(?:(\d{4})-)?(\d\d)-(\d\d) )?(\d\d):(\d\d)(?: |$)")


class Entry(Struct):
    """A message of a story (an album: several, with ids from ``id`` on). ``date`` is UTC."""

    id: int
    date: dt.datetime
    text: str = ""
    label: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of messages, and so of ids, of this entry."""
        return self.keys["album"].count("+") + 1 if "album" in self.keys else 1


def read_story(source: str, first_id: int = 1) -> list[Entry]:
    """Return the entries of a story with their ids; raise ``ValueError`` with the wrong line."""
    entries: list[Entry] = []
    date = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    next_id = first_id
    lines: list[str] = []
    for line in [*source.splitlines(), "@ end"]:
        if line.startswith("%"):
            words = line[1:].split()
            if words and words[0] == "skip":
                next_id += int(words[1])
            continue
        if not line.startswith("@ "):
            lines.append(line)
            continue
        if entries:
            entries[-1].text = "\n".join(lines).strip("\n").rstrip()
        elif any(lines):
            raise ValueError(f"A story starts with a message, not with {lines[0]!r}.")
        lines = []
        if line == "@ end":
            break
        entry = _header(line, date, next_id)
        if entry.date.replace(second=0) < date.replace(second=0):
            raise ValueError(f"This entry is older than the one before: {line!r}.")
        entry.date = max(entry.date, date)
        entries.append(entry)
        date, next_id = entry.date, entry.id + entry.size
    return entries


def _header(line: str, before: dt.datetime, id: int) -> Entry:
    when = _WHEN.match(line, 2)
    if when is None:
        raise ValueError(f"There is no time in {line!r}.")
    year, month, day, hour, minute = (int(part) if part else None for part in when.groups())
    date = dt.datetime(
        year or before.year, month or before.month, day or before.day, hour or 0, minute or 0, tzinfo=dt.UTC
    )
    if year is None and month is not None and date < before:
        date = date.replace(year=date.year + 1)
    entry = Entry(id=id, date=date + dt.timedelta(seconds=id * 7 % 60))
    for word in shlex.split(line[when.end() :]):
        name, _, value = word.partition("=")
        if name.startswith("#"):
            entry.label = name[1:]
        else:
            entry.keys[name] = value
    return entry
