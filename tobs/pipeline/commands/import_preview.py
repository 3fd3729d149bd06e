"""Preview of an import: the export compared with the archive, which is only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from datetime import tzinfo
from pathlib import Path

from msgspec import Struct

from tobs.archive import Archive, open_archive
from tobs.model import Chat, Message, Page, message_files
from tobs.model.report import iso_time
from tobs.pipeline.commands.import_source import in_order
from tobs.pipeline.select.archived_chats import stored_account
from tobs.sources import Source
from tobs.sources.desktop import ExportedChat, open_desktop


class ChatImport(Struct, frozen=True):
    """A chat of an export: its messages, those that the archive does not have, and its files by kind and whether the
    export has them."""

    id: int
    kind: str
    title: str
    messages: int
    new: int
    first: str
    last: str
    files: dict[str, dict[str, int]]


class ImportPlan(Struct, frozen=True):
    """Content of an export. ``left_out`` counts what tobs has no place for, ``broken`` says where the file ends."""

    items: tuple[ChatImport, ...]
    left_out: dict[str, int]
    broken: str


async def plan_import(
    path: Path, *, zone: tzinfo, archive_path: Path, account_name: str, chat: Chat | None = None
) -> ImportPlan:
    """Summarize the export at ``path``. Raises UsageError for what is no export, VaultError for a damaged archive."""
    archive = _open(archive_path)
    try:
        async with open_desktop(path, zone=zone, chat=chat) as export:
            summary = export.summary
            account = (stored_account(archive, account_name) if archive else 0) or summary.exporter_id
            items = []
            async with aclosing(export.chats()) as chats:
                async for reader in chats:
                    new = 0
                    async for ids, chat_id in reader.ids():
                        new += len(ids) - (_known(archive, account, chat_id, ids) if archive else 0)
                    items.append(_told(reader.chat, new))
            left_out = {**summary.ignored, **{f"key {key}": count for key, count in summary.unknown_keys.items()}}
            return ImportPlan(tuple(items), left_out, summary.broken)
    finally:
        if archive is not None:
            archive.close()


async def plan_source(source: Source, *, archive_path: Path, account_name: str) -> ImportPlan:
    """Read every chat of ``source`` and compare it with the archive. Raises VaultError for a damaged archive."""
    archive = _open(archive_path)
    try:
        account = stored_account(archive, account_name) if archive else 0
        chats, found = await source.resolve(""), dict[int, list[Message]]()

        async def add(page: Page) -> None:
            found.setdefault(page.chat_id, []).extend(page.messages)

        async for chat in in_order(source, chats):
            await source.walk(chat.id, [(1, chat.top)], add)
        items = [_compared(archive, account, chat, found.get(chat.id, ())) for chat in chats]
        return ImportPlan(tuple(items), {}, "")
    finally:
        if archive is not None:
            archive.close()


def _compared(archive: Archive | None, account: int, chat: Chat, messages: Sequence[Message]) -> ChatImport:
    known = _known(archive, account, chat.id, [message.id for message in messages]) if archive else 0
    dates = [message.date for message in messages if message.date]
    kinds = Counter(item.kind for message in messages for item in message_files(message))
    return ChatImport(
        id=chat.id,
        kind=chat.kind,
        title=chat.title,
        messages=len(messages),
        new=len(messages) - known,
        first=iso_time(min(dates)) if dates else "",
        last=iso_time(max(dates)) if dates else "",
        files={kind: {"here": count} for kind, count in sorted(kinds.items())},
    )


def _open(path: Path) -> Archive | None:
    return open_archive(path, clock=lambda: 0.0, read_only=True) if path.exists() else None


def _known(archive: Archive, account: int, chat_id: int, ids: list[int]) -> int:
    return len(archive.messages.known_ids(account, chat_id, ids))


def _told(found: ExportedChat, new: int) -> ChatImport:
    files: dict[str, dict[str, int]] = {}
    for (kind, state), count in sorted(found.files.items()):
        files.setdefault(kind, {})[state] = count
    return ChatImport(
        id=found.chat.id,
        kind=found.chat.kind,
        title=found.chat.title,
        messages=sum(ids.count for ids in found.id_ranges.values()),
        new=new,
        first=iso_time(found.first) if found.first else "",
        last=iso_time(found.last) if found.last else "",
        files=files,
    )
