"""Telegram's objects as frozen msgspec structs. No I/O, no imports of other packages except errors."""

from tobs.model.changes import COMMON, Changes, Pins, UpdateState
from tobs.model.chats import GENERAL_TOPIC, Chat, ChatKind, Person, Topic, topic_in
from tobs.model.media import (
    Contact,
    Dice,
    DroppedFile,
    FileItem,
    FileKind,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Media,
    PaidMedia,
    Poll,
    PollAnswer,
    RemoteFile,
    StoryRef,
    TodoItem,
    TodoList,
    UnknownMedia,
    WebPage,
    thumbnail_of,
)
from tobs.model.messages import (
    Action,
    Button,
    Forward,
    Message,
    MessageKey,
    Reaction,
    Reply,
    SuggestedPost,
    copied_post,
    message_counters,
    message_files,
    message_state,
    thread_root,
)
from tobs.model.notes import NoteState, path_key
from tobs.model.pages import Page
from tobs.model.peers import (
    PeerRecord,
    bare_id,
    is_channel_id,
    marked_channel,
    marked_group,
    marked_user,
    message_name,
    stories_of,
    story_peer,
)
from tobs.model.text import Entity, RichBlock, Text, utf16_length

__all__ = [
    "COMMON", "GENERAL_TOPIC", "Action", "Button", "Changes", "Chat", "ChatKind", "Contact", "Dice", "DroppedFile",
    "Entity", "FileItem", "FileKind", "Forward", "Game", "Giveaway", "GiveawayResults", "Invoice", "Location", "Media",
    "Message", "MessageKey", "NoteState", "Page", "PaidMedia", "PeerRecord", "Person", "Pins", "Poll", "PollAnswer",
    "Reaction", "RemoteFile", "Reply", "RichBlock", "StoryRef", "SuggestedPost", "Text", "TodoItem", "TodoList",
    "Topic", "UnknownMedia", "UpdateState", "WebPage", "bare_id", "copied_post", "is_channel_id", "marked_channel",
    "marked_group", "marked_user", "message_counters", "message_files", "message_name", "message_state", "path_key",
    "stories_of", "story_peer", "thread_root", "thumbnail_of", "topic_in", "utf16_length",
]  # fmt: skip
