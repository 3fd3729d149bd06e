"""The worker process: one plugin, one call after the other (``python -P -m tobs.plugin.worker``).

It uses ``protocol`` on its standard input and output; output of the plugin itself goes to standard error. A thread
watches the input, so that the process ends with its host even while a plugin hangs.
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

#: Longest reason in characters; it is one line of a report.
_MAX_REASON = 500


def main() -> None:
    """Serve the host until it closes the input."""
    source, sink = _take_pipes()
    body = read_frame(source)
    if body is None:
        return
    opening: Opening = decoder(Opening).decode(body)
    plugin, opened = _open(opening)
    _send(sink, opened)
    if plugin is None:
        return
    batches: SimpleQueue[Batch | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(source, batches), daemon=True).start()
    own = os.getpid()
    while (batch := batches.get()) is not None:
        for call in batch.calls:
            reply = answer(plugin, call)
            if os.getpid() != own:
                os._exit(0)  # a fork of this process made by the plugin: only the original answers
            _send(sink, reply)


def answer(plugin: Plugin[Any], call: Call) -> Answer:
    """Call the hook of ``plugin`` for ``call``; every exception it raises becomes an answer."""
    try:
        result, expected = _call_hook(plugin, call)
    except Unreadable as error:
        return Answer(failure=_one_line(_exception_text(error)) or "the file cannot be read", unreadable=True)
    except MemoryError:
        return Answer(failure=f"needed more memory than its limit of {plugin.memory_limit // 2**20} MiB")
    except Exception as error:  # noqa: BLE001 - the border to foreign code: it may raise anything, and all of it is reported
        return Answer(failure=_one_line(f"{type(error).__name__}: {_exception_text(error)}"))
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


def _exception_text(error: Exception) -> str:
    """Return the text of an exception; that of a plugin's own exception may fail."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - foreign code again
        return "it says nothing about itself"


def _call_hook(plugin: Plugin[Any], call: Call) -> tuple[object, type[Any]]:
    """Return the result of the hook for ``call``, and the type it must have (annotations of plugins are not
    reliable).
    """
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
    """Return the pipes to the host, moved to other descriptors that ``print`` and ``input`` of a plugin cannot
    reach.
    """
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
    # The host is gone or has closed the input: no one waits for a running call.
    os._exit(0)


def _send(sink: BinaryIO, value: Answer | Opened) -> None:
    sink.write(frame(value))
    sink.flush()


def _limit_memory(limit: int) -> None:
    """Limit the address space, if the system supports it (Windows does not)."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)  # the system allows no more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_REASON]


if __name__ == "__main__":
    main()
