"""``tobs verify``: does everything fit?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.output import show_table
from tobs.cli.progress import show_progress

if TYPE_CHECKING:
    from tobs.pipeline.commands.verify.faults import Verification

_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(takes_common(verify))


def verify(
    common: Common,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without Telegram.")] = False,
) -> int:
    """Hold archive, notes, links and attachments against each other, and prove that no message is missing."""
    from tobs.app import verify as verifying
    from tobs.app.context import open_app_context

    context = open_app_context(common.settings(), verbosity=common.verbose)
    if repair:
        watch = verifying.repair(context, watch=lambda events: show_progress(events, stderr, quiet=common.quiet))
        found = asyncio.run(watch)
    else:
        found = verifying.verify(context)
    give(common, found, lambda: _show(found))
    return 0 if found.ok else 1


def _show(found: Verification) -> None:
    if found.items:
        rows = [
            ("mended" if fault.mended else fault.kind, fault.item, fault.reason, "" if fault.mended else fault.remedy)
            for fault in found.items[:_SHOWN]
        ]
        show_table(stdout, ("", "what", "why", "what to do"), rows)
        if len(found.items) > _SHOWN:
            stdout.print(f"… and {len(found.items) - _SHOWN} more, all in --json")
    looked = ", ".join(f"{number:,} {what}" for what, number in found.checked.items())
    left = sum(not fault.mended for fault in found.items)
    stdout.print(f"{looked or 'nothing'} looked at; {f'{left} faults' if left else 'all is well'}.", soft_wrap=True)
