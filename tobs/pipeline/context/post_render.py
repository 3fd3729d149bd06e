"""Post-render: plugins that change the text of a rendered note before it is compared with the existing file.

Notes are rendered in a thread and in processes beside the run, so the render context calls these plugins with an event
loop and worker processes of its own. Without plugins that have the hook, there are no such processes.
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

#: Notes are rendered one after the other and wait for the plugin: one process is enough.
_LIMITS = HostLimits(cpu=1, io=1)


class PluginCall(Struct, frozen=True):
    """The outcome of calling a plugin for a note; ``reason`` says why the call failed or was skipped."""

    plugin: str
    outcome: Literal["done", "failed", "skipped"]
    reason: str = ""


class PostRendered(Struct, frozen=True):
    """The body of a note after post-render, and the ``calls`` of plugins in their order."""

    body: str
    calls: tuple[PluginCall, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """The plugins whose calls failed or were skipped."""
        return tuple([call.plugin for call in self.calls if call.outcome != "done"])


class PostRender:
    """The post-render plugins, in their order. To be called and closed in one thread without an event loop."""

    def __init__(self, plugins: Sequence[Processor], environment: Mapping[str, str], *, strict: bool) -> None:
        self._plugins = tuple(plugins)
        self._host = Host(env=environment, limits=_LIMITS, strict=strict)
        self._runner = asyncio.Runner()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[object]] | None = None
        self._is_stopped = False
        self.strict = strict

    @classmethod
    def opened(cls, openings: Sequence[Opening], environment: Mapping[str, str], *, strict: bool) -> Self | None:
        """Open the plugins of ``openings`` in another process; return None without any."""
        plugins = [Processor.of(open_plugin(opening), opening.ref) for opening in openings]
        return cls(plugins, environment, strict=strict) if plugins else None

    @property
    def openings(self) -> tuple[Opening, ...]:
        """The references by which another process opens the plugins."""
        return tuple(plugin.opening for plugin in self._plugins)

    @property
    def digest(self) -> str:
        """A text that changes when the plugins may change notes in another way."""
        return "; ".join(f"{plugin.name} {plugin.plugin.version} {plugin.digest}" for plugin in self._plugins)

    def __call__(self, notes: Sequence[RenderedNote]) -> list[PostRendered]:
        """Call the plugins for ``notes``. Raises PluginError when the host is strict and a plugin fails."""
        return self._runner.run(self._call(notes))

    def stop(self) -> None:
        """Call no more plugins and cancel the running call. May be called from any thread."""
        self._is_stopped = True
        if self._running is not None:
            loop, task = self._running
            loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """End the worker processes."""
        self._runner.run(self._host.__aexit__(None, None, None))
        self._runner.close()

    async def _call(self, notes: Sequence[RenderedNote]) -> list[PostRendered]:
        task = asyncio.current_task()
        assert task is not None
        self._running = (asyncio.get_running_loop(), task)
        if self._is_stopped:
            raise asyncio.CancelledError
        try:
            return await self._call_all(notes)
        finally:
            self._running = None

    async def _call_all(self, notes: Sequence[RenderedNote]) -> list[PostRendered]:
        done = [PostRendered(note.body) for note in notes]
        for plugin in self._plugins:
            given = [_with_body(note, before.body) for note, before in zip(notes, done, strict=True)]
            replies = await self._host.post_render(plugin, given)
            done = [_with_reply(before, plugin.name, reply) for before, reply in zip(done, replies, strict=True)]
        return done


@contextmanager
def stopped_with(post_render: PostRender | None) -> Iterator[None]:
    """Stop ``post_render`` when the body is cancelled, so that no one waits for a plugin that hangs."""
    try:
        yield
    except asyncio.CancelledError:
        if post_render is not None:
            post_render.stop()
        raise


def _with_body(note: RenderedNote, body: str) -> RenderedNote:
    return RenderedNote(note.path, note.kind, body, note.vault, note.chat, note.messages)


def _with_reply(before: PostRendered, plugin: str, reply: Reply[str]) -> PostRendered:
    match reply:
        case Done(result=body):
            call = PluginCall(plugin, "done")
        case PluginFailure(reason=reason):
            body, call = None, PluginCall(plugin, "failed", reason)
        case _:
            body, call = None, PluginCall(plugin, "skipped", reply.reason)
    return PostRendered(before.body if body is None else body.strip("\n"), (*before.calls, call))
