"""The faults and the result of a check of the vault."""

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
    """A fault. ``item`` is the path, chat or table; ``remedy`` the advice if ``--repair`` cannot help; ``mended``: it
    was repaired."""

    kind: FaultKind
    item: str
    reason: str
    remedy: str = ""
    mended: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Return the key that identifies the fault in another check."""
        return self.kind, self.item, self.reason


class Verification(Struct):
    """The result of ``tobs verify``: faults as ``items``, the numbers of things checked, and the ledger of each
    chat's ids."""

    ok: bool = True
    items: list[Fault] = msgspec.field(default_factory=list)
    checked: dict[str, int] = msgspec.field(default_factory=dict)
    coverage: list[Ledger] = msgspec.field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self.items.append(fault)
        self.ok = False

    def count(self, what: str, number: int = 1) -> None:
        """Add ``number`` checked things of the kind ``what``."""
        self.checked[what] = self.checked.get(what, 0) + number
