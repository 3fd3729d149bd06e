"""``tobs sandbox serve``: a local test server that behaves like Telegram."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from tobs.cli.common import Common, stderr, takes_common


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="A local test server that behaves like Telegram.", no_args_is_help=True)
    group.command("serve")(takes_common(serve))
    app.add_typer(group, name="sandbox")


def serve(
    common: Common,
    world: Annotated[
        str, typer.Option(help="demo, chats, community, kinds, synthetic:…, or the path of a Telegram Desktop export.")
    ],
    ready_file: Annotated[
        Path | None, typer.Option(help="Written as JSON when connections are accepted.", metavar="FILE")
    ] = None,
    port: Annotated[int, typer.Option(help="Port to listen on (0: a free one).", min=0, max=65535)] = 0,
    dcs: Annotated[int, typer.Option(help="Number of data centres.", min=1, max=5)] = 1,
    latency: Annotated[float, typer.Option(help="Milliseconds added to every request.", min=0)] = 0.0,
    bandwidth: Annotated[int, typer.Option(help="Bytes a second, 0: no limit.", min=0)] = 0,
    fault: Annotated[
        list[str] | None, typer.Option(help="METHOD[#N|%P|*]=ACTION[:ARG], repeatable.", metavar="FAULT")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the faults that come by chance.")] = 0,
    code: Annotated[str, typer.Option(help="The login code.")] = "12345",
    password: Annotated[str, typer.Option(help="Two-step verification password; empty: none.")] = "",
    hint: Annotated[str, typer.Option(help="Hint of the password.")] = "",
    takeout_delay: Annotated[
        int, typer.Option(help="Seconds a takeout has to wait for, unless it is allowed.", min=0, metavar="SECONDS")
    ] = 0,
    split_ranges: Annotated[int, typer.Option(help="Ranges messages.getSplitRanges offers.", min=1)] = 1,
    cdn: Annotated[bool, typer.Option("--cdn", help="Files lie on a CDN for clients that can use one.")] = False,
) -> int:
    """Serve a world of chats over MTProto on 127.0.0.1 until it is stopped."""
    from tobs.sandbox import SandboxOptions

    options = SandboxOptions(
        port=port,
        dcs=dcs,
        latency=latency / 1000,
        bandwidth=bandwidth,
        faults=tuple(fault or ()),
        seed=seed,
        code=code,
        password=password,
        hint=hint,
        takeout_delay=takeout_delay,
        split_ranges=split_ranges,
        cdn=cdn,
    )
    asyncio.run(_serve(common, world, options, ready_file))
    return 0


async def _serve(common: Common, spec: str, options: object, ready_file: Path | None) -> None:
    from tobs.sandbox import open_world
    from tobs.sandbox import serve as serve_world

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve_world(open_world(spec), options, ready_file=ready_file) as sandbox:  # type: ignore[arg-type]
        if not common.quiet:
            ready = sandbox.ready
            stderr.print(f"Listening on {ready.server}; control at {ready.control}; stop with Ctrl-C.", soft_wrap=True)
        await stop.wait()
