"""Changes of the tracked chats in a watch: pushed, polled, or asked for at the next sync of everything."""

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
        self._polls: dict[int, float] = {}  # when a channel that pushes nothing is asked again

    async def choose(self, run: RunSession, targets: Sequence[str]) -> int:
        """Track the chats that ``targets`` name (none: all of the vault). Returns their number."""
        account = self.telegram.account.id
        self._chats = await choose_tracked(run.archive, account, run.archive_thread, self.telegram, targets)
        return len(self._chats)

    def next_poll(self) -> float | None:
        """Return the time (Unix seconds) at which the next channel without pushes is polled; None for none."""
        return min(self._polls.values(), default=None)

    def take_polls(self, now: float) -> set[int]:
        """Return the channels that are to be polled at ``now``. An answer sets the next time; a channel that does not
        answer is asked again with all others."""
        boxes = {box for box, at in self._polls.items() if at <= now}
        for box in boxes:
            del self._polls[box]
        return boxes

    async def update_chats(self, run: RunSession) -> None:
        """Read the tracked chats from the archive again."""
        chats = await run.archive_thread(run.archive.chats.all, self.telegram.account.id)
        known = {chat.id: chat for chat in chats}
        self._chats = {chat_id: known.get(chat_id, chat) for chat_id, chat in self._chats.items()}

    async def fetch(self, run: RunSession, context: RunContext, due: PendingWork) -> PendingChanges:
        """Record what happened in the boxes that are ``due``. Raises FloodWait, NetworkError, LoginError."""
        syncer = Syncer(context, run.archive_thread, self.telegram, run.config.policy, accept_deletions=False)
        boxes = boxes_of(self._chats)
        asked = [box for box in sorted(due.boxes) if box in boxes]
        if due.everything:
            moved = await moved_boxes(run.archive, context.account, run.archive_thread, self.telegram, self._chats)
            unheard = [chat.id for chat in self._chats.values() if chat.left and chat.id not in self._polls]
            asked = list(dict.fromkeys([*moved, *(box for box in unheard if box in boxes), *asked]))
        for box in asked:
            try:
                await syncer.fetch_box(box, boxes[box])
            except FloodWait:
                raise
            except RequestRefused as error:
                context.events.failed(error, ", ".join(chat.title for chat in boxes[box].values()))
            self._poll_again(syncer, box)
        if due.everything:
            await syncer.recheck_edits(self._chats)
        groups = await run.archive_thread(groups_of, context, self._chats.values())
        talked = {groups[box] for box in due.boxes if box in groups}
        channels = [chat for chat in self._chats.values() if due.everything or chat.id in talked]
        await fetch_comment_changes(syncer, context, run.archive_thread, self.telegram, channels)
        syncer.pending.commented |= talked
        await self._count(run, syncer, due)
        return syncer.pending

    def _poll_again(self, syncer: Syncer, box: int) -> None:
        """A channel the account has not joined pushes nothing: it is asked at the pace Telegram names."""
        chat = self._chats.get(box)
        if chat is not None and chat.left and (seconds := syncer.pending.due.get(box)):
            self._polls[box] = self._clock() + seconds

    async def _count(self, run: RunSession, syncer: Syncer, due: PendingWork) -> None:
        """Counters that Telegram pushed are stored, and all recent ones where the owner wants them refreshed."""
        settings = run.config.settings
        counted = [(chat_id, message_id) for chat_id, message_id in sorted(due.counted) if chat_id in self._chats]
        if counted:
            await syncer.refresh_messages(counted, show=settings.counters)
        if settings.counters and due.everything:
            await syncer.refresh(self._chats, since=self._clock() - settings.refresh)
