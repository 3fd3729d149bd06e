"""Look up the links of a note while it is rendered: the paths of other messages, people, chats, topics and files.

Each request is recorded, so that a note is rendered again when a missing target gets its note. So no vault depends on
the order in which messages arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tobs.archive import FileRow, MediaRow, MessageLocation, NoteLink, StoredMessage
from tobs.model import Chat, Message, MessageKey, is_channel_id, story_peer
from tobs.pipeline.context.run_context import RenderContext
from tobs.render.period import block_anchor
from tobs.render.views import Attachment, CommentList, Links, Revisions

#: The reason in a note for a file that its owner deleted from the vault.
_LOST = "it was deleted from the vault"

#: Comments that the note of a post links to; the others are in their folder.
_MOST_COMMENTS = 200


class _Batch(Struct, frozen=True):
    """The media, attached files, plugin fields and revisions of the messages of one batch, by (chat id, message id);
    ``files`` by SHA-256."""

    media: Mapping[tuple[int, int], tuple[MediaRow, ...]]
    files: Mapping[str, FileRow]
    plugin_fields: Mapping[tuple[int, int], Sequence[Mapping[str, Any]]]
    revisions: Mapping[tuple[int, int], Revisions]


def _batch(render_context: RenderContext, stored: Sequence[StoredMessage]) -> _Batch:
    """Read from the archive, a few queries for all of ``stored``."""
    keys = [(item.message.chat_id, item.message.id) for item in stored]
    hashes = [row.sha256 for item in stored for row in item.media if row.sha256]
    return _Batch(
        media={key: item.media for key, item in zip(keys, stored, strict=True) if item.media},
        files=render_context.archive.files.many(hashes) if hashes else {},
        plugin_fields={key: item.found for key, item in zip(keys, stored, strict=True) if item.found},
        revisions=_revisions(render_context, stored),
    )


class Lookups:
    """The look-ups for one batch of notes; call ``begin`` before each note and ``requested`` after it."""

    def __init__(self, render_context: RenderContext, stored: Iterable[StoredMessage]) -> None:
        stored = list(stored)
        self._render_context = render_context
        self._batch = _batch(render_context, stored)
        self._locations = _reply_locations(render_context, stored)
        self._people: dict[int, tuple[str, str] | None] = {}
        self._chats: dict[int, tuple[str, str] | None] = {}
        self._topics: dict[tuple[int, int], tuple[str, str] | None] = {}
        self._tag_titles: dict[str, str] | None = None
        self._has_comments: dict[int, bool] = {}
        self._has_threads = render_context.archive.comments.any_thread()
        self._usernames: dict[str, int | None] = {}
        self._links: dict[tuple[int, int], bool] = {}
        self._mentions: dict[str, bool] = {}
        self.links = Links(
            message=self._message,
            person=self._person,
            chat=self._chat,
            topic=self._topic,
            post=self._post,
            comments=self._comments,
            tag_title=self._tag_title,
            attachment=self._attachment,
            peer_by_username=self._peer_by_username,
            discussion_group=self._discussion_group,
            emoji=render_context.archive.emoji.name,
            plugin_fields=self._plugin_fields,
            revisions=self._revisions_of,
        )

    def begin(self) -> None:
        """Forget the requests of the note before."""
        self._links = {}
        self._mentions = {}

    def requested(self) -> tuple[tuple[NoteLink, ...], tuple[str, ...]]:
        """Return the requests of the note: messages, each with whether it has a note; and the ids of people, chats
        and usernames without one."""
        links = tuple(
            [
                NoteLink(self._render_context.account, chat_id, message_id, resolved)
                for (chat_id, message_id), resolved in self._links.items()
            ]
        )
        return links, tuple([target for target, is_found in self._mentions.items() if not is_found])

    def _message(self, chat_id: int, message_id: int) -> str | None:
        post = self._copied_post(chat_id, message_id)
        if post is not None and (path := self._message(*post)):
            return path
        if (chat_id, message_id) not in self._locations:
            notes, account = self._render_context.archive.notes, self._render_context.account
            self._locations[chat_id, message_id] = notes.location(account, chat_id, message_id)
        location = self._locations[chat_id, message_id]
        self._links[chat_id, message_id] = location is not None
        if location is None:
            return None
        return address(location)

    def _copied_post(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        """Return the post of a channel if the message is its copy in the discussion group: a reply to the copy links
        to the post."""
        if not self._has_threads or not is_channel_id(chat_id):
            return None
        return self._if_comments_wanted(
            self._render_context.archive.comments.posts_of(chat_id, [message_id]).get(message_id)
        )

    def _post(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        if not self._has_threads:
            return None
        return self._if_comments_wanted(
            self._render_context.archive.comments.posts_of_comments(chat_id, [message_id]).get(message_id)
        )

    def _tag_title(self, emoji: str) -> str:
        if self._tag_titles is None:
            self._tag_titles = self._render_context.archive.saved.titles(self._render_context.account)
        return self._tag_titles.get(emoji, "")

    def _if_comments_wanted(self, post: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return ``post`` if the comments of its channel are filed under their posts, else None."""
        if post is None:
            return None
        if post[0] not in self._has_comments:
            self._has_comments[post[0]] = self._render_context.archive.comments.are_wanted(post[0])
        return post if self._has_comments[post[0]] else None

    def _comments(self, chat_id: int, message_id: int) -> CommentList:
        comments = self._render_context.archive.comments
        if self._if_comments_wanted((chat_id, message_id)) is None:
            return CommentList()
        newest = comments.of_post(chat_id, message_id, _MOST_COMMENTS)
        count = comments.count(chat_id, message_id) if len(newest) == _MOST_COMMENTS else len(newest)
        return CommentList(
            tuple((comment.chat_id, comment.id, comment.sender_id, comment.date) for comment in newest), count
        )

    def _person(self, person_id: int) -> tuple[str, str] | None:
        if person_id not in self._people:
            self._people[person_id] = self._find_person(person_id)
        person = self._people[person_id]
        self._mentions[f"person/{person_id}"] = bool(person and person[0])
        if person_id < 0 and person_id in self._chats:  # its note may come later
            self._chat(person_id)
        return person

    def _find_person(self, person_id: int) -> tuple[str, str] | None:
        """Return path and name of a sender's note: the owner's own note, else that of tobs, or the chat's note for a
        channel or group of the vault."""
        person = self._render_context.archive.people.get(person_id)
        chat = self._chat(person_id)
        if person is None:
            return chat
        own = self._render_context.archive.people.own_note(person_id, person.username)
        if own:
            return own.removesuffix(".md"), person.name
        notes = [self._note(f"person/{person_id}"), chat[0] if chat else ""]
        return next(filter(None, notes if person_id > 0 else reversed(notes)), ""), person.name

    def _chat(self, chat_id: int) -> tuple[str, str] | None:
        if chat_id not in self._chats:
            chat = self._render_context.archive.chats.get(self._render_context.account, chat_id)
            self._chats[chat_id] = (self._chat_note(chat), chat.title) if chat else None
        chat_link = self._chats[chat_id]
        self._mentions[str(chat_id)] = bool(chat_link and chat_link[0])
        return chat_link

    def _topic(self, chat_id: int, topic_id: int) -> tuple[str, str] | None:
        tobs_id = f"{chat_id}/topic/{topic_id}"
        if (chat_id, topic_id) not in self._topics:
            known = self._render_context.archive.topics.get(self._render_context.account, chat_id, topic_id)
            self._topics[chat_id, topic_id] = (self._note(tobs_id), known.topic.title) if known else None
        topic = self._topics[chat_id, topic_id]
        self._mentions[tobs_id] = bool(topic and topic[0])
        return topic

    def _chat_note(self, chat: Chat) -> str:
        """Return the path of the chat's note; for a group that became a supergroup, that of the supergroup if there
        is one."""
        chat_id = story_peer(chat.id) or chat.id
        return (self._note(str(chat.migrated_to)) if chat.migrated_to else "") or self._note(str(chat_id))

    def _discussion_group(self, chat_id: int) -> int:
        chat = self._render_context.archive.chats.get(self._render_context.account, chat_id)
        return chat.linked_chat if chat is not None else 0

    def _peer_by_username(self, username: str) -> int | None:
        if username not in self._usernames:
            chat = self._render_context.archive.chats.named(self._render_context.account, username)
            self._usernames[username] = chat.id if chat else self._render_context.archive.people.named(username)
        peer_id = self._usernames[username]
        self._mentions[f"@{username}"] = peer_id is not None
        return peer_id

    def _plugin_fields(self, message: Message) -> Sequence[Mapping[str, Any]]:
        """Return the fields of plugins for a message, with the paths of the notes that they made."""
        fields = self._batch.plugin_fields.get((message.chat_id, message.id), ())
        return [{**values, "notes": self._pages(values["notes"])} if "notes" in values else values for values in fields]

    def _revisions_of(self, message: Message) -> Revisions:
        return self._batch.revisions.get((message.chat_id, message.id), _NO_REVISIONS)

    def _pages(self, tobs_ids: Sequence[str]) -> list[str]:
        return [path for tobs_id in tobs_ids if (path := self._note(tobs_id))]

    def _note(self, tobs_id: str) -> str:
        note = self._render_context.archive.notes.by_tobs_id(tobs_id)
        return note.path.removesuffix(".md") if note and note.state != "deleted" else ""

    def _attachment(self, message: Message, ordinal: int) -> Attachment:
        rows = self._batch.media.get((message.chat_id, message.id), ())
        row = next((media for media in rows if media.ordinal == ordinal), None)
        if row is None:
            return Attachment("unavailable", reason="it is not in the archive")
        file = self._batch.files.get(row.sha256) if row.sha256 else None
        if file is not None and file.is_lost:
            return Attachment("skipped", reason=_LOST, name=row.item.name)
        if row.state != "placed" or file is None:
            return Attachment(row.state, reason=row.reason, name=row.item.name)
        note = self._note(f"audio/{file.sha256}") if row.item.kind in ("audio", "voice") else ""
        return Attachment("placed", path=file.path, name=row.item.name, note=note or None, fields=file.fields)


