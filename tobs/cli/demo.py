"""``tobs demo``: sandbox, login, export and media chain in one go."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import typer

from tobs.cli.common import Common, stderr, stdout, takes_common
from tobs.cli.export import give_report
from tobs.model.requests import ChatSelection, ExportRequest

if TYPE_CHECKING:
    from tobs.model.report import RunReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(takes_common(demo))


def demo(common: Common) -> int:
    """Show what tobs does: export demo chats from a local test server that behaves like Telegram."""
    vault = (common.vault or Path("demo-vault")).resolve()
    report = asyncio.run(_demo(common, vault))
    code = give_report(common, report)
    if not common.json and not common.quiet:
        stdout.print(f"\nYour vault is [bold]{vault}[/].", soft_wrap=True)
        stdout.print("Open it in Obsidian: Open folder as vault, or follow", soft_wrap=True)
        stdout.print(f"  obsidian://open?path={quote(str(vault), safe='')}", soft_wrap=True, markup=False)
    return code


async def _demo(common: Common, vault: Path) -> RunReport:
    from tobs.app.context import open_app_context
    from tobs.app.execute import execute
    from tobs.app.login import LoginAnswers
    from tobs.app.login import login as log_in
    from tobs.app.logs import log_to_stderr
    from tobs.sandbox import SandboxOptions, open_world, serve

    log_to_stderr(common.verbose)
    with tempfile.TemporaryDirectory(prefix="tobs-demo-") as home:
        async with serve(open_world("demo"), SandboxOptions()) as sandbox:
            ready = sandbox.ready
            context = open_app_context(
                {
                    "vault": str(vault),
                    "profile": "aggressive",
                    "api_id": ready.api_id,
                    "api_hash": ready.api_hash,
                    "phone": ready.phone,
                    "server": ready.server,
                    "server_key": str(ready.server_key),
                    "server_dc": ready.dc,
                },
                cwd=Path.cwd(),
                home=Path(home),
            )
            if not common.quiet:
                stderr.print(f"A local test server listens on {ready.server}; logging in and exporting …")
            await log_in(context, LoginAnswers(code=ready.code), say=common.say)
            request = ExportRequest(chats=ChatSelection(targets=tuple(ready.targets)), name="demo")
            return await execute(request, context, common.events)
