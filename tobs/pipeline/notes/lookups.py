"""What a note asks while it is rendered: where another message, person, chat, topic or file is in the vault.

Each answer is noted, so that a note that asked for something not there yet is rendered again when it is (its
links *heal*), and no vault depends on the order in which things arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tobs.archive import FileRow, MediaRow, MessageLocation, NoteLink, StoredMessage
from tobs.model import Chat, Message, MessageKey, is_channel_id, story_peer
from tobs.pipeline.context.run_context import RenderContext
from tobs.render.period import block_anchor
from tobs.render.views import Attachment, CommentList, Links, Revisions

#: What a note says of a file that its owner deleted from the vault.
_LOST = "it was deleted from the vault"

#: Comments that the note of a post leads to; the others are found in their folder.
_MOST_COMMENTS = 200


class Lookups:
    """The look-ups of one batch of notes; ``begin`` before each note, ``met`` after it."""

    def __init__(self, render_context: RenderContext, stored: Iterable[StoredMessage]) -> None:
        stored = list(stored)
        self._render_context = render_context
        self._media: dict[tuple[int, int], tuple[MediaRow, ...]] = {}
        hashes = []
        self._said: dict[tuple[int, int], Sequence[Mapping[str, Any]]] = {}
        for one in stored:
            if one.found:
                self._said[one.message.chat_id, one.message.id] = one.found
            if one.media:
                self._media[one.message.chat_id, one.message.id] = one.media
                hashes += [row.sha256 for row in one.media if row.sha256]
        self._revisions = _revisions(render_context, stored)
        self._files: Mapping[str, FileRow] = render_context.archive.files.many(hashes) if hashes else {}
        self._shown = _answered(render_context, stored)
        self._people: dict[int, tuple[str, str] | None] = {}
        self._chats: dict[int, tuple[str, str] | None] = {}
        self._topics: dict[tuple[int, int], tuple[str, str] | None] = {}
        self._titles: dict[str, str] | None = None
        self._kept: dict[int, bool] = {}
        self._has_threads = render_context.archive.comments.any_thread()
        self._names: dict[str, int | None] = {}
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
        """A new note starts to ask."""
        self._links = {}
        self._mentions = {}

    def met(self) -> tuple[tuple[NoteLink, ...], tuple[str, ...]]:
        """What the note asked for: messages, each with whether it has a note; and the people, chats and usernames
        that were not there."""
        links = tuple(
            [
                NoteLink(self._render_context.account, chat_id, message_id, resolved)
                for (chat_id, message_id), resolved in self._links.items()
            ]
        )
        return links, tuple([target for target, there in self._mentions.items() if not there])

    def _message(self, chat_id: int, message_id: int) -> str | None:
        post = self._copied_post(chat_id, message_id)
        if post is not None and (path := self._message(*post)):
            return path
        if (chat_id, message_id) not in self._shown:
            notes, account = self._render_context.archive.notes, self._render_context.account
            self._shown[chat_id, message_id] = notes.location(account, chat_id, message_id)
        shown = self._shown[chat_id, message_id]
        self._links[chat_id, message_id] = shown is not None
        if shown is None:
            return None
        return address(shown)

    def _copied_post(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        """The post of a channel that a message of its discussion group is the copy of: who answers that means it."""
        if not self._has_threads or not is_channel_id(chat_id):
            return None
        return self._if_kept(self._render_context.archive.comments.posts_of(chat_id, [message_id]).get(message_id))

    def _post(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        if not self._has_threads:
            return None
        return self._if_kept(
            self._render_context.archive.comments.posts_of_comments(chat_id, [message_id]).get(message_id)
        )

    def _tag_title(self, emoji: str) -> str:
        if self._titles is None:
            self._titles = self._render_context.archive.saved.titles(self._render_context.account)
        return self._titles.get(emoji, "")

    def _if_kept(self, post: tuple[int, int] | None) -> tuple[int, int] | None:
        """``post`` if the comments of its channel are filed under their posts."""
        if post is None:
            return None
        if post[0] not in self._kept:
            self._kept[post[0]] = self._render_context.archive.comments.are_wanted(post[0])
        return post if self._kept[post[0]] else None

    def _comments(self, chat_id: int, message_id: int) -> CommentList:
        comments = self._render_context.archive.comments
        if self._if_kept((chat_id, message_id)) is None:
            return CommentList()
        found = comments.of_post(chat_id, message_id, _MOST_COMMENTS)
        count = comments.count(chat_id, message_id) if len(found) == _MOST_COMMENTS else len(found)
        return CommentList(tuple((one.chat_id, one.id, one.sender_id, one.date) for one in found), count)

    def _person(self, person_id: int) -> tuple[str, str] | None:
        if person_id not in self._people:
            self._people[person_id] = self._find_person(person_id)
        found = self._people[person_id]
        self._mentions[f"person/{person_id}"] = bool(found and found[0])
        if person_id < 0 and person_id in self._chats:  # its note may come later
            self._chat(person_id)
        return found

    def _find_person(self, person_id: int) -> tuple[str, str] | None:
        """The owner's own note about a sender, else tobs's; for a channel or group in the vault itself the chat's,
        whatever came first."""
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
        found = self._chats[chat_id]
        self._mentions[str(chat_id)] = bool(found and found[0])
        return found

    def _topic(self, chat_id: int, topic_id: int) -> tuple[str, str] | None:
        tobs_id = f"{chat_id}/topic/{topic_id}"
        if (chat_id, topic_id) not in self._topics:
            known = self._render_context.archive.topics.get(self._render_context.account, chat_id, topic_id)
            self._topics[chat_id, topic_id] = (self._note(tobs_id), known.topic.title) if known else None
        found = self._topics[chat_id, topic_id]
        self._mentions[tobs_id] = bool(found and found[0])
        return found

    def _chat_note(self, chat: Chat) -> str:
        """The chat's note; for a basic group that became a supergroup, the note of that where there is one."""
        whose = story_peer(chat.id) or chat.id
        return (self._note(str(chat.migrated_to)) if chat.migrated_to else "") or self._note(str(whose))

    def _discussion_group(self, chat_id: int) -> int:
        chat = self._render_context.archive.chats.get(self._render_context.account, chat_id)
        return chat.linked_chat if chat is not None else 0

    def _peer_by_username(self, username: str) -> int | None:
        if username not in self._names:
            chat = self._render_context.archive.chats.named(self._render_context.account, username)
            self._names[username] = chat.id if chat else self._render_context.archive.people.named(username)
        found = self._names[username]
        self._mentions[f"@{username}"] = found is not None
        return found

    def _plugin_fields(self, message: Message) -> Sequence[Mapping[str, Any]]:
        """What plugins said about a message, with the paths of the notes they made."""
        said = self._said.get((message.chat_id, message.id), ())
        return [{**one, "notes": self._pages(one["notes"])} if "notes" in one else one for one in said]

    def _revisions_of(self, message: Message) -> Revisions:
        return self._revisions.get((message.chat_id, message.id), _NO_REVISIONS)

    def _pages(self, tobs_ids: Sequence[str]) -> list[str]:
        return [path for tobs_id in tobs_ids if (path := self._note(tobs_id))]

    def _note(self, tobs_id: str) -> str:
        note = self._render_context.archive.notes.by_tobs_id(tobs_id)
        return note.path.removesuffix(".md") if note and note.state != "deleted" else ""

    def _attachment(self, message: Message, ordinal: int) -> Attachment:
        rows = self._media.get((message.chat_id, message.id), ())
        row = next((one for one in rows if one.ordinal == ordinal), None)
        if row is None:
            return Attachment("unavailable", reason="it is not in the archive")
        file = self._files.get(row.sha256) if row.sha256 else None
        if file is not None and file.is_lost:
            return Attachment("skipped", reason=_LOST, name=row.item.name)
        if row.state != "placed" or file is None:
            return Attachment(row.state, reason=row.reason, name=row.item.name)
        note = self._note(f"audio/{file.sha256}") if row.item.kind in ("audio", "voice") else ""
        return Attachment("placed", path=file.path, name=row.item.name, note=note or None, fields=file.fields)