def _reply_locations(
    render_context: RenderContext, stored: Sequence[StoredMessage]
) -> dict[tuple[int, int], MessageLocation | None]:
    """Return the locations of the messages that ``stored`` messages reply to, with one query: most notes need no
    other."""
    messages = [
        message.message for message in stored if message.message.reply is not None and message.message.reply.message_id
    ]
    targets = {
        (message.reply.chat_id or message.chat_id, message.reply.message_id)
        for message in messages
        if message.reply is not None
    }
    keys = {target: MessageKey.of(render_context.account, *target) for target in targets}
    locations = render_context.archive.notes.locations(keys.values()) if keys else {}
    return {target: locations.get(key) for target, key in keys.items()}


def address(location: MessageLocation) -> str:
    """Return the target of a link to a message: the note's path without `.md`, and the block in a note of many
    messages."""
    path = location.path.removesuffix(".md")
    return f"{path}#^{block_anchor(location.block, is_foreign=location.is_foreign)}" if location.block else path


_NO_REVISIONS = Revisions()


def _revisions(render_context: RenderContext, stored: Sequence[StoredMessage]) -> dict[tuple[int, int], Revisions]:
    """Return the earlier versions and deletions of messages, without messages that have neither."""
    versions: Mapping[MessageKey, tuple[Message, ...]] = {}
    if render_context.options.versions:
        keys = [MessageKey.of(render_context.account, item.message.chat_id, item.message.id) for item in stored]
        versions = render_context.archive.messages.versions_of(keys)
    deleted = {(item.message.chat_id, item.message.id) for item in stored if item.deleted_at is not None}
    replaced = {(key.chat_id, key.id): messages for key, messages in versions.items()}
    return {key: Revisions(key in deleted, replaced.get(key, ())) for key in deleted | set(replaced)}
