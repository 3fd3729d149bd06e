"""``tobs verify``: consistency of archive and vault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_table
from tobs.model.requests import VerifyRequest

if TYPE_CHECKING:
    from tobs.app.results import Verification

_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(takes_common(verify))


def verify(
    common: Common,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired without Telegram.")] = False,
) -> int:
    """Check the archive, notes, links and attachments against each other, and that no message is missing."""
    from tobs.app.execute import execute

    found = asyncio.run(execute(VerifyRequest(repair=repair), common.open(), common.events))
    give(common, found, lambda: _show(found))
    return 0 if found.ok else 1


def _show(found: Verification) -> None:
    if found.items:
        rows = [
            ("repaired" if fault.mended else fault.kind, fault.item, fault.reason, "" if fault.mended else fault.remedy)
            for fault in found.items[:_SHOWN]
        ]
        show_table(stdout, ("", "what", "why", "what to do"), rows)
        if len(found.items) > _SHOWN:
            stdout.print(f"… and {len(found.items) - _SHOWN} more, all in --json")
    checked = ", ".join(f"{number:,} {what}" for what, number in found.checked.items())
    left = sum(not fault.mended for fault in found.items)
    stdout.print(f"{checked or 'nothing'} checked; {f'{left} faults' if left else 'no faults'}.", soft_wrap=True)
