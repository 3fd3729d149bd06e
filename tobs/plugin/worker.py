"""The worker process: one plugin, one call after the other (``python -P -m tobs.plugin.worker``).

It speaks ``protocol`` over its standard input and output; what the plugin itself prints goes to standard
error. A thread watches the input, so that the process ends with its host even while a plugin hangs.
"""

from __future__ import annotations

import os
import sys
import threading
from queue import SimpleQueue
from typing import Any, BinaryIO

import msgspec

from tobs.plugin.api import (
    Command,
    Enrichment,
    Export,
    Exported,
    FinishedRun,
    Item,
    MessageItem,
    Plugin,
    RenderedNote,
    Result,
    Run,
    Unreadable,
)
from tobs.plugin.loading import load_class
from tobs.plugin.protocol import Answer, Batch, Call, Opened, Opening, decoder, encode, frame, read_frame

#: A reason is one line of a report.
_MAX_REASON = 500


def main() -> None:
    """Serve the host until it closes the input."""
    source, sink = _take_pipes()
    body = read_frame(source)
    if body is None:
        return
    opening: Opening = decoder(Opening).decode(body)
    plugin, opened = _open(opening)
    _say(sink, opened)
    if plugin is None:
        return
    batches: SimpleQueue[Batch | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(source, batches), daemon=True).start()
    own = os.getpid()
    while (batch := batches.get()) is not None:
        for call in batch.calls:
            answered = answer(plugin, call)
            if os.getpid() != own:
                os._exit(0)  # a copy of this process that the plugin made and lost: one answer is enough
            _say(sink, answered)


def answer(plugin: Plugin[Any], call: Call) -> Answer:
    """Let ``plugin`` do what ``call`` asks for; whatever it raises becomes an answer."""
    try:
        result, expected = _called(plugin, call)
    except Unreadable as error:
        return Answer(failure=_one_line(_said(error)) or "the file cannot be read", unreadable=True)
    except MemoryError:
        return Answer(failure=f"needed more memory than its limit of {plugin.memory_limit // 2**20} MiB")
    except Exception as error:  # noqa: BLE001 - the border to foreign code: it may raise anything, all of it is told
        return Answer(failure=_one_line(f"{type(error).__name__}: {_said(error)}"))
    if result is None:
        return Answer()
    if not isinstance(result, expected):
        return Answer(failure=f"returned a {type(result).__name__} instead of a {expected.__name__} or None")
    try:
        return Answer(result=encode(result))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        return Answer(failure=f"returned what no note can hold: {_one_line(str(error))}")
    except MemoryError:
        return Answer(failure=f"returned more than its limit of {plugin.memory_limit // 2**20} MiB holds")


def _said(error: Exception) -> str:
    """What an exception says; one that a plugin made need not be able to."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - foreign code again
        return "it says nothing about itself"


def _called(plugin: Plugin[Any], call: Call) -> tuple[object, type[Any]]:
    """What the hook for ``call`` returned, and what it should have (what it says it returns is not always so)."""
    match call:
        case Item():
            return plugin.process(call), Result
        case MessageItem():
            return plugin.enrich(call), Enrichment
        case RenderedNote():
            return plugin.post_render(call), str
        case Run():
            plugin.run_started(call)
        case FinishedRun():
            plugin.run_ended(call)
        case Export():
            return plugin.export(call), Exported
        case Command(vault=vault, arguments=arguments):
            return plugin.command(arguments, vault), str
    return None, Result


def _open(opening: Opening) -> tuple[Plugin[Any] | None, Opened]:
    _limit_memory(opening.memory_limit)
    try:
        plugin_class = load_class(opening.ref)
        config = msgspec.msgpack.decode(opening.config, type=plugin_class.config_type)
        return plugin_class(config), Opened()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above: an import or a constructor of foreign code
        return None, Opened(failure=_one_line(f"{type(error).__name__}: {error}"))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the host, moved away from where a plugin's own ``print`` and ``input`` would reach them."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def _listen(source: BinaryIO, batches: SimpleQueue[Batch | None]) -> None:
    batch_decoder = decoder(Batch)
    while (body := read_frame(source)) is not None:
        batches.put(batch_decoder.decode(body))
    # The host is gone or has closed us: nobody waits for what the plugin may still be doing.
    os._exit(0)


def _say(sink: BinaryIO, value: Answer | Opened) -> None:
    sink.write(frame(value))
    sink.flush()


def _limit_memory(limit: int) -> None:
    """Bound the address space, where the system can (not on Windows)."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)  # the system allows no more, and a process may not ask for it
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_REASON]


if __name__ == "__main__":
    main()
