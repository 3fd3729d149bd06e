"""Plugins that came with a vault: asked about on a terminal before a run, left alone anywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from tobs.cli.common import Common, stderr

if TYPE_CHECKING:
    from tobs.app.context import AppContext


def ask_trust(common: Common, context: AppContext) -> None:
    """Ask about each plugin of the vault that is not trusted as it is now. Without a terminal nobody is asked, and the
    report names what did not run."""
    if common.quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    from tobs.app.plugins import trust_plugin, untrusted_plugins

    for plugin in untrusted_plugins(context):
        stderr.print(
            f"[bold]tobs:[/] The vault brings a plugin that you have not trusted as it is now: {plugin.path}\n"
            "A plugin is a program with your rights. Read it before you say yes.",
            soft_wrap=True,
        )
        if typer.confirm("Let it run from now on?", default=False, err=True) and not trust_plugin(context, plugin):
            stderr.print("[yellow]tobs:[/] It changed while you were asked: it does not run.", soft_wrap=True)
