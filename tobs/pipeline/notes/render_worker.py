"""A process that renders notes beside the run: ``python -m tobs.pipeline.notes.render_worker``.

It reads frames from stdin (a ``RenderContextSpec``, then any number of ``Job``s) and answers each job with a
``Reply`` on stdout. It ends when its input ends. A frame is a length of four bytes and a msgpack value.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from tobs.archive import NoteRow, open_archive
from tobs.errors import TobsError
from tobs.model import Chat
from tobs.pipeline.context.post_render import PostRender
from tobs.pipeline.context.run_context import RenderContext
from tobs.pipeline.notes.render_notes import NoteResult, render_message_notes
from tobs.plugin.functions import open_functions
from tobs.plugin.protocol import Opening
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions

#: The nice value of render workers: the run goes first.
_NICENESS = 5
#: Bytes that the pipe holds before the run reads: the limit that Linux sets for every user.
_PIPE_SIZE = 1 << 20


class RenderContextSpec(Struct, frozen=True):
    """A render context in a form that can be sent: paths as text, the zone by name, templates as (name, source,
    trusted)."""

    archive: str
    account: int
    root: str
    zone: str
    options: dict[str, Any]
    templates: tuple[tuple[str, str, bool], ...]
    functions: tuple[Opening, ...] = ()
    post_render: tuple[Opening, ...] = ()
    strict: bool = False


class Job(Struct, frozen=True):
    """Notes of a chat to render."""

    chat: Chat
    rows: tuple[NoteRow, ...]


class Reply(Struct, frozen=True):
    """The results of a job, or the error that ended it: class, message and remedy."""

    results: tuple[NoteResult, ...] = ()
    error: tuple[str, str, str] | None = None


encode = msgspec.msgpack.Encoder().encode
decode_reply = msgspec.msgpack.Decoder(Reply).decode
_decode_spec = msgspec.msgpack.Decoder(RenderContextSpec).decode
_decode_job = msgspec.msgpack.Decoder(Job).decode


def frame(value: Struct) -> bytes:
    """Encode ``value`` as a frame."""
    body = encode(value)
    return len(body).to_bytes(4, "big") + body


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    return stream.read(int.from_bytes(head, "big")) if len(head) == 4 else None


def _post_render(spec: RenderContextSpec) -> PostRender | None:
    if not spec.post_render:
        return None
    from tobs.config.home import environment  # with the settings it takes as long to load as all the rest

    return PostRender.opened(spec.post_render, environment(), strict=spec.strict)


def _open(spec: RenderContextSpec) -> RenderContext:
    sources = {name: (source, trusted) for name, source, trusted in spec.templates}
    zone = ZoneInfo(spec.zone)
    return RenderContext(
        archive=open_archive(Path(spec.archive), clock=time.time, read_only=True),
        account=spec.account,
        root=Path(spec.root),
        zone=zone,
        options=RenderOptions(timezone=zone, **spec.options),
        templates=Templates(sources.get, open_functions(spec.functions)),
        post_render=_post_render(spec),
    )


def _widen(pipe: int) -> None:
    """Enlarge ``pipe`` to hold a whole answer, so that the next job need not wait until the run has read it."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # the memory of pipes is limited for each user; the default size works too
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)


def main() -> None:
    """Serve the process that started this one."""
    # Notes make much garbage and no cycles: at Python's own pace looking for them takes a twentieth of the time.
    gc.set_threshold(200_000)
    # When CPUs are short the run goes first: all workers depend on it.
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # Ctrl-C goes to the whole process group; the run decides, and closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _widen(sink.fileno())
    first = _read(source)
    if first is None:
        return
    render_context = _open(_decode_spec(first))
    gc.freeze()
    while (body := _read(source)) is not None:
        job = _decode_job(body)
        try:
            reply = Reply(tuple(render_message_notes(render_context, job.chat, job.rows)))
        except TobsError as error:
            reply = Reply(error=(type(error).__name__, error.message, error.remedy))
        sink.write(frame(reply))
        sink.flush()
    if render_context.post_render is not None:
        render_context.post_render.close()


if __name__ == "__main__":
    main()
