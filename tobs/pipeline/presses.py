"""Who presses notes: the keeper's own thread for a few, a process beside the run for many.

Rendering is what an export spends most of its time on, and Python runs one thread at a time: a second process
makes use of a second CPU. It starts while the first notes are pressed here, so small exports never pay for it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from tobs import errors
from tobs.archive import NoteRow
from tobs.errors import TobsError
from tobs.model import Chat
from tobs.pipeline.desk import Studio
from tobs.pipeline.keeper import Keeper
from tobs.pipeline.press import Pressed, press_messages
from tobs.pipeline.press_worker import Job, StudioSpec, decode_reply, frame
from tobs.render.builtin import builtin_templates

#: Notes pressed here before a process is started.
_FEW = 1000


class Presses:
    """Presses the message notes of a run. An async context manager: at its end the process is gone."""

    def __init__(self, studio: Studio, keeper: Keeper, *, processes: int) -> None:
        self._studio = studio
        self._keeper = keeper
        self._processes = processes
        self._pressed = 0
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._starting is None:
            return
        process = await asyncio.shield(self._starting)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    async def __call__(self, chat: Chat, rows: Sequence[NoteRow]) -> Sequence[Pressed]:
        """Bring the message notes ``rows`` of ``chat`` up to date. Raises VaultError."""
        self._pressed += len(rows)
        if self._processes and self._pressed > _FEW and self._starting is None:
            self._starting = asyncio.create_task(_start(self._studio))
        if self._starting is not None and self._starting.done():
            return await self._in_process(self._starting.result(), chat, rows)
        return await self._keeper(press_messages, self._studio, chat, rows)

    async def _in_process(
        self, process: asyncio.subprocess.Process, chat: Chat, rows: Sequence[NoteRow]
    ) -> Sequence[Pressed]:
        """One job at a time: the answer is the next frame."""
        assert process.stdin is not None and process.stdout is not None
        async with self._turn:
            try:
                process.stdin.write(frame(Job(chat, tuple(rows))))
                await process.stdin.drain()
                size = int.from_bytes(await process.stdout.readexactly(4), "big")
                reply = decode_reply(await process.stdout.readexactly(size))
            except (OSError, asyncio.IncompleteReadError) as error:
                raise TobsError(
                    "The process that writes notes ended unexpectedly.", "Run the same command again; it goes on."
                ) from error
        if reply.error is not None:
            name, message, remedy = reply.error
            raise getattr(errors, name, TobsError)(message, remedy)
        return reply.pressed


async def _start(studio: Studio) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        # -P: a file in the working directory (it may be a vault) must never be imported.
        *(sys.executable, "-P", "-m", "tobs.pipeline.press_worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=2**16,
    )
    assert process.stdin is not None
    process.stdin.write(frame(_spec(studio)))
    await process.stdin.drain()
    return process


def _spec(studio: Studio) -> StudioSpec:
    """``studio`` as it travels. Templates go as they were read here: what was checked is what runs."""
    options = msgspec.structs.asdict(studio.options)
    del options["timezone"]
    return StudioSpec(
        archive=str(studio.archive.path),
        account=studio.account,
        root=str(studio.root),
        zone=studio.zone.key,
        options=options,
        templates=studio.templates.sources(builtin_templates()),
    )
