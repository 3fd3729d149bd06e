"""Looking for edits of old messages that Telegram does not tell any more: they are fetched again by their ids, a
hundred a request, newest first and chat by chat in turns. Each sync does a part of it; how far is in the archive.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping

from msgspec import Struct, field

from tobs.archive import Decide
from tobs.errors import FloodWait, RequestRefused
from tobs.model import Chat, MessageKey
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.sync.counters import TOGETHER, Changed, fetch_again
from tobs.telegram.facade import Telegram

#: Requests of one sync.
PAGES = 50


class RecheckedEdits(Struct):
    """What looking back found: messages that are gone (not marked yet), and down to which id each chat was looked at
    (0: to the end)."""

    gone: defaultdict[int, list[MessageKey]] = field(default_factory=lambda: defaultdict(list))
    reached: dict[int, int] = field(default_factory=dict)


async def recheck_edits(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    chats: Mapping[int, Chat],
    decide: Decide,
    *,
    whole: bool,
    mark_changed: Changed,
) -> RecheckedEdits:
    """Go on in those of ``chats`` where something is left, for ``PAGES`` requests or (``whole``) to the end, and record
    what was edited. A chat that Telegram refuses is told and left out."""
    archive, found, asked = context.archive, RecheckedEdits(), 0
    pending = await archive_thread(archive.updates.to_recheck, context.account)
    turns = deque((chat_id, high) for chat_id, high in pending.items() if chat_id in chats)
    while turns and (whole or asked < PAGES):
        chat_id, high = turns.popleft()
        asked += 1
        ids = await archive_thread(archive.messages.live_ids_upto, context.account, chat_id, high, TOGETHER)
        try:
            gone = await fetch_again(
                context, archive_thread, telegram, chat_id, ids, decide, show=False, mark_changed=mark_changed
            )
        except FloodWait:
            raise
        except RequestRefused as error:
            context.events.failed(error, chats[chat_id].title)
            continue
        found.gone[chat_id] += gone
        reached = ids[-1] - 1 if len(ids) == TOGETHER else 0
        found.reached[chat_id] = reached
        if not found.gone[chat_id]:  # what is gone may have to be accepted first
            await archive_thread(archive.updates.rechecked, context.account, chat_id, reached)
        if reached:
            turns.append((chat_id, reached))
    return found
