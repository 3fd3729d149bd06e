"""Recording of a page: messages, chats, people, files, raw bytes and coverage in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from tobs.archive.encoding import decode_message, encode, owner_of
from tobs.archive.media import Decide, MediaState
from tobs.archive.messages import ArchivedMessage, IncomingMessage
from tobs.archive.raw import TELEGRAM
from tobs.archive.store import Archive
from tobs.model import (
    COMMON,
    Changes,
    Message,
    MessageKey,
    Page,
    Person,
    message_counters,
    message_files,
    message_state,
)


class Recorded(Struct, frozen=True):
    """Counts of a recorded page: messages new, edited and known before; new files wanted and already here."""

    new: int
    edited: int
    unchanged: int
    wanted: int = 0
    reused: int = 0


def record_page(archive: Archive, account: int, page: Page, decide: Decide, *, source: str = TELEGRAM) -> Recorded:
    """Put ``page``, as ``account`` saw it, into the archive in one transaction; ``[low, high]`` is settled with it
    (of the page's topic where it has one).

    A message that came again is compared by ``message_state``: an edit keeps the older version and makes the note
    stale, new counters are stored and the note is known to be behind them. A page with ``high < low`` settles no ids.
    What Telegram said itself is never replaced by what another ``source`` says of it, and replaces what that said.
    """
    owner = owner_of(account, page.chat_id)
    with archive.transaction():
        archive.chats.see(account, page.chats)
        archive.people.see(page.people if source == TELEGRAM else _new_people(archive, page.people))
        recorded = _record_messages(archive, owner, page, decide, source)
        archive.blooms.save_due(owner, page.chat_id)
        archive.coverage.add(account, page.chat_id, page.low, page.high, page.unreadable, topic=page.topic)
    return recorded


def record_changes(
    archive: Archive,
    account: int,
    changes: Changes,
    decide: Decide,
    *,
    tops: Mapping[int, int],
    deleted: Sequence[MessageKey] = (),
    keep_state: bool = True,
) -> dict[int, Recorded]:
    """Put one part of a difference into the archive, with the state it leads to, in one transaction.

    Only chats of ``tops`` are recorded (their highest id that did not come as a change); what has a higher id than
    that settles all ids up to its own. An edit of a message that was never fetched is left out. ``deleted`` are the
    messages to be marked deleted; without ``keep_state`` the state stays, so that the same part is asked for again.
    """
    recorded: dict[int, Recorded] = {}
    with archive.transaction():
        pages = [page for page in changes.pages if page.chat_id in tops]
        archive.people.see(changes.people if pages else _known_people(archive, changes))
        for page in pages:
            recorded[page.chat_id] = _record_changed(archive, account, page, decide, tops[page.chat_id])
        for pins in changes.pins:
            if pins.chat_id in tops:
                keys = [MessageKey.of(account, pins.chat_id, message_id) for message_id in pins.ids]
                archive.messages.set_pinned(keys, pinned=pins.pinned)
        if deleted:
            archive.messages.mark_deleted(deleted)
        if keep_state:
            archive.updates.put(account, changes.box, changes.state)
    return recorded


def deleted_keys(archive: Archive, account: int, changes: Changes, chats: Collection[int]) -> list[MessageKey]:
    """Return the live messages of ``chats`` that ``changes`` delete: outside channels, ids name no chat."""
    if changes.box == COMMON:
        keys = [key for key in archive.messages.located(account, changes.deleted) if key.chat_id in chats]
    else:
        keys = [MessageKey.of(account, changes.box, message_id) for message_id in changes.deleted]
    return archive.messages.live(keys)


def _new_people(archive: Archive, people: Sequence[Person]) -> Sequence[Person]:
    """Return people of an export that are not known yet: an export has less about people than Telegram."""
    known = archive.people.many([person.id for person in people])
    return [person for person in people if person.id not in known]


def _known_people(archive: Archive, changes: Changes) -> Sequence[Person]:
    known = archive.people.many([person.id for person in changes.people])
    return [person for person in changes.people if person.id in known]


def _record_changed(archive: Archive, account: int, page: Page, decide: Decide, top: int) -> Recorded:
    """Record a chat's new and edited messages."""
    owner = owner_of(account, page.chat_id)
    unknown = _never_fetched(archive, owner, page, top)
    recorded = _record_messages(archive, owner, page, decide, TELEGRAM, without=unknown)
    archive.blooms.save_due(owner, page.chat_id)
    newest = max((*(message.id for message in page.messages), *(one for one, _ in page.unreadable)), default=0)
    if newest > top:
        above = [(message_id, reason) for message_id, reason in page.unreadable if message_id > top]
        archive.coverage.add(account, page.chat_id, top + 1, newest, above)
        archive.updates.raise_top(account, page.chat_id, newest)
    return recorded


def _never_fetched(archive: Archive, owner: int, page: Page, top: int) -> set[int]:
    """Return the ids of edited messages that an export has still to fetch."""
    ids = [message.id for message in page.messages if message.id <= top]
    known = archive.messages.known(owner, page.chat_id, ids, archive.messages.last_row())
    return {
        message_id
        for message_id in ids
        if message_id not in known and archive.coverage.gaps(owner, page.chat_id, message_id, message_id)
    }


def _record_messages(
    archive: Archive, owner: int, page: Page, decide: Decide, source: str, without: Collection[int] = ()
) -> Recorded:
    incoming = {message_id: one for message_id, one in _incoming(page).items() if message_id not in without}
    if not incoming:
        return Recorded(0, 0, 0)
    last_row = archive.messages.last_row()
    known = _known(archive, owner, page.chat_id, incoming, last_row)
    added = [one for message_id, one in incoming.items() if message_id not in known]
    again = [(known[message_id], one) for message_id, one in incoming.items() if message_id in known]
    outcomes = _MergeOutcome(again, source)

    raw_page = archive.raw.add(source, page.layer, page.raw) if page.raw and (added or outcomes.replaced) else None
    if archive.messages.insert(owner, last_row + 1, raw_page, added) < len(added):
        # The filter was wrong: some were here all the time. What is in older rows is treated as such.
        missed = archive.messages.known(owner, page.chat_id, [one.message.id for one in added], last_row)
        again += [(missed[one.message.id], one) for one in added if one.message.id in missed]
        outcomes = _MergeOutcome(again, source)
        rows = [(row, one.message) for row, one in enumerate(added, last_row + 1) if one.message.id not in missed]
    else:
        rows = [(row, one.message) for row, one in enumerate(added, last_row + 1)]

    custom = {item.custom_id for one in incoming.values() for item in one.message.reactions if item.custom_id}
    if custom:
        archive.emoji.see(sorted(custom))
    files = archive.media.add(owner, rows, decide)
    if outcomes.refreshed:
        archive.messages.refresh(outcomes.refreshed)
        archive.notes.mark_counters_outdated(
            [known.row for known, one in outcomes.refreshed if _has_other_counters(known, one)]
        )
    if outcomes.replaced:
        archive.messages.replace(raw_page, outcomes.edited)
        archive.messages.replace(raw_page, outcomes.enriched, keep_versions=False)
        changed = [(known.row, one.message) for known, one in outcomes.replaced]
        for state, count in archive.media.follow_edits(owner, changed, decide).items():
            files[state] += count
    return _recorded(len(rows), len(outcomes.edited), len(again) - len(outcomes.edited), files)


class _MergeOutcome:
    """Outcomes for messages that were here: ``edited``, ``enriched`` (the same message with more content: no new
    version), ``refreshed`` (only counters and references differ), or none."""

    def __init__(self, again: Sequence[tuple[ArchivedMessage, IncomingMessage]], source: str) -> None:
        self.edited: list[tuple[ArchivedMessage, IncomingMessage]] = []
        self.enriched: list[tuple[ArchivedMessage, IncomingMessage]] = []
        self.refreshed: list[tuple[ArchivedMessage, IncomingMessage]] = []
        for known, incoming in again:
            if (outcomes := self._of(known, incoming, source)) is not None:
                outcomes.append((known, incoming))

    @property
    def replaced(self) -> list[tuple[ArchivedMessage, IncomingMessage]]:
        """Messages that replace an archived version."""
        return self.edited + self.enriched

    def _of(
        self, known: ArchivedMessage, incoming: IncomingMessage, source: str
    ) -> list[tuple[ArchivedMessage, IncomingMessage]] | None:
        was_told = known.source in ("", TELEGRAM)
        if source != TELEGRAM and was_told:
            return None
        is_other = known.state != incoming.state or known.deleted_at is not None
        if source == TELEGRAM and was_told:
            return self.edited if is_other else self.refreshed if known.model != incoming.model else None
        if incoming.message.edited != known.edited:
            # Of two exports the one with the later edit is right; Telegram always is.
            is_later = source == TELEGRAM or incoming.message.edited > known.edited
            return self.edited if is_later else None
        if source == TELEGRAM:
            return self.enriched
        has_more = _files_here(incoming.message) > _files_here(decode_message(known.model))
        return self.enriched if has_more else None


def _has_other_counters(known: ArchivedMessage, incoming: IncomingMessage) -> bool:
    return message_counters(decode_message(known.model)) != message_counters(incoming.message)


def _files_here(message: Message) -> int:
    """Count the files of a message that its export contains."""
    return sum(bool(item.path) for item in message_files(message))


def _incoming(page: Page) -> dict[int, IncomingMessage]:
    """Return the messages of a page by id; of two with one id, the later."""
    incoming = {}
    for index, message in enumerate(page.messages):
        if message.chat_id != page.chat_id:
            raise ValueError(f"message {message.id} of chat {message.chat_id} in a page of chat {page.chat_id}")
        incoming[message.id] = IncomingMessage(message, message_state(message), encode(message), index)
    return incoming


def _known(
    archive: Archive, owner: int, chat_id: int, incoming: dict[int, IncomingMessage], last_row: int
) -> dict[int, ArchivedMessage]:
    """Return the archived versions of ``incoming``; only ids that the filter may have seen are queried."""
    chat = archive.chats.get(owner, chat_id)
    new = archive.blooms.surely_new(owner, chat_id, incoming, expected=(chat.count or 0) if chat else 0)
    maybe = [message_id for message_id in incoming if message_id not in new]
    return archive.messages.known(owner, chat_id, maybe, last_row) if maybe else {}


def _recorded(new: int, edited: int, unchanged: int, files: dict[MediaState, int]) -> Recorded:
    return Recorded(
        new=new,
        edited=edited,
        unchanged=unchanged,
        wanted=files.get("wanted", 0),
        reused=files.get("staged", 0) + files.get("placed", 0),
    )
