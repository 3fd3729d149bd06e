"""What a verification finds."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from tobs.archive import Ledger

#: `archive`: the database itself; `gap`: ids of a chat never fetched; `unreadable`: messages that could not be read;
#: `unplanned`: messages without a note; `missing`, `stale`, `outdated`, `foreign`, `front matter`: a note that is not
#: there, not up to date, older than the archive, another file, not to be read; `copy`: a second note with one id;
#: `link`, `embed`: leads to nothing; `attachment`: is not there; `content`: holds something else; `wanted`: files still
#: to be fetched; `temporary`: left by a run that was killed.
FaultKind = Literal[
    "archive",
    "gap",
    "unreadable",
    "unplanned",
    "missing",
    "stale",
    "outdated",
    "foreign",
    "front matter",
    "copy",
    "link",
    "embed",
    "attachment",
    "content",
    "wanted",
    "temporary",
]


class Fault(Struct, frozen=True):
    """Something that does not fit. ``item`` is the path, chat or table it is about; ``remedy`` what to do if
    ``--repair`` cannot; ``mended``: it was."""

    kind: FaultKind
    item: str
    reason: str
    remedy: str = ""
    mended: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same fault when it is looked for again."""
        return self.kind, self.item, self.reason


class Verification(Struct):
    """What ``tobs verify`` prints: faults as ``items``, what was looked at, and the ledger of each chat's ids."""

    ok: bool = True
    items: list[Fault] = msgspec.field(default_factory=list)
    checked: dict[str, int] = msgspec.field(default_factory=dict)
    coverage: list[Ledger] = msgspec.field(default_factory=list)

    def find(self, fault: Fault) -> None:
        """Take down a fault."""
        self.items.append(fault)
        self.ok = False

    def count(self, what: str, number: int = 1) -> None:
        """So much was looked at."""
        self.checked[what] = self.checked.get(what, 0) + number
