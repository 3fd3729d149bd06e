"""Files dropped into the inbox: recorded like messages, sent through the media chain, filed with a note each."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.archive import MediaDecision, record_page
from tobs.model import FileItem, Message, Page
from tobs.model.events import MessagesCounted
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.planning import open_chat
from tobs.sources.inbox import INBOX, INBOX_CHAT, inbox_message
from tobs.vault.inbox import INBOX_FOLDER, Dropped, dropped_files, take_away

#: Seconds a file has to lie unchanged before it is taken up: it may still be copied there.
SETTLED = 1.0


def import_inbox(context: RunContext, now: float) -> tuple[list[Dropped], bool]:
    """Record what waits in the inbox; what was recorded, and whether something has still to settle."""
    waiting = dropped_files(context.root)
    settled = [file for file in waiting if now - file.changed >= SETTLED]
    if settled:
        _open_inbox(context)
    known = _known(context, settled) if settled else {}
    for file in settled:
        if (file.name, file.size, int(file.changed)) not in known:
            message_id = context.archive.messages.newest_id(context.account, INBOX) + 1
            path = context.root / INBOX_FOLDER / file.name
            message = inbox_message(message_id, path, size=file.size, changed=file.changed, sender=context.account)
            page = Page(INBOX, message_id, message_id, (message,))
            record_page(context.archive, context.account, page, _want, source="inbox")
            context.events.emit(MessagesCounted(new=1))
    return settled, len(settled) < len(waiting)


def clear_inbox(context: RunContext) -> None:
    """Take away what has its place in the vault by now."""
    files = dropped_files(context.root)
    if not files:
        return
    known = _known(context, files)
    for file in files:
        if known.get((file.name, file.size, int(file.changed))) == "placed":
            take_away(context.root, file)


def _known(context: RunContext, files: Sequence[Dropped]) -> dict[tuple[str, int, int], str]:
    """Return the state of the archived files with the dates of ``files``, by name, size (bytes) and date."""
    dates = {int(file.changed) for file in files}
    rows = context.archive.media.dated(context.account, INBOX, dates)
    return {(row.item.name, row.item.size, row.date): row.state for row in rows}


def _open_inbox(context: RunContext) -> None:
    """The inbox has a note of its own, in its folder."""
    context.archive.notes.claim(
        str(INBOX),
        "chat",
        account=context.account,
        chat_id=INBOX,
        message_id=0,
        candidates=[f"{INBOX_FOLDER}/Inbox.md"],
    )
    open_chat(context, INBOX_CHAT)


def _want(message: Message, item: FileItem) -> MediaDecision:
    """Whoever drops a file wants it, whatever its kind and size."""
    return MediaDecision("wanted")
