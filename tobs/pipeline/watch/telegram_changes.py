"""Changes of the tracked chats in a watch: pushed by Telegram, or polled."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.errors import FloodWait, RequestRefused
from tobs.model import Chat
from tobs.model.clock import Clock
from tobs.pipeline.context.adapters import ArchivePeers
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.session.run_session import RunSession
from tobs.pipeline.sync.comment_changes import fetch_comment_changes, groups_of
from tobs.pipeline.sync.syncer import PendingChanges, Syncer, boxes_of, moved_boxes
from tobs.pipeline.sync.tracked_chats import choose_tracked
from tobs.pipeline.watch.change_queue import PendingWork
from tobs.telegram.facade import Telegram


class TelegramChanges:
    """The tracked chats of a watch. ``peers`` collects the peers of all answers; ``clock`` gives Unix seconds."""

    def __init__(self, telegram: Telegram, peers: ArchivePeers, clock: Clock) -> None:
        self.telegram = telegram
        self.peers = peers
        self._clock = clock
        self._chats: dict[int, Chat] = {}
        self._polls: dict[int, float] = {}  # times of the next polls of channels without pushes

    async def choose(self, run: RunSession, targets: Sequence[str]) -> int:
        """Track the chats that ``targets`` name (none: all of the vault). Returns their number."""
        account = self.telegram.account.id
        self._chats = await choose_tracked(run.archive, account, run.archive_thread, self.telegram, targets)
        return len(self._chats)

    def next_poll(self) -> float | None:
        """Return the time (Unix seconds) at which the next channel without pushes is polled; None for none."""
        return min(self._polls.values(), default=None)

    def take_polls(self, now: float) -> set[int]:
        """Remove and return the channels that are to be polled at ``now``. Their answers set the next times; a channel
        without an answer is polled again together with all others."""
        boxes = {box for box, at in self._polls.items() if at <= now}
        for box in boxes:
            del self._polls[box]
        return boxes

    async def update_chats(self, run: RunSession) -> None:
        """Read the tracked chats from the archive again."""
        chats = await run.archive_thread(run.archive.chats.all, self.telegram.account.id)
        known = {chat.id: chat for chat in chats}
        self._chats = {chat_id: known.get(chat_id, chat) for chat_id, chat in self._chats.items()}

    async def fetch(self, run: RunSession, context: RunContext, work: PendingWork) -> PendingChanges:
        """Record the changes of the boxes in ``work``. Raises FloodWait, NetworkError, LoginError."""
        syncer = Syncer(context, run.archive_thread, self.telegram, run.config.policy, accept_deletions=False)
        boxes = boxes_of(self._chats)
        changed = [box for box in sorted(work.boxes) if box in boxes]
        if work.everything:
            moved = await moved_boxes(run.archive, context.account, run.archive_thread, self.telegram, self._chats)
            unpolled = [chat.id for chat in self._chats.values() if chat.left and chat.id not in self._polls]
            changed = list(dict.fromkeys([*moved, *(box for box in unpolled if box in boxes), *changed]))
        for box in changed:
            try:
                await syncer.fetch_box(box, boxes[box])
            except FloodWait:
                raise
            except RequestRefused as error:
                context.events.failed(error, ", ".join(chat.title for chat in boxes[box].values()))
            self._poll_again(syncer, box)
        if work.everything:
            await syncer.recheck_edits(self._chats)
        groups = await run.archive_thread(groups_of, context, self._chats.values())
        commented = {groups[box] for box in work.boxes if box in groups}
        channels = [chat for chat in self._chats.values() if work.everything or chat.id in commented]
        await fetch_comment_changes(syncer, context, run.archive_thread, self.telegram, channels)
        syncer.pending.commented |= commented
        await self._refresh_counters(run, syncer, work)
        return syncer.pending

    def _poll_again(self, syncer: Syncer, box: int) -> None:
        """Set the next poll of a channel that the account has not joined, at the interval that Telegram gives."""
        chat = self._chats.get(box)
        if chat is not None and chat.left and (seconds := syncer.pending.poll_in.get(box)):
            self._polls[box] = self._clock() + seconds

    async def _refresh_counters(self, run: RunSession, syncer: Syncer, work: PendingWork) -> None:
        """Fetch the counters of ``work``, and those of all recent messages if the settings ask for it."""
        settings = run.config.settings
        counted = [(chat_id, message_id) for chat_id, message_id in sorted(work.counted) if chat_id in self._chats]
        if counted:
            await syncer.refresh_messages(counted, show=settings.counters)
        if settings.counters and work.everything:
            await syncer.refresh(self._chats, since=self._clock() - settings.refresh)
