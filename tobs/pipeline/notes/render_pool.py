"""Render notes on the archive thread if they are few, in further processes if they are many.

An export spends most of its time on rendering, and Python runs one thread at a time: a second process uses a second
CPU. It starts while the first pages are fetched or the first notes are rendered here, so that small exports need
none.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from tobs import errors
from tobs.archive import NoteRow
from tobs.errors import TobsError
from tobs.model import Chat
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.post_render import stopped_with
from tobs.pipeline.context.run_context import RenderContext
from tobs.pipeline.notes.render_notes import NoteResult, render_message_notes
from tobs.pipeline.notes.render_worker import Job, RenderContextSpec, decode_reply, frame
from tobs.render.builtin import builtin_templates

#: Notes rendered on the archive thread before a process is started.
_MOST_NOTES_HERE = 1000
#: A note of a day or month counts as so many notes of one message.
_PERIOD_WEIGHT = 50
#: Batches of a process at a time: one that it renders and one in its pipe, so that it never waits for the run.
_QUEUED = 2


class RenderPool:
    """Renders the message notes of a run. It is an async context manager; at its end every process has ended.

    ``width`` is the number of batches worth having under way at a time.
    """

    def __init__(self, render_context: RenderContext, archive_thread: ArchiveThread, *, processes: int) -> None:
        self.width = max(1, _QUEUED * processes)
        self._render_context = render_context
        self._archive_thread = archive_thread
        self._rendered = 0
        self._processes = processes
        self._starting: list[asyncio.Task[None]] = []
        self._started: list[_Process] = []
        self._free: asyncio.Queue[_Process] = asyncio.Queue()
        self._running: set[asyncio.Task[Sequence[NoteResult]]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._starting, return_exceptions=True)
        if error is not None:
            for process in self._started:
                process.kill()  # the next run removes its temporary files
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*(process.end() for process in self._started))

    async def __call__(self, chat: Chat, rows: Sequence[NoteRow]) -> Sequence[NoteResult]:
        """Render and write the message notes ``rows`` of ``chat``. Raises VaultError."""
        self._rendered += len(rows) * (_PERIOD_WEIGHT if rows and rows[0].period else 1)
        self.expect(self._rendered)
        if not self._started:
            with stopped_with(self._render_context.post_render):
                return await self._archive_thread(render_message_notes, self._render_context, chat, rows)
        process = await self._free.get()
        # A started job is finished, as on the archive thread: no other caller gets the answer of a cancelled one.
        task = asyncio.create_task(process.ask(Job(chat, tuple(rows))))
        self._running.add(task)
        task.add_done_callback(partial(self._free_process, process))
        return await asyncio.shield(task)

    def _free_process(self, process: _Process, task: asyncio.Task[Sequence[NoteResult]]) -> None:
        self._running.discard(task)
        self._free.put_nowait(process)
        if not task.cancelled():
            task.exception()  # marks it as retrieved: the caller may be gone

    def expect(self, messages: int) -> None:
        """Start the processes if so many messages are to get notes."""
        if messages > _MOST_NOTES_HERE and not self._starting:
            self._starting = [asyncio.create_task(self._start()) for _ in range(self._processes)]

    async def _start(self) -> None:
        process = _Process(
            await asyncio.create_subprocess_exec(
                # -P: a file in the working directory (it may be a vault) must never be imported.
                *(sys.executable, "-P", "-m", "tobs.pipeline.notes.render_worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        self._started.append(process)
        await process.send(_spec(self._render_context))
        for _ in range(_QUEUED):
            self._free.put_nowait(process)


class _Process:
    """A process that renders notes. It answers requests in their order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._answer_lock = asyncio.Lock()

    async def send(self, value: Struct) -> None:
        """Write ``value`` to its standard input."""
        self._stdin.write(frame(value))
        await self._stdin.drain()

    async def ask(self, job: Job) -> Sequence[NoteResult]:
        """Send ``job`` and wait for its results, after those of earlier jobs. Raises TobsError."""
        try:
            # Written before the turn comes: locks are given in the order of asking, so are answers.
            self._stdin.write(frame(job))
            async with self._answer_lock:
                await self._stdin.drain()
                size = int.from_bytes(await self._stdout.readexactly(4), "big")
                reply = decode_reply(await self._stdout.readexactly(size))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise TobsError(
                "The process that writes notes ended unexpectedly.", "Run the same command again; it goes on."
            ) from error
        if reply.error is not None:
            name, message, remedy = reply.error
            raise getattr(errors, name, TobsError)(message, remedy)
        return reply.results

    def kill(self) -> None:
        """Kill it; waiting callers get TobsError."""
        with suppress(ProcessLookupError):  # it is gone already
            self._process.kill()

    async def end(self) -> None:
        """Wait until it has ended, after its jobs."""
        self._stdin.close()
        await self._stdout.read()  # until its pipe is empty asyncio does not hear of its end
        await self._process.wait()


def _spec(render_context: RenderContext) -> RenderContextSpec:
    """Return ``render_context`` in a form that can be sent; templates are sent as they were read and checked here."""
    options = msgspec.structs.asdict(render_context.options)
    del options["timezone"]
    return RenderContextSpec(
        archive=str(render_context.archive.path),
        account=render_context.account,
        root=str(render_context.root),
        zone=render_context.zone.key,
        options=options,
        templates=render_context.templates.sources(builtin_templates()),
        functions=render_context.functions,
        post_render=render_context.post_render.openings if render_context.post_render is not None else (),
        strict=render_context.post_render is not None and render_context.post_render.strict,
    )
