"""Bringing what happened in a box (a channel, or all private chats and groups) into the archive."""

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
from tobs.pipeline.sync.counters import fetch_again, refresh_counters, refresh_messages
from tobs.pipeline.sync.counting import count_recorded
from tobs.pipeline.sync.recheck_edits import RecheckedEdits, recheck_edits
from tobs.pipeline.sync.rescan import rescan
from tobs.sources import Gap
from tobs.telegram.facade import Telegram

_HIGHEST = (1 << 31) - 1


class PendingChanges(Struct):
    """What a sync brought. ``about`` are chats of which more changed than their messages, ``refused`` tells (in words)
    of which too much was deleted; ``gaps`` what of a chat is still to be fetched; ``commented`` channels with new
    comments; ``due`` says when a channel should be asked again, in seconds."""

    changed: set[int] = field(default_factory=set)
    about: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    gaps: dict[int, list[Gap]] = field(default_factory=dict)
    commented: set[int] = field(default_factory=set)
    due: dict[int, int] = field(default_factory=dict)

    def add(self, more: PendingChanges) -> None:
        """What ``more`` brought was brought too."""
        self.changed |= more.changed
        self.about |= more.about
        self.gaps |= more.gaps
        self.commented |= more.commented


class Syncer:
    """Brings boxes up to date, one after the other."""

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
        self._accept = accept_deletions
        self.pending = PendingChanges()
        self._mark: SyncStart | None = None

    async def fetch_box(self, box: int, chats: Mapping[int, Chat]) -> None:
        """Everything that happened in ``box`` since the last time; ``chats`` are those of the vault in it.

        Deletions wait for the end of the difference: only then is it known how many there are. Until they are in the
        archive the state stays, so that whatever stops the run, they are asked for again. Raises RequestRefused.
        """
        await self._begin_run()
        state = await self._archive_thread(self._context.archive.updates.state, self._context.account, box)
        if state is None:
            return await self._begin(box, chats)
        await self._track_new_chats(chats)
        if too_long := await self._read(box, chats, state):
            await self._rescan(too_long, chats)

    async def fetch_comment_changes(self, group: Chat) -> None:
        """What was edited and deleted among the comments of a discussion group that is not kept in step itself; new
        ones are found otherwise. Raises RequestRefused."""
        await self._begin_run()
        archive, account, chats = self._context.archive, self._context.account, {group.id: group}
        state = await self._archive_thread(archive.updates.state, account, group.id)
        if state is None:
            state = UpdateState((await self._telegram.full(group.id)).pts)
            return await self._archive_thread(archive.updates.begin, account, group.id, state)
        if too_long := await self._read(group.id, chats, state, known_only=True):
            ids = await self._archive_thread(archive.messages.live_ids, account, group.id, 1, _HIGHEST)
            gone = await fetch_again(
                self._context,
                self._archive_thread,
                self._telegram,
                group.id,
                ids,
                self._decide,
                show=False,
                mark_changed=self.mark_changed,
            )
            await self._archive_thread(self.delete, gone, chats, Changes(box=group.id, state=too_long.state))

    async def _read(
        self, box: int, chats: Mapping[int, Chat], state: UpdateState, *, known_only: bool = False
    ) -> Changes | None:
        """Take a difference in, part by part: of messages that are here where ``known_only``. What Telegram answers
        when it does not tell it any more."""
        held: list[MessageKey] = []
        while True:
            changes = await self._telegram.changes(box, state)
            if changes.timeout:
                self.pending.due[box] = changes.timeout
            if changes.too_long:
                return changes
            held += await self._archive_thread(
                self._record_part, changes, chats, is_held=bool(held), known_only=known_only
            )
            if changes.is_last or changes.state == state:
                break
            state = changes.state
        if held:
            await self._archive_thread(self.delete, held, chats, Changes(box=box, state=changes.state))
        return None

    async def refresh(self, chats: Mapping[int, Chat], *, since: float) -> None:
        """Views, reactions and polls of messages that are not older than ``since`` (Unix seconds)."""
        await self._begin_run()
        gone = await refresh_counters(
            self._context,
            self._archive_thread,
            self._telegram,
            chats,
            self._decide,
            since=since,
            mark_changed=self.mark_changed,
        )
        await self._archive_thread(self.delete, gone, chats)

    async def refresh_messages(self, messages: Iterable[tuple[int, int]], *, show: bool) -> None:
        """Views, reactions and polls of some messages (chat, id); with ``show`` in their notes too."""
        await self._begin_run()
        await refresh_messages(
            self._context,
            self._archive_thread,
            self._telegram,
            messages,
            self._decide,
            show=show,
            mark_changed=self.mark_changed,
        )

    async def recheck_edits(self, chats: Mapping[int, Chat], *, whole: bool = False) -> None:
        """Where Telegram did not tell what happened, go on looking for what was edited."""
        await self._begin_run()
        left = {chat_id: chat for chat_id, chat in chats.items() if chat_id not in self.pending.refused}
        found = await recheck_edits(
            self._context,
            self._archive_thread,
            self._telegram,
            left,
            self._decide,
            whole=whole,
            mark_changed=self.mark_changed,
        )
        await self._archive_thread(self._record_rechecked, found, chats)

    async def _begin_run(self) -> None:
        self._mark = self._mark or await self._archive_thread(self._sync_mark)

    async def _begin(self, box: int, chats: Mapping[int, Chat]) -> None:
        """A box whose changes were never asked for (an import, a selection): looked through, and kept from now on."""
        telegram = self._telegram
        state = await telegram.update_state() if box == COMMON else UpdateState((await telegram.full(box)).pts)
        await self._archive_thread(self._follow, chats)
        await self._rescan(Changes(box=box, state=state, too_long=True), chats)

    async def _track_new_chats(self, chats: Mapping[int, Chat]) -> None:
        """Chats of a box that is known which were not kept in step so far: their changes went unheard."""
        followed = await self._archive_thread(self._context.archive.updates.tracked, self._context.account)
        new = {chat_id: chat for chat_id, chat in chats.items() if chat_id not in followed}
        if new:
            gone = await self._search(new)
            await self._archive_thread(self._follow, new)  # not before: a run that is killed here searches again
            await self._archive_thread(self.delete, gone, chats)

    def _follow(self, chats: Mapping[int, Chat]) -> None:
        """Keep ``chats`` in step from now on."""
        archive, account = self._context.archive, self._context.account
        for chat_id in chats:
            newest = archive.messages.newest_id(account, chat_id)
            with archive.transaction():
                archive.updates.track(account, chat_id, newest)
                archive.updates.need_recheck(account, chat_id, newest)

    async def _rescan(self, changes: Changes, chats: Mapping[int, Chat]) -> None:
        """Telegram does not tell what happened: the chats themselves do."""
        self._context.events.recovered("what happened was too long ago to be told: the chat was looked through")
        gone = await self._search(chats)
        await self._archive_thread(self.delete, gone, chats, Changes(box=changes.box, state=changes.state))

    async def _search(self, chats: Mapping[int, Chat]) -> list[MessageKey]:
        """Record what is new in ``chats``; the messages that are gone. Edits are left to ``recheck_edits``."""
        gone: list[MessageKey] = []
        for chat_id, chat in chats.items():
            newest = await self._archive_thread(
                self._context.archive.messages.newest_id, self._context.account, chat_id
            )
            await self._archive_thread(
                self._context.archive.updates.need_recheck, self._context.account, chat_id, newest
            )
            gone += await rescan(
                self._context,
                self._archive_thread,
                self._telegram,
                chat,
                self._decide,
                mark_changed=self._mark_chat_changed,
            )
        return gone

    # In the keeper's thread

    def _sync_mark(self) -> SyncStart:
        return SyncStart(self._context.archive.messages.last_row() + 1, self._context.events.now)

    def _record_rechecked(self, found: RecheckedEdits, chats: Mapping[int, Chat]) -> None:
        context, archive = self._context, self._context.archive
        self.delete([key for keys in found.gone.values() for key in keys], chats)
        left = 0
        for chat_id, reached in found.reached.items():
            if chat_id not in self.pending.refused:
                archive.updates.rechecked(context.account, chat_id, reached)
                left += archive.messages.count_between(context.account, chat_id, 1, reached)
        if left:
            told = f"what was edited long ago is still looked for: {left:,} older messages are left to the next syncs"
            context.events.recovered(f"{told} (tobs sync --fill: all at once)")

    def mark_changed(self, chat_ids: Iterable[int]) -> None:
        """Messages of these chats changed: said in the transaction in which they do, so that a run that is stopped
        before their notes show it leaves that to the next."""
        updates, chat_ids = self._context.archive.updates, set(chat_ids)
        if self._mark is not None:
            for chat_id in chat_ids - updates.with_pending(self._context.account):
                self._context.archive.digests.begin(self._context.account, chat_id, self._mark)
        updates.add_pending(self._context.account, chat_ids)
        self.pending.changed |= chat_ids

    def _mark_about_changed(self, chat_ids: Iterable[int]) -> None:
        """What these chats are called, say about themselves or have pinned changed."""
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
        """Record one part; the messages it says were deleted, which are not marked yet."""
        context = self._context
        followed = context.archive.updates.tracked(context.account)
        # Below its top a chat takes in nothing but edits of what it has.
        tops = dict.fromkeys(chats, _HIGHEST) if known_only else {id: followed[id] for id in followed if id in chats}
        keys = deleted_keys(context.archive, context.account, changes, tops)
        renamed = {chat.id for chat in changes.chats if chat.id in chats and is_renamed(chats[chat.id], chat)}
        with context.archive.transaction():
            recorded = record_changes(
                context.archive, context.account, changes, self._decide, tops=tops, keep_state=not (keys or is_held)
            )
            self.mark_changed(chat_id for chat_id, one in recorded.items() if one.new or one.edited)
            self._mark_about_changed((changes.changed_chats & chats.keys()) | renamed)
        count_recorded(context, recorded.values())
        self._report_unreadable(changes, chats)
        return keys

    def _report_unreadable(self, changes: Changes, chats: Mapping[int, Chat]) -> None:
        for page in changes.pages:
            for message_id, reason in page.unreadable if page.chat_id in chats else ():
                self._context.events.emit(MessagesCounted(skipped=1))
                item = f"message {message_id} of {chats[page.chat_id].title}"
                self._context.events.problem("message", item, reason, retryable=False)

    def delete(self, keys: Sequence[MessageKey], chats: Mapping[int, Chat], end: Changes | None = None) -> None:
        """Mark messages deleted and keep the state that ``end`` names; of chats that lost too much nothing is marked,
        and the state stays."""
        context, archive = self._context, self._context.archive
        refused = dict[int, str]()
        for chat_id, count in by_chat(keys).items():
            live = archive.messages.count(context.account, chat_id)
            if is_mass(count, live) and not self._accept:
                refused[chat_id] = f"{count} of {live} messages of {chats[chat_id].title}"
        kept = [key for key in keys if key.chat_id not in refused]
        with archive.transaction():
            if end is None:
                archive.messages.mark_deleted(kept)
            else:
                record_changes(
                    archive, context.account, end, self._decide, tops={}, deleted=kept, keep_state=not refused
                )
            archive.comments.mark_posts(kept)
            self.mark_changed(key.chat_id for key in kept)
        context.events.emit(MessagesCounted(deleted=len(kept)))
        self.pending.refused |= refused
        if refused:
            logger.warning("deletions not taken over: {}", "; ".join(refused.values()))


