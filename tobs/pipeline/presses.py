"""Who presses notes: the keeper's own thread for a few, a process beside the run for many.

Rendering is what an export spends most of its time on, and Python runs one thread at a time: a second process
makes use of a second CPU. It starts while the first pages are fetched or the first notes are pressed here, so small
exports never pay for it.
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
from tobs.pipeline.post_render import stopped_with
from tobs.pipeline.press import Pressed, press_messages
from tobs.pipeline.press_worker import Job, StudioSpec, decode_reply, frame
from tobs.render.builtin import builtin_templates

#: Notes pressed here before a process is started.
_FEW = 1000
#: Messages that a note of a day or month may have: so many notes of one message it weighs.
_IN_PERIOD = 50


class Presses:
    """Presses the message notes of a run. An async context manager: at its end every process is gone.

    ``width`` batches are worth having on their way at a time.
    """

    def __init__(self, studio: Studio, keeper: Keeper, *, processes: int) -> None:
        self.width = max(1, processes)
        self._studio = studio
        self._keeper = keeper
        self._pressed = 0
        self._processes = processes
        self._starting: list[asyncio.Task[None]] = []
        self._started: list[asyncio.subprocess.Process] = []
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process] = asyncio.LifoQueue()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._starting, return_exceptions=True)
        for process in self._started:
            if error is not None:
                # It may be in the middle of an answer nobody reads; what it was writing, the next run sweeps.
                process.kill()
            elif process.stdin is not None:
                process.stdin.close()
        await asyncio.gather(*(process.wait() for process in self._started))

    async def __call__(self, chat: Chat, rows: Sequence[NoteRow]) -> Sequence[Pressed]:
        """Bring the message notes ``rows`` of ``chat`` up to date. Raises VaultError."""
        self._pressed += len(rows) * (_IN_PERIOD if rows and rows[0].period else 1)
        self.expect(self._pressed)
        if not self._started:
            with stopped_with(self._studio.post_render):
                return await self._keeper(press_messages, self._studio, chat, rows)
        process = await self._idle.get()
        pressed = await _ask(process, Job(chat, tuple(rows)))
        self._idle.put_nowait(process)
        return pressed

    def expect(self, messages: int) -> None:
        """So many messages are to get their notes: processes start where they are many."""
        if messages > _FEW and not self._starting:
            self._starting = [asyncio.create_task(self._start()) for _ in range(self._processes)]

    async def _start(self) -> None:
        process = await asyncio.create_subprocess_exec(
            # -P: a file in the working directory (it may be a vault) must never be imported.
            *(sys.executable, "-P", "-m", "tobs.pipeline.press_worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._started.append(process)
        assert process.stdin is not None
        process.stdin.write(frame(_spec(self._studio)))
        await process.stdin.drain()
        self._idle.put_nowait(process)


async def _ask(process: asyncio.subprocess.Process, job: Job) -> Sequence[Pressed]:
    """Hand ``job`` to a process of its own for the time, and wait for the answer."""
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(frame(job))
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
        functions=studio.functions,
        post_render=studio.post_render.openings if studio.post_render is not None else (),
        strict=studio.post_render is not None and studio.post_render.strict,
    )
