"""Recording of the changes of a box (a channel, or all private chats and groups) in the archive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from loguru import logger
from msgspec import Struct, field

from tobs.archive import Archive, SyncStart, deleted_keys, record_changes
from tobs.media import MediaPolicy
from tobs.model import COMMON, Changes, Chat, MessageKey, UpdateState, is_channel_id
from tobs.model.events import MessagesCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.fetch.mass_deletion import by_chat, is_mass
from tobs.pipeline.media.wanted import media_decision
from tobs.pipeline.sync.counters import Refetcher, report_recorded
from tobs.pipeline.sync.rescan import RecheckedEdits, recheck_edits, rescan
from tobs.sources import Gap
from tobs.telegram.facade import Telegram

_HIGHEST = (1 << 31) - 1


class PendingChanges(Struct):
    """The chats (marked ids) with changes that are recorded and not written yet. ``about``: chats whose title,
    description or pinned messages changed; ``refused``: chats of which too many messages were deleted, with a
    description; ``gaps``: missing ids to fetch; ``commented``: channels with new comments; ``poll_in``: the seconds
    after which a channel should be polled again."""

    changed: set[int] = field(default_factory=set)
    about: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    gaps: dict[int, list[Gap]] = field(default_factory=dict)
    commented: set[int] = field(default_factory=set)
    poll_in: dict[int, int] = field(default_factory=dict)

    def add(self, more: PendingChanges) -> None:
        """Add the changes of ``more``, without ``refused`` and ``poll_in``."""
        self.changed |= more.changed
        self.about |= more.about
        self.gaps |= more.gaps
        self.commented |= more.commented


class Syncer:
    """Records the changes of boxes (a channel, or all private chats and groups); ``pending`` collects their chats."""

    def __init__(
        self,
        context: RunContext,
        archive_thread: ArchiveThread,
        telegram: Telegram,
        policy: MediaPolicy,
        *,
        accept_deletions: bool,
    ) -> None:
        self._context = context
        self._archive_thread = archive_thread
        self._telegram = telegram
        self._decide = media_decision(context, policy)
        self._refetcher = Refetcher(context, archive_thread, telegram, self._decide, self.mark_changed)
        self._accept = accept_deletions
        self.pending = PendingChanges()
        self._sync_start: SyncStart | None = None

    async def fetch_box(self, box: int, chats: Mapping[int, Chat]) -> None:
        """Record all changes of ``box`` since the last time; ``chats`` are the chats of the vault in it.

        Deletions wait for the end of the difference, because only then their number is known. The stored state stays
        until they are in the archive, so that the next run fetches them again if this one stops. Raises RequestRefused.
        """
        await self._begin_run()
        state = await self._archive_thread(self._context.archive.updates.state, self._context.account, box)
        if state is None:
            return await self._begin(box, chats)
        await self._track_new_chats(chats)
        if too_long := await self._read(box, chats, state):
            await self._rescan(too_long, chats)

    async def fetch_comment_changes(self, group: Chat) -> None:
        """Record edits and deletions of comments in a discussion group that is not tracked itself; new comments are
        found in another way. Raises RequestRefused."""
        await self._begin_run()
        archive, account, chats = self._context.archive, self._context.account, {group.id: group}
        state = await self._archive_thread(archive.updates.state, account, group.id)
        if state is None:
            state = UpdateState((await self._telegram.full(group.id)).pts)
            return await self._archive_thread(archive.updates.begin, account, group.id, state)
        if too_long := await self._read(group.id, chats, state, known_only=True):
            ids = await self._archive_thread(archive.messages.live_ids, account, group.id, 1, _HIGHEST)
            missing = await self._refetcher.refetch(group.id, ids)
            await self._archive_thread(self.delete, missing, chats, Changes(box=group.id, state=too_long.state))

    async def _read(
        self, box: int, chats: Mapping[int, Chat], state: UpdateState, *, known_only: bool = False
    ) -> Changes | None:
        """Record a difference part by part, with ``known_only`` only changes of archived messages. Return Telegram's
        answer if the difference is too long, else None."""
        deleted: list[MessageKey] = []
        while True:
            changes = await self._telegram.changes(box, state)
            if changes.timeout:
                self.pending.poll_in[box] = changes.timeout
            if changes.too_long:
                return changes
            deleted += await self._archive_thread(
                self._record_part, changes, chats, is_held=bool(deleted), known_only=known_only
            )
            if changes.is_last or changes.state == state:
                break
            state = changes.state
        if deleted:
            await self._archive_thread(self.delete, deleted, chats, Changes(box=box, state=changes.state))
        return None

    async def refresh(self, chats: Mapping[int, Chat], *, since: float) -> None:
        """Refresh views, reactions and polls of messages that are not older than ``since`` (Unix seconds)."""
        await self._begin_run()
        missing = await self._refetcher.refetch_since(chats, since)
        await self._archive_thread(self.delete, missing, chats)

    async def refresh_messages(self, messages: Iterable[tuple[int, int]], *, show: bool) -> None:
        """Refresh views, reactions and polls of some messages (chat, id); with ``show`` in their notes too."""
        await self._begin_run()
        await self._refetcher.refetch_messages(messages, show=show)

    async def recheck_edits(self, chats: Mapping[int, Chat], *, whole: bool = False) -> None:
        """Continue to find edits in ``chats`` whose changes Telegram did not send; with ``whole`` to the end."""
        await self._begin_run()
        left = {chat_id: chat for chat_id, chat in chats.items() if chat_id not in self.pending.refused}
        checked = await recheck_edits(self._refetcher, left, whole=whole)
        await self._archive_thread(self._record_rechecked, checked, chats)

    async def _begin_run(self) -> None:
        self._sync_start = self._sync_start or await self._archive_thread(self._new_sync_start)

    async def _begin(self, box: int, chats: Mapping[int, Chat]) -> None:
        """Rescan a box without a stored state (after an import, or an export of a selection) and track its chats."""
        telegram = self._telegram
        state = await telegram.update_state() if box == COMMON else UpdateState((await telegram.full(box)).pts)
        await self._archive_thread(self._track, chats)
        await self._rescan(Changes(box=box, state=state, too_long=True), chats)

    async def _track_new_chats(self, chats: Mapping[int, Chat]) -> None:
        """Rescan and track those of ``chats`` that were not tracked so far: their changes were not recorded."""
        tracked = await self._archive_thread(self._context.archive.updates.tracked, self._context.account)
        new = {chat_id: chat for chat_id, chat in chats.items() if chat_id not in tracked}
        if new:
            deleted = await self._search(new)
            await self._archive_thread(self._track, new)  # not before: a run that is killed here searches again
            await self._archive_thread(self.delete, deleted, chats)

    def _track(self, chats: Mapping[int, Chat]) -> None:
        """Track ``chats`` from now on."""
        archive, account = self._context.archive, self._context.account
        for chat_id in chats:
            newest = archive.messages.newest_id(account, chat_id)
            with archive.transaction():
                archive.updates.track(account, chat_id, newest)
                archive.updates.need_recheck(account, chat_id, newest)

    async def _rescan(self, changes: Changes, chats: Mapping[int, Chat]) -> None:
        """Rescan ``chats``, whose changes Telegram does not send any more, and store the state of ``changes``."""
        self._context.events.recovered("the changes were too old to be sent by Telegram: the chat was scanned")
        deleted = await self._search(chats)
        await self._archive_thread(self.delete, deleted, chats, Changes(box=changes.box, state=changes.state))

    async def _search(self, chats: Mapping[int, Chat]) -> list[MessageKey]:
        """Record the new messages of ``chats`` and return the deleted ones. ``recheck_edits`` finds edits later."""
        deleted: list[MessageKey] = []
        context, archive_thread = self._context, self._archive_thread
        for chat_id, chat in chats.items():
            newest = await archive_thread(context.archive.messages.newest_id, context.account, chat_id)
            await archive_thread(context.archive.updates.need_recheck, context.account, chat_id, newest)
            deleted += await rescan(
                context,
                archive_thread,
                self._telegram,
                chat,
                self._decide,
                mark_changed=self._mark_chat_changed,
            )
        return deleted

    # In the archive's thread

    def _new_sync_start(self) -> SyncStart:
        return SyncStart(self._context.archive.messages.last_row() + 1, self._context.events.now)

    def _record_rechecked(self, checked: RecheckedEdits, chats: Mapping[int, Chat]) -> None:
        context, archive = self._context, self._context.archive
        self.delete([key for keys in checked.missing.values() for key in keys], chats)
        left = 0
        for chat_id, next_id in checked.next_id.items():
            if chat_id not in self.pending.refused:
                archive.updates.rechecked(context.account, chat_id, next_id)
                left += archive.messages.count_between(context.account, chat_id, 1, next_id)
        if left:
            text = f"the next syncs check {left:,} older messages for edits (tobs sync --fill: all at once)"
            context.events.recovered(text)

    def mark_changed(self, chat_ids: Iterable[int]) -> None:
        """Mark chats whose messages changed, in the transaction of the change: if the run stops before it writes their
        notes, the next run does."""
        updates, chat_ids = self._context.archive.updates, set(chat_ids)
        if self._sync_start is not None:
            for chat_id in chat_ids - updates.with_pending(self._context.account):
                self._context.archive.digests.begin(self._context.account, chat_id, self._sync_start)
        updates.add_pending(self._context.account, chat_ids)
        self.pending.changed |= chat_ids

    def _mark_about_changed(self, chat_ids: Iterable[int]) -> None:
        """Mark chats whose title, description or pinned messages changed."""
        chat_ids = set(chat_ids)
        self._context.archive.updates.add_pending(self._context.account, chat_ids, about=True)
        self.pending.about |= chat_ids

    def _mark_chat_changed(self, chat_ids: Iterable[int]) -> None:
        chat_ids = set(chat_ids)
        self.mark_changed(chat_ids)
        self._mark_about_changed(chat_ids)

    def _record_part(
        self, changes: Changes, chats: Mapping[int, Chat], *, is_held: bool, known_only: bool
    ) -> Sequence[MessageKey]:
        """Record one part of a difference; return the deleted messages in it (not marked yet). With ``is_held`` the
        stored state stays."""
        context = self._context
        tracked = context.archive.updates.tracked(context.account)
        # Up to its top, only edits of archived messages are recorded.
        tops = dict.fromkeys(chats, _HIGHEST) if known_only else {id: tracked[id] for id in tracked if id in chats}
        keys = deleted_keys(context.archive, context.account, changes, tops)
        renamed = {chat.id for chat in changes.chats if chat.id in chats and is_renamed(chats[chat.id], chat)}
        with context.archive.transaction():
            recorded = record_changes(
                context.archive, context.account, changes, self._decide, tops=tops, keep_state=not (keys or is_held)
            )
            self.mark_changed(chat_id for chat_id, page in recorded.items() if page.new or page.edited)
            self._mark_about_changed((changes.changed_chats & chats.keys()) | renamed)
        report_recorded(context, recorded.values())
        self._report_unreadable(changes, chats)
        return keys

    def _report_unreadable(self, changes: Changes, chats: Mapping[int, Chat]) -> None:
        for page in changes.pages:
            for message_id, reason in page.unreadable if page.chat_id in chats else ():
                self._context.events.emit(MessagesCounted(skipped=1))
                item = f"message {message_id} of {chats[page.chat_id].title}"
                self._context.events.problem("message", item, reason, retryable=False)

    def delete(self, keys: Sequence[MessageKey], chats: Mapping[int, Chat], end: Changes | None = None) -> None:
        """Mark messages as deleted and store the state of ``end``. If too much of a chat was deleted, its messages are
        not marked, and the stored state stays."""
        context, archive = self._context, self._context.archive
        refused = dict[int, str]()
        for chat_id, count in by_chat(keys).items():
            live = archive.messages.count(context.account, chat_id)
            if is_mass(count, live) and not self._accept:
                refused[chat_id] = f"{count} of {live} messages of {chats[chat_id].title}"
        accepted = [key for key in keys if key.chat_id not in refused]
        with archive.transaction():
            if end is None:
                archive.messages.mark_deleted(accepted)
            else:
                record_changes(
                    archive, context.account, end, self._decide, tops={}, deleted=accepted, keep_state=not refused
                )
            archive.comments.mark_posts(accepted)
            self.mark_changed(key.chat_id for key in accepted)
        context.events.emit(MessagesCounted(deleted=len(accepted)))
        self.pending.refused |= refused
        if refused:
            logger.warning("deletions not accepted: {}", "; ".join(refused.values()))


def is_renamed(known: Chat, seen: Chat) -> bool:
    """Return whether the title or username of a chat changed."""
    return (known.title, known.username) != (seen.title, seen.username)


async def moved_boxes(
    archive: Archive, account: int, archive_thread: ArchiveThread, telegram: Telegram, chats: Mapping[int, Chat]
) -> list[int]:
    """Return the boxes of ``chats`` that may have changes. Of several channels, those with an unchanged pts are left
    out: a hundred are compared with one request."""
    channels = [chat_id for chat_id in chats if is_channel_id(chat_id)]
    common = [COMMON] if len(channels) < len(chats) else []
    if len(channels) < 2:
        return channels + common
    listed = {dialog.chat.id: dialog.pts for dialog in await telegram.peer_dialogs(channels)}
    states = await archive_thread(_states, archive, account, channels)
    return [chat_id for chat_id in channels if not listed.get(chat_id) or listed[chat_id] != states[chat_id]] + common


def _states(archive: Archive, account: int, channels: Sequence[int]) -> Mapping[int, int]:
    states = {chat_id: archive.updates.state(account, chat_id) for chat_id in channels}
    return {chat_id: state.pts if state else 0 for chat_id, state in states.items()}


def boxes_of(chats: Mapping[int, Chat]) -> Mapping[int, Mapping[int, Chat]]:
    """Group ``chats`` by their box."""
    boxes: defaultdict[int, dict[int, Chat]] = defaultdict(dict)
    for chat_id, chat in chats.items():
        boxes[chat_id if is_channel_id(chat_id) else COMMON][chat_id] = chat
    return boxes