def is_renamed(known: Chat, seen: Chat) -> bool:
    """Whether a chat has another title or username by now. A saved chat's title is tobs's own."""
    return (known.title, known.username) != (seen.title, seen.username)


async def moved_boxes(
    archive: Archive, account: int, archive_thread: ArchiveThread, telegram: Telegram, chats: Mapping[int, Chat]
) -> list[int]:
    """The boxes of ``chats`` to be asked about: several channels are listed together, and those whose pts is the known
    one are left alone."""
    channels = [chat_id for chat_id in chats if is_channel_id(chat_id)]
    common = [COMMON] if len(channels) < len(chats) else []
    if len(channels) < 2:
        return channels + common
    listed = {one.chat.id: one.pts for one in await telegram.peer_dialogs(channels)}
    states = await archive_thread(_states, archive, account, channels)
    return [chat_id for chat_id in channels if not listed.get(chat_id) or listed[chat_id] != states[chat_id]] + common


def _states(archive: Archive, account: int, channels: Sequence[int]) -> Mapping[int, int]:
    states = {chat_id: archive.updates.state(account, chat_id) for chat_id in channels}
    return {chat_id: state.pts if state else 0 for chat_id, state in states.items()}


def boxes_of(chats: Mapping[int, Chat]) -> Mapping[int, Mapping[int, Chat]]:
    """``chats`` by their box."""
    boxes: defaultdict[int, dict[int, Chat]] = defaultdict(dict)
    for chat_id, chat in chats.items():
        boxes[chat_id if is_channel_id(chat_id) else COMMON][chat_id] = chat
    return boxes
