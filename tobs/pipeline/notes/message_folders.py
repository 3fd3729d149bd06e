"""Folders of messages: that of a chat, of a topic, or of the comments of a post; the layout goes on inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec import Struct

from tobs.archive import Archive, KnownTopic, NoteRow
from tobs.model import Chat, Message, MessageKey, Topic, copied_post, story_peer, thread_root, topic_in
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.render.catalogue import catalogue
from tobs.vault.layout import LayoutName, comments_folder, folder_of_note, stories_folder, topic_candidates


class Folder(Struct, frozen=True):
    """A folder that messages are filed in: that of a chat, of a topic, or of the comments of a post.

    ``path`` is relative to the vault. ``tobs_id`` identifies the folder (``<chat id>``, ``<chat id>/topic/<id>``); a
    note with several of its messages is called ``<tobs_id>/<date>``, so that no two folders share a note. ``note_id``
    is the note about the folder, which counts its messages. Comments have the layout of their channel.
    """

    path: str
    tobs_id: str
    note_id: int
    layout: LayoutName


def folder_of(archive: Archive, note: NoteRow) -> str:
    """Return the folder of a chat or topic: that of its note, unless the owner moved only the note or only the
    folder."""
    return archive.meta.get(folder_key(note.tobs_id)) or folder_of_note(note.path)


def folder_key(tobs_id: str) -> str:
    """Return the key under which the archive stores the folder of a chat or topic whose note was moved."""
    return f"folder/{tobs_id}"


def folders_of(context: RunContext, chat_folder: ChatFolder, messages: Sequence[Message]) -> list[Folder]:
    """Return the folder of each of ``messages``, which are messages of the chat of ``chat_folder`` in id order."""
    chat = chat_folder.chat
    if peer := story_peer(chat.id):
        return [
            Folder(stories_folder(chat_folder.folder), f"{peer}/stories", chat_folder.note_id, chat_folder.layout)
        ] * len(messages)
    if chat.kind == "supergroup" and not chat.is_forum:
        return _with_comments(context, chat_folder, messages)
    topics = [topic_in(chat, message.topic_id) if chat.is_forum else 0 for message in messages]
    folders = {
        topic_id: _topic_folder(context, chat_folder, topic_id) for topic_id in dict.fromkeys(topics) if topic_id
    }
    folders[0] = _own_folder(chat_folder)
    return [folders[topic_id] for topic_id in topics]


def _own_folder(chat_folder: ChatFolder) -> Folder:
    return Folder(chat_folder.folder, str(chat_folder.filed_under), chat_folder.note_id, chat_folder.layout)


def _with_comments(context: RunContext, chat_folder: ChatFolder, messages: Sequence[Message]) -> list[Folder]:
    """Return the folders of messages of a group: comments go to the folder of their post, if its channel wants
    them."""
    comments, own = context.archive.comments, _own_folder(chat_folder)
    filed = comments.posts_of_comments(chat_folder.chat.id, [message.id for message in messages])
    channels = {channel_id: comments.are_wanted(channel_id) for channel_id in {post[0] for post in filed.values()}}
    folders = {
        post: (_comments_folder(context, *post) or own) if channels[post[0]] else own for post in set(filed.values())
    }
    return [folders[filed[message.id]] if message.id in filed else own for message in messages]


def _comments_folder(context: RunContext, channel_id: int, post_id: int) -> Folder | None:
    """Return the folder for the comments of a post; None while its channel has no folder in the vault."""
    notes = context.archive.notes
    channel = notes.by_tobs_id(str(channel_id))
    if channel is None:
        return None
    note_id = notes.id_of(context.account, channel_id, post_id) or channel.id
    path = comments_folder(folder_of(context.archive, channel), post_id)
    return Folder(
        path, f"{channel_id}/comments/{post_id}", note_id, layout_of(context.archive, context.account, channel_id)
    )


def layout_of(archive: Archive, account: int, chat_id: int) -> LayoutName:
    """Return the layout that was chosen for a chat when it was first seen."""
    layout, _ = archive.chats.layout(account, chat_id) or ("message", "")
    return cast("LayoutName", layout)


def _topic_folder(context: RunContext, chat_folder: ChatFolder, topic_id: int) -> Folder:
    """Return the folder of a topic; its note gets its path with the first message."""
    chat_id = chat_folder.chat.id
    tobs_id = f"{chat_id}/topic/{topic_id}"
    known = known_topic(context, chat_folder.chat, topic_id)
    note = context.archive.notes.claim(
        tobs_id,
        "topic",
        account=context.account,
        chat_id=chat_id,
        message_id=topic_id,
        candidates=topic_candidates(chat_folder.folder, known.topic.title, topic_id),
    )
    return Folder(folder_of(context.archive, note), tobs_id, note.id, chat_folder.layout)


def known_topic(context: RunContext, chat: Chat, topic_id: int) -> KnownTopic:
    """Return a topic of ``chat``; one that Telegram no longer lists gets the title of its first message."""
    archive = context.archive
    known = archive.topics.get(context.account, chat.id, topic_id)
    if known is not None:
        return known
    began = archive.messages.get(MessageKey.of(context.account, chat.id, topic_id))
    title = str(began.action.values.get("title") or "") if began is not None and began.action is not None else ""
    topic = Topic(
        topic_id,
        title or catalogue(context.render_context.options.language)("topic", id=topic_id),
        created=began.date if began else 0,
        creator=began.sender_id if began else 0,
    )
    archive.topics.put(context.account, chat.id, [topic])
    return KnownTopic(topic)


def file_comments(archive: Archive, group: Chat, messages: Sequence[Message]) -> None:
    """Record the messages of a group (in id order) that are copies of posts, and those that are comments."""
    if group.kind != "supergroup" or group.is_forum:
        return
    archive.comments.add_threads(
        group.id, {message.id: post for message in messages if (post := copied_post(message)) is not None}
    )
    roots = {message.id: root for message in messages if (root := thread_root(message))}
    posts = archive.comments.posts_of(group.id, set(roots.values())) if roots else {}
    archive.comments.add(group.id, {id: posts[root] for id, root in roots.items() if root in posts})
