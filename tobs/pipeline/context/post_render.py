"""Post-render: plugins that have the last word on the text of a note, before it is held against what is there.

Notes are pressed in a thread and in processes beside the run, so who asks the plugins is a part of the studio, with a
loop and worker processes of its own. Where no plugin has the hook there is none, and nothing of this runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Self

from msgspec import Struct

from tobs.plugin.api import RenderedNote
from tobs.plugin.functions import open_plugin
from tobs.plugin.host import Done, Host, HostLimits, PluginFailure, Reply
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import Opening

#: A note waits for the plugin, and the press for the note: one process is enough.
_LIMITS = HostLimits(cpu=1, io=1)


class PluginCall(Struct, frozen=True):
    """What became of asking a plugin about a note; ``reason`` says why it failed or was not asked."""

    plugin: str
    outcome: Literal["done", "failed", "skipped"]
    reason: str = ""


class PostRendered(Struct, frozen=True):
    """The body a note is to have, and who was asked about it, in their order."""

    body: str
    asked: tuple[PluginCall, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """The plugins that did not do their work on the note."""
        return tuple([one.plugin for one in self.asked if one.outcome != "done"])


class PostRender:
    """The plugins with the last word, in their order. To be called and closed in one thread, which has no loop."""

    def __init__(self, plugins: Sequence[Processor], environment: Mapping[str, str], *, strict: bool) -> None:
        self._plugins = tuple(plugins)
        self._host = Host(env=environment, limits=_LIMITS, strict=strict)
        self._runner = asyncio.Runner()
        self._asking: tuple[asyncio.AbstractEventLoop, asyncio.Task[object]] | None = None
        self._is_stopped = False
        self.strict = strict

    @classmethod
    def opened(cls, openings: Sequence[Opening], environment: Mapping[str, str], *, strict: bool) -> Self | None:
        """The same in another process: made of its ``openings``; None where there are none."""
        plugins = [Processor.of(open_plugin(opening), opening.ref) for opening in openings]
        return cls(plugins, environment, strict=strict) if plugins else None

    @property
    def openings(self) -> tuple[Opening, ...]:
        """How another process comes by the plugins."""
        return tuple(one.opening for one in self._plugins)

    @property
    def digest(self) -> str:
        """Stands for what is done to notes: another one, another note."""
        return "; ".join(f"{one.name} {one.plugin.version} {one.digest}" for one in self._plugins)

    def __call__(self, notes: Sequence[RenderedNote]) -> list[PostRendered]:
        """What becomes of ``notes``. Raises PluginError when the host is strict and a plugin fails."""
        return self._runner.run(self._ask(notes))

    def stop(self) -> None:
        """Ask nobody any more, and do not wait for who is being asked: that call is cancelled. From any thread."""
        self._is_stopped = True
        if self._asking is not None:
            loop, task = self._asking
            loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """End the worker processes."""
        self._runner.run(self._host.__aexit__(None, None, None))
        self._runner.close()

    async def _ask(self, notes: Sequence[RenderedNote]) -> list[PostRendered]:
        task = asyncio.current_task()
        assert task is not None
        self._asking = (asyncio.get_running_loop(), task)
        if self._is_stopped:
            raise asyncio.CancelledError
        try:
            return await self._ask_all(notes)
        finally:
            self._asking = None

    async def _ask_all(self, notes: Sequence[RenderedNote]) -> list[PostRendered]:
        done = [PostRendered(note.body) for note in notes]
        for one in self._plugins:
            given = [_with_body(note, so_far.body) for note, so_far in zip(notes, done, strict=True)]
            replies = await self._host.post_render(one, given)
            done = [_joined(so_far, one.name, reply) for so_far, reply in zip(done, replies, strict=True)]
        return done


@contextmanager
def stopped_with(post_render: PostRender | None) -> Iterator[None]:
    """Stop asking when what is done here is cancelled: nobody waits for a plugin that hangs."""
    try:
        yield
    except asyncio.CancelledError:
        if post_render is not None:
            post_render.stop()
        raise


def _with_body(note: RenderedNote, body: str) -> RenderedNote:
    return RenderedNote(note.path, note.kind, body, note.vault, note.chat, note.messages)


def _joined(so_far: PostRendered, plugin: str, reply: Reply[str]) -> PostRendered:
    match reply:
        case Done(result=body):
            told = PluginCall(plugin, "done")
        case PluginFailure(reason=reason):
            body, told = None, PluginCall(plugin, "failed", reason)
        case _:
            body, told = None, PluginCall(plugin, "skipped", reply.reason)
    return PostRendered(so_far.body if body is None else body.strip("\n"), (*so_far.asked, told))
