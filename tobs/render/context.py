"""State for rendering one note: texts, links, times, and the messages that the note refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from tobs.model import Entity, Message, Text, utf16_length
from tobs.render.catalogue import catalogue
from tobs.render.escape import escape_name, start_line
from tobs.render.links import LinkTargets, destination, message_link, telegram_address, wikilink
from tobs.render.markdown import MarkdownOptions, to_markdown
from tobs.render.service import SentenceContext
from tobs.render.spans import clean
from tobs.render.views import Attachment, Links, RenderOptions


class Context:
    """State for rendering one note.

    ``references`` collects (chat id, message id) -> whether a note was found. ``files`` (Telegram file id -> Markdown)
    and ``pictures`` (-> path) are files that blocks of the current message may embed; ``shown`` collects the ids of
    those that were embedded.
    """

    def __init__(self, links: Links, options: RenderOptions, chat_id: int = 0, username: str = "") -> None:
        self.links = links
        self.options = options
        self.chat_id = chat_id
        self.username = username
        self.translate = catalogue(options.language)
        self.references: dict[tuple[int, int], bool] = {}
        self.files: dict[int, str] = {}
        self.shown: set[int] = set()
        self.pictures: dict[int, str] = {}
        self.targets = LinkTargets(user=self._user, username=self._username, url=self._url, picture=self._picture)
        self._within = MarkdownOptions(tag_prefix=options.tag_prefix)
        self.markdown = MarkdownOptions(tag_prefix=options.tag_prefix, line_breaks=options.line_breaks)

    # texts

    def text(self, text: Text) -> str:
        """Render a text with entities as Markdown."""
        return to_markdown(text.text, text.entities, self.markdown, self.targets)

    def inline(self, text: Text) -> str:
        """Render a text with entities as Markdown on one line, safe in the middle of a line."""
        flat = Text(clean(text.text).replace("\n", " "), text.entities) if "\r" not in text.text else text
        inline = tuple(entity for entity in flat.entities if entity.kind not in _BLOCKS)
        return to_markdown(flat.text, inline, self._within, self.targets).replace("\n", " ").strip()

    def plain(self, text: str) -> str:
        """Render a text without entities as Markdown; line ends are preserved."""
        return to_markdown(text, (), self.markdown)

    def description(self, text: str) -> str:
        """Render the description of a chat or person, which comes without entities: find addresses and mentions
        in it.
        """
        found = [
            Entity(
                "mention" if match[0][0] == "@" else "url", utf16_length(text[: match.start()]), utf16_length(match[0])
            )
            for match in _ADDRESS.finditer(text)
        ]
        return to_markdown(text, found, self.markdown, self.targets)

    # times

    def local(self, unix: int) -> datetime:
        """Convert Unix seconds to the time zone of the vault, without offset."""
        return datetime.fromtimestamp(unix, self.options.timezone).replace(tzinfo=None)

    def when(self, unix: int) -> str:
        """Format Unix seconds as ``2024-01-02 03:04`` in the time zone of the vault."""
        return self.local(unix).isoformat(" ", "minutes")

    def period(self, seconds: int) -> str:
        """Format a number of seconds as text."""
        return SentenceContext(self.translate, self.name, str, self.when).period(seconds)

    # people, chats, messages

    def peer(self, marked: int) -> tuple[str, str] | None:
        """Return (path or "", name) of a person or chat by its marked id; None if unknown."""
        return (self.links.person(marked) or self.links.chat(marked)) if marked else None

    def person(self, marked: int) -> tuple[str, str] | None:
        """Return (path or "", name) of a person by its marked id; None if unknown."""
        return self.links.person(marked) if marked else None

    def name(self, marked: int) -> str:
        """Render a person or chat as Markdown: a link to its note if there is one, else its name."""
        found = self.peer(marked)
        if found is None:
            return self.translate("someone")
        path, name = found
        if path:
            return wikilink(path, name or path.rpartition("/")[2])
        return escape_name(name) or self.translate("someone")

    def names(self, ids: Iterable[int]) -> str:
        """Render a list of people or chats as Markdown."""
        return ", ".join(self.name(each) for each in ids)

    def message_path(self, chat_id: int, message_id: int) -> str | None:
        """Return the path of a message's note, and record the reference so that it can be resolved later."""
        path = self.links.message(chat_id, message_id)
        self.references[(chat_id, message_id)] = path is not None
        return path

    def message_link(self, chat_id: int, message_id: int, label: str = "") -> str:
        """Render a link to a message: its note, else its t.me address, else plain text.

        A note of a single message is labelled with the title in its name.
        """
        path = self.message_path(chat_id, message_id)
        if path:
            return wikilink(path, label or _note_title(path) or self.translate("reply.message", id=message_id))
        text = escape_name(label) if label else self.translate("reply.message", id=message_id)
        url = message_link(chat_id, self.username if chat_id == self.chat_id else "", message_id)
        return f"[{text}]({destination(url)})" if url else text

    def attachment(self, message: Message, index: int) -> Attachment:
        """Return the state of a file of ``message`` in the vault."""
        return self.links.attachment(message, index)

    def file(self, remote_id: object) -> str:
        """Render a file named by a block of the current message; empty if the message has no such file."""
        if not isinstance(remote_id, int) or remote_id not in self.files:
            return ""
        self.shown.add(remote_id)
        return self.files[remote_id]

    # lookups for the converter

    def _user(self, marked: int) -> str | None:
        found = self.peer(marked)
        return found[0] or None if found else None

    def _username(self, name: str) -> str | None:
        marked = self.links.peer_by_username(name.lower())
        return self._user(marked) if marked else None

    def _picture(self, remote_id: int) -> str | None:
        path = self.pictures.get(remote_id)
        if path:
            self.shown.add(remote_id)
        return path

    def _url(self, url: str) -> str | None:
        address = telegram_address(url)
        if address is None:
            return None
        chat_id = address.chat_id or self.links.peer_by_username(address.username.lower())
        if not chat_id:
            return None
        if address.comment:
            group = self.links.discussion_group(chat_id)
            return self.message_path(group, address.comment) if group else None
        if address.message_id:
            return self.message_path(chat_id, address.message_id)
        return self._user(chat_id)


_ADDRESS = re.compile(
    r"(?<![\w@/.])@[A-Za-z]\w{3,31}\b"
    r"|(?<![\w@/.])(?:https?://|(?:t|telegram)\.me/)[^\s<>«»]*[^\s<>«».,;:!?)\]'\"]"
)
_MESSAGE_NOTE = re.compile(r"\d{4}-\d\d-\d\d \d+ (?=\S)")


_NAMELESS = re.compile(r"[\d -]+")


def _note_title(path: str) -> str:
    """Return the title in the name of a message's note; empty for a note of several messages."""
    name = path.rpartition("/")[2]
    match = _MESSAGE_NOTE.match(name)
    if "#" in name or _NAMELESS.fullmatch(name):
        return ""
    return name[match.end() :] if match else name


_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})

__all__ = ["Context", "start_line"]
