"""Comments of channel posts: messages of a discussion group, by the post they belong to.

Telegram copies each post into the group. A comment names the copy it answers, and the copy names the post.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tobs.archive.database import Database
from tobs.archive.encoding import id_list
from tobs.archive.meta import Meta
from tobs.archive.stale import mark_notes_of_rows
from tobs.model import MessageKey

Post = tuple[int, int]
"""(channel, post id)"""


class Comment(NamedTuple):
    """A comment, live and archived: its place, its sender and its date (Unix seconds)."""

    chat_id: int
    id: int
    sender_id: int
    date: int


class Thread(NamedTuple):
    """Progress of the comments of one post that were fetched by post: Telegram's count then, and the newest id."""

    counted: int
    walked: int


class Comments:
    """Comments of all channels. Channels and groups have ids of their own, so no account is needed."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database = database
        self._meta = meta

    # Whose comments are wanted

    def are_wanted(self, channel_id: int) -> bool:
        """Tell if the comments of a channel are archived; once requested, they stay so."""
        return self._meta.get(f"comments/{channel_id}") is not None

    def set_wanted(self, channel_id: int, *, wanted: bool) -> None:
        """Start or stop archiving the comments of a channel. The notes of its posts and of the comments that are here
        become stale, because they link to each other; notes of people then link to posts instead of their copies."""
        if wanted == self.are_wanted(channel_id):
            return
        with self._database.transaction():
            self._meta.set(f"comments/{channel_id}", "wanted" if wanted else None)
            self._database.run(
                "UPDATE notes SET revision = revision + 1 WHERE kind = 'person' OR id IN ("
                " SELECT m.note_id FROM comments c"
                " JOIN message_rows m ON m.account = 0 AND m.chat_id = c.chat_id AND m.id = c.id"
                " WHERE c.channel_id = ?1"
                " UNION SELECT m.note_id FROM threads t"
                " JOIN message_rows m ON m.account = 0 AND m.chat_id = t.channel_id AND m.id = t.post_id"
                " WHERE t.channel_id = ?1)",
                (channel_id,),
            )

    def posts(self, channel_id: int, low: int, high: int) -> dict[int, int]:
        """Return the posts of a channel in [low, high] that can have comments, with Telegram's count when they were
        seen."""
        model = "CAST(model AS TEXT)"
        return dict(
            self._database.rows(
                f"SELECT id, json_extract({model}, '$.comments') FROM message_rows WHERE account = 0 AND chat_id = ?"
                f" AND id BETWEEN ? AND ? AND deleted_at IS NULL AND {model} LIKE '%\"comments\":%'"
                f" AND json_extract({model}, '$.comments') IS NOT NULL ORDER BY id",
                (channel_id, low, high),
            )
        )

    # Threads

    def add_threads(self, chat_id: int, copies: Mapping[int, Post]) -> None:
        """Store copies of posts in the group ``chat_id``, by their ids there."""
        self._database.run_many(
            "INSERT INTO threads (channel_id, post_id, chat_id, root_id) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET chat_id = excluded.chat_id, root_id = excluded.root_id",
            [(channel_id, post_id, chat_id, root_id) for root_id, (channel_id, post_id) in copies.items()],
        )

    def any_thread(self) -> bool:
        """Tell if any copy of a post is known."""
        return self._database.value("SELECT 1 FROM threads LIMIT 1") is not None

    def posts_of(self, chat_id: int, roots: Iterable[int]) -> dict[int, Post]:
        """Return the posts whose copies are among ``roots``, by the id of the copy."""
        rows = self._database.rows(
            "SELECT root_id, channel_id, post_id FROM threads WHERE chat_id = ?"
            " AND root_id IN (SELECT value FROM json_each(?))",
            (chat_id, id_list(roots)),
        )
        return {root_id: (channel_id, post_id) for root_id, channel_id, post_id in rows}

    def channels_of(self, chat_id: int) -> list[int]:
        """Return the channels whose posts have copies in the group ``chat_id``."""
        rows = self._database.rows(
            "SELECT DISTINCT channel_id FROM threads WHERE chat_id = ? ORDER BY channel_id", (chat_id,)
        )
        return [channel_id for (channel_id,) in rows]

    def groups_of(self, channel_id: int) -> list[int]:
        """Return the groups in which copies of the channel's posts are known."""
        rows = self._database.rows(
            "SELECT DISTINCT chat_id FROM threads WHERE channel_id = ? ORDER BY chat_id", (channel_id,)
        )
        return [chat_id for (chat_id,) in rows]

    def copies(self, channel_id: int, chat_id: int) -> set[int]:
        """Return the ids of all known copies of the channel's posts in the group."""
        rows = self._database.rows(
            "SELECT root_id FROM threads WHERE channel_id = ? AND chat_id = ?", (channel_id, chat_id)
        )
        return {root_id for (root_id,) in rows}

    def threads(self, channel_id: int) -> dict[int, Thread]:
        """Return the fetch progress of each post whose comments were fetched by post."""
        rows = self._database.rows("SELECT post_id, counted, walked FROM threads WHERE channel_id = ?", (channel_id,))
        return {post_id: Thread(counted, walked) for post_id, counted, walked in rows}

    def set_fetched(self, post: Post, thread: Thread) -> None:
        """Store that the comments of a post were fetched by post."""
        self._database.run(
            "UPDATE threads SET counted = ?, walked = max(walked, ?) WHERE channel_id = ? AND post_id = ?",
            (thread.counted, thread.walked, *post),
        )

    def cursor(self, channel_id: int, chat_id: int) -> int:
        """Return the id up to which the group was scanned for comments of the channel."""
        return int(self._meta.get(f"comments/{channel_id}/{chat_id}") or 0)

    def set_cursor(self, channel_id: int, chat_id: int, message_id: int) -> None:
        """Store that the group was scanned up to ``message_id``."""
        self._meta.set(f"comments/{channel_id}/{chat_id}", str(message_id))

    # Comments

    def add(self, chat_id: int, comments: Mapping[int, Post]) -> None:
        """Store messages of the group ``chat_id`` as comments; the notes of their posts become stale."""
        if not comments:
            return
        with self._database.transaction():
            self._database.run_many(
                "INSERT OR IGNORE INTO comments VALUES (?, ?, ?, ?)",
                [(chat_id, message_id, *post) for message_id, post in comments.items()],
            )
            self._mark(comments.values())

    def mark_posts(self, keys: Iterable[MessageKey]) -> None:
        """Mark the notes of posts stale whose comments (``keys``) were deleted."""
        by_chat: dict[int, list[int]] = {}
        for key in keys:
            by_chat.setdefault(key.chat_id, []).append(key.id)
        for chat_id, ids in by_chat.items():
            if posts := self.posts_of_comments(chat_id, ids):
                self._mark(posts.values())

    def _mark(self, posts: Iterable[Post]) -> None:
        rows = [
            row
            for post in dict.fromkeys(posts)
            for (row,) in self._database.rows(
                "SELECT row FROM message_rows WHERE account = 0 AND chat_id = ? AND id = ?", post
            )
        ]
        mark_notes_of_rows(self._database, rows)

    def live(self, channel_id: int, post_id: int, low: int, high: int) -> list[MessageKey]:
        """Return the live comments under a post with ids in [low, high], ascending."""
        rows = self._database.rows(
            "SELECT m.account, m.chat_id, m.id FROM comments c"
            " JOIN message_rows m ON m.account = 0 AND m.chat_id = c.chat_id AND m.id = c.id"
            " WHERE c.channel_id = ? AND c.post_id = ? AND m.id BETWEEN ? AND ? AND m.deleted_at IS NULL ORDER BY m.id",
            (channel_id, post_id, low, high),
        )
        return [MessageKey(*row) for row in rows]

    def posts_of_comments(self, chat_id: int, ids: Sequence[int]) -> dict[int, Post]:
        """Return the posts of those ``ids`` that are comments."""
        rows = self._database.rows(
            "SELECT id, channel_id, post_id FROM comments WHERE chat_id = ? AND id IN (SELECT value FROM json_each(?))",
            (chat_id, id_list(ids)),
        )
        return {message_id: (channel_id, post_id) for message_id, channel_id, post_id in rows}

    def post_of(self, chat_id: int, message_id: int, root: int) -> Post | None:
        """Return the post under which a message of a discussion group is a comment; ``root`` is the first message of
        its thread."""
        return self.posts_of_comments(chat_id, [message_id]).get(message_id) or self.posts_of(chat_id, [root]).get(root)

    def of_post(self, channel_id: int, post_id: int, limit: int) -> list[Comment]:
        """Return the first live comments under a post, by id."""
        rows = self._database.rows(
            "SELECT m.chat_id, m.id, m.sender_id, m.date FROM comments c"
            " JOIN message_rows m ON m.account = 0 AND m.chat_id = c.chat_id AND m.id = c.id"
            " WHERE c.channel_id = ? AND c.post_id = ? AND m.deleted_at IS NULL ORDER BY c.id LIMIT ?",
            (channel_id, post_id, limit),
        )
        return [Comment(*row) for row in rows]

    def count(self, channel_id: int, post_id: int = 0) -> int:
        """Count the live comments of a post, or of a whole channel (``post_id`` 0)."""
        number: int = self._database.value(
            "SELECT count(*) FROM comments c JOIN message_rows m ON m.account = 0 AND m.chat_id = c.chat_id"
            " AND m.id = c.id WHERE c.channel_id = ?1 AND (?2 = 0 OR c.post_id = ?2) AND m.deleted_at IS NULL",
            (channel_id, post_id),
        )
        return number
