"""``tobs demo``: sandbox, login, export and media chain in one go."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from urllib.parse import quote

import typer

from tobs.cli.common import Common, stderr, stdout, takes_common
from tobs.cli.export import give_report
from tobs.cli.progress import show_progress
from tobs.model.report import RunReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(takes_common(demo))


def demo(common: Common) -> int:
    """Show what tobs makes: exports the demo world of a loopback Telegram into a vault of its own."""
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
    from tobs.app.export import export as run_export
    from tobs.app.login import Answers
    from tobs.app.login import login as log_in
    from tobs.sandbox import SandboxOptions, open_world, serve

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
                home=Path(home),
                verbosity=common.verbose,
            )
            if not common.quiet:
                stderr.print(f"A loopback Telegram listens on {ready.server}; logging in and exporting …")
            await log_in(context, Answers(code=ready.code), say=common.say)
            return await run_export(
                context,
                list(ready.targets),
                watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
                command="demo",
            )