def _answered(
    render_context: RenderContext, stored: Sequence[StoredMessage]
) -> dict[tuple[int, int], MessageLocation | None]:
    """Where the messages are shown that ``stored`` ones answer: asked for all at once, for most notes ask nothing
    else."""
    messages = [one.message for one in stored if one.message.reply is not None and one.message.reply.message_id]
    targets = {(one.reply.chat_id or one.chat_id, one.reply.message_id) for one in messages if one.reply is not None}
    keys = {target: MessageKey.of(render_context.account, *target) for target in targets}
    shown = render_context.archive.notes.locations(keys.values()) if keys else {}
    return {target: shown.get(key) for target, key in keys.items()}


def address(shown: MessageLocation) -> str:
    """What a link to a message names: the note's path without `.md`, and in a note of many messages the block."""
    path = shown.path.removesuffix(".md")
    return f"{path}#^{block_anchor(shown.block, is_foreign=shown.is_foreign)}" if shown.block else path


_NO_REVISIONS = Revisions()


def _revisions(render_context: RenderContext, stored: Sequence[StoredMessage]) -> dict[tuple[int, int], Revisions]:
    """What is shown of the past of those messages that have one."""
    versions: Mapping[MessageKey, tuple[Message, ...]] = {}
    if render_context.options.versions:
        keys = [MessageKey.of(render_context.account, one.message.chat_id, one.message.id) for one in stored]
        versions = render_context.archive.messages.versions_of(keys)
    gone = {(one.message.chat_id, one.message.id) for one in stored if one.deleted_at is not None}
    replaced = {(key.chat_id, key.id): messages for key, messages in versions.items()}
    return {key: Revisions(key in gone, replaced.get(key, ())) for key in gone | set(replaced)}
