"""One ``tobs plan``: the chats are chosen as an export would choose them, and asked for their counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tobs.archive import Archive, open_archive
from tobs.config import Profile, Settings
from tobs.model import Chat
from tobs.pipeline.estimate import Estimator, Known, Means, Plan, sum_up
from tobs.pipeline.report import Reporter
from tobs.pipeline.run import takeout_scopes
from tobs.pipeline.selection import Selection, choose_chats
from tobs.telegram.client import open_telegram
from tobs.telegram.settings import TelegramSettings
from tobs.vault.layout import chat_candidates, chat_folder


async def make_plan(
    *,
    settings: Settings,
    profile: Profile,
    telegram_settings: TelegramSettings,
    archive_path: Path,
    selection: Selection,
    reporter: Reporter,
) -> Plan:
    """What exporting ``selection`` would do. The archive is only read, where there is one."""
    means = Means(
        workers=profile.workers,
        downloads=profile.downloads,
        kinds=frozenset(settings.media),
        max_size=settings.max_size,
        layout=settings.layout,
    )
    with _reading(archive_path) as archive:
        async with open_telegram(telegram_settings) as telegram:
            chosen = await choose_chats(telegram, selection, reporter)
            estimator = Estimator(telegram, means, time.monotonic)
            items, scopes = [], set[str]()
            for one in chosen:
                chat = one.chat if one.is_full else await telegram.full(one.chat.id)
                more = {"chats"} if chat.migrated_from else set()
                needed = takeout_scopes([chat], media=bool(settings.media), more=more) if settings.takeout else []
                scopes |= set(needed)
                known = _known(archive, telegram.account.id, chat)
                items.append(await estimator.chat(chat, known, scopes=tuple(needed)))
            asked = telegram.requests.total()
    return sum_up(items, scopes=sorted(scopes), asked=asked, problems=reporter.report.problems)


@contextmanager
def _reading(path: Path) -> Iterator[Archive | None]:
    """The archive at ``path``, None where there is none yet."""
    if not path.exists():
        yield None
        return
    with open_archive(path, clock=time.time, read_only=True) as archive:
        yield archive


def _known(archive: Archive | None, account: int, chat: Chat) -> Known:
    """What the vault has of ``chat``, and where it would go if it has nothing."""
    folder = chat_folder(next(chat_candidates(chat.title, chat.id)))
    if archive is None:
        return Known(folder=folder)
    note = archive.notes.by_tobs_id(str(chat.id))
    ids = [chat.id, *([chat.migrated_from] if chat.migrated_from else [])]
    return Known(
        messages=sum(archive.messages.count(account, one) for one in ids),
        folder=chat_folder(note.path) if note is not None else folder,
        layout=_recorded(archive.chats.layout(account, chat.id)),
    )


def _recorded(layout: tuple[str, str] | None) -> tuple[str, str] | None:
    return layout and (layout[0], f"decided when it came first: {layout[1]}")
