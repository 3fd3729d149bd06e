"""Helpers for plugin authors: items made of local files, and a trial of a plugin in a real worker process."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from tobs.errors import PluginError
from tobs.model import Entity, FileItem, FileKind, Message
from tobs.model.mime import type_of_name
from tobs.plugin.api import Export, FinishedRun, Item, MessageItem, Plugin, RenderedNote, Run
from tobs.plugin.configuration import assign_variables, describe_config, read_config
from tobs.plugin.host import Done, Host, PluginFailure, Reply, Skipped
from tobs.plugin.loading import load_module, plugin_classes
from tobs.plugin.new_messages import NewMessage, write_messages
from tobs.plugin.processor import Processor, declaration_faults
from tobs.plugin.protocol import PluginRef

_KINDS: dict[str, FileKind] = {"audio": "audio", "video": "video", "image": "photo"}


def make_item(path: Path, work: Path, *, kind: FileKind | None = None, message: Message | None = None) -> Item:
    """Make an item of the file at ``path`` with the work folder ``work``; the kind is guessed from the name if
    not given.
    """
    content = path.read_bytes()
    mime = type_of_name(path.name) or "application/octet-stream"
    kind = kind or _KINDS.get(mime.partition("/")[0], "document")
    return Item(
        path=path,
        kind=kind,
        mime=mime,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        work=work,
        label=path.name,
        file=FileItem(kind, mime=mime, size=len(content), name=path.name),
        message=message or Message(chat_id=-1, id=1, date=0),
        chat="Sample chat",
    )


def make_message(text: str, *, link: str = "", service: bool = False, sender: str = "Ada") -> MessageItem:
    """Make a message with ``text`` for ``enrich``; ``link`` is the address of its last word."""
    words = text.encode("utf-16-le")
    last = text.rpartition(" ")[2].encode("utf-16-le")
    start, length = (len(words) - len(last)) // 2, len(last) // 2
    entities = (Entity("text_link", start, length, url=link),) if link else ()
    message = Message(chat_id=-1, id=1, date=0, text=text, entities=entities, kind="service" if service else "message")
    return MessageItem(
        message, "Sample chat", sender, label=f"message: {text[:40]}" if text else "message without text"
    )


def sample_messages() -> list[MessageItem]:
    """Return messages of several kinds to try a plugin with."""
    return [
        make_message("Good morning, the lift is mended. #news"),
        make_message("Read this page", link="https://example.com/page"),
        make_message("Zwei Sätze. Und 😀 ein zweiter"),
        make_message("", sender=""),
        make_message("Ada joined the group", service=True),
    ]


def make_note(body: str, *, kind: str = "message") -> RenderedNote:
    """Make a note with this ``body`` for ``post_render``; its vault does not exist."""
    messages = (Message(chat_id=-1, id=1, date=0, text=body),) if kind == "message" else ()
    return RenderedNote("Telegram/Sample chat/Sample.md", kind, body, Path("/no/vault"), "Sample chat", messages)


def sample_notes() -> list[RenderedNote]:
    """Return notes of several kinds to try a plugin with."""
    return [
        make_note("Good morning, the lift is mended. #news"),
        make_note("Read [this page](https://example.com/page)\n\n```py\nprint(1)\n```\n\n> quoted, with `code`"),
        make_note("**Ada**, 09:00 ^m1\n\nGood morning 😀\n\n**Ada**, 09:01 ^m2\n\n![[a photo.jpg]]", kind="day"),
        make_note("# Sample chat\n\n- Telegram: [@sample](https://t.me/sample)", kind="chat"),
    ]


class Trial(Struct, frozen=True):
    """The result of a plugin for an item: ``detail`` is the result as JSON or the reason of a failure."""

    plugin: str
    item: str
    outcome: Literal["result", "kept", "failed", "not handled"]
    detail: str
    seconds: float


async def try_plugins(
    path: Path,
    items: Sequence[Item | MessageItem | RenderedNote],
    *,
    env: Mapping[str, str],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    variables: Mapping[str, str] | None = None,
) -> list[Trial]:
    """Run every plugin in the file or folder ``path`` on each of ``items``, as a run would.

    Files, messages and notes are passed to plugins with hooks for them; a plugin with ``export`` gets all messages as
    new. ``settings`` has the tables of the plugins by name; ``variables`` are values from the environment (see
    ``assign_variables``). The code at ``path`` is executed: its author asks for it. Raises PluginError for a plugin
    that cannot be loaded or has wrong declarations, ConfigError for a wrong configuration.
    """
    trials = []
    async with Host(env=env) as host:
        for processor in _processors(path, settings or {}, variables or {}):
            for item in items:
                if isinstance(item, Item):
                    trials += [await _try(host, processor, item)] if processor.has("process") else []
                elif isinstance(item, MessageItem):
                    trials += [await _try_message(host, processor, item)] if processor.has("enrich") else []
                elif processor.has("post_render"):
                    trials.append(await _try_note(host, processor, item))
            if processor.has("export") and (messages := [item for item in items if isinstance(item, MessageItem)]):
                trials.append(await _try_export(host, processor, messages))
    return trials


async def _try_export(host: Host, processor: Processor, items: Sequence[MessageItem]) -> Trial:
    with tempfile.TemporaryDirectory(prefix="tobs-try-") as folder:
        source = Path(folder) / "messages"
        with source.open("wb") as file:
            write_messages(file, (NewMessage("new", one.message, one.chat, one.sender) for one in items))
        run = FinishedRun(Run("sample", "export", ("Sample chat",)), ok=True)
        started = time.perf_counter()
        reply = await host.export(processor, Export(run, len(items), source, Path(folder) / "made", Path(folder)))
        return _trial(processor, "messages of a run", reply, time.perf_counter() - started)


async def _try_message(host: Host, processor: Processor, item: MessageItem) -> Trial:
    started = time.perf_counter()
    (reply,) = await host.enrich(processor, [item])
    return _trial(processor, item.label, reply, time.perf_counter() - started)


async def _try_note(host: Host, processor: Processor, note: RenderedNote) -> Trial:
    started = time.perf_counter()
    (reply,) = await host.post_render(processor, [note])
    first = " ".join(note.body.split())[:40]
    return _trial(processor, f"note of a {note.kind}: {first}", reply, time.perf_counter() - started)


async def _try(host: Host, processor: Processor, item: Item) -> Trial:
    if item.kind not in processor.plugin.handles:
        return Trial(processor.name, item.label, "not handled", "", 0.0)
    if processor.plugin.sees == "content":
        item = msgspec.structs.replace(item, file=None, message=None, chat="")
    started = time.perf_counter()
    (reply,) = await host.run(processor, [item])
    return _trial(processor, item.label, reply, time.perf_counter() - started)


def _trial(processor: Processor, label: str, reply: Reply[Any], seconds: float) -> Trial:
    match reply:
        case Done(result=None):
            return Trial(processor.name, label, "kept", "", seconds)
        case Done(result=result):
            return Trial(processor.name, label, "result", msgspec.json.encode(result, enc_hook=str).decode(), seconds)
        case PluginFailure(reason=reason) | Skipped(reason=reason):
            return Trial(processor.name, label, "failed", reason, seconds)


def _processors(path: Path, settings: Mapping[str, Mapping[str, Any]], variables: Mapping[str, str]) -> list[Processor]:
    ref_path, module = str(path.resolve()), f"tobs_tried_{path.stem}"
    try:
        classes = plugin_classes(load_module(module, ref_path))
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"{path} cannot be loaded: {reason}.", "Correct the plugin.") from error
    if not classes:
        raise PluginError(f"{path} defines no plugin.", "Derive a class from tobs.plugin.Plugin and give it a name.")
    return [
        _processor(plugin, PluginRef(module, plugin.__qualname__, ref_path), settings, variables) for plugin in classes
    ]


def _processor(
    plugin: type[Plugin[Any]],
    ref: PluginRef,
    settings: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, str],
) -> Processor:
    if faults := declaration_faults(plugin):
        raise PluginError(f"Plugin {plugin.name} is declared wrongly: {'; '.join(faults)}.", "Correct the plugin.")
    options = {plugin.name: [option.name for option in describe_config(plugin.config_type)]}
    assigned = assign_variables(variables, options)
    values = {**settings.get(plugin.name, {}), **assigned.get(plugin.name, {})}
    made = plugin(read_config(plugin.name, plugin.config_type, values))
    if missing := made.available():
        raise PluginError(f"Plugin {plugin.name} cannot run: {missing.what} is missing.", f"{missing.install}.")
    return Processor.of(made, ref)
