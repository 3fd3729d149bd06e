"""What rendering one note needs at hand: words, links, times; and the record of the messages it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from tobs.model import Entity, Message, Text
from tobs.render.catalogue import catalogue
from tobs.render.escape import escape_name, start_line
from tobs.render.links import LinkTargets, destination, message_link, telegram_address, wikilink
from tobs.render.markdown import MarkdownOptions, to_markdown
from tobs.render.service import SentenceContext
from tobs.render.spans import clean, units
from tobs.render.views import Attachment, Links, RenderOptions


class Context:
    """One note's surroundings. ``references`` fills with (chat id, message id) -> resolved; ``files`` are those that
    the blocks of the message at hand may name (Telegram's id -> Markdown), ``pictures`` (-> path) what may stand within
    a line of it, ``shown`` the ids of those that they did name."""

    def __init__(self, links: Links, options: RenderOptions, chat_id: int = 0, username: str = "") -> None:
        self.links = links
        self.options = options
        self.chat_id = chat_id
        self.username = username
        self.words = catalogue(options.language)
        self.references: dict[tuple[int, int], bool] = {}
        self.files: dict[int, str] = {}
        self.shown: set[int] = set()
        self.pictures: dict[int, str] = {}
        self.targets = LinkTargets(user=self._user, username=self._username, url=self._url, picture=self._picture)
        self._within = MarkdownOptions(tag_prefix=options.tag_prefix)
        self.markdown = MarkdownOptions(tag_prefix=options.tag_prefix, line_breaks=options.line_breaks)

    # texts

    def text(self, text: Text) -> str:
        """A text with entities as Markdown."""
        return to_markdown(text.text, text.entities, self.markdown, self.targets)

    def inline(self, text: Text) -> str:
        """A text with entities as Markdown on one line, right within a line."""
        flat = Text(clean(text.text).replace("\n", " "), text.entities) if "\r" not in text.text else text
        inline = tuple(entity for entity in flat.entities if entity.kind not in _BLOCKS)
        return to_markdown(flat.text, inline, self._within, self.targets).replace("\n", " ").strip()

    def plain(self, text: str) -> str:
        """A text without entities as Markdown, line ends kept."""
        return to_markdown(text, (), self.markdown)

    def described(self, text: str) -> str:
        """What a chat or person says of itself: it comes without entities; addresses and mentions are found here."""
        found = [
            Entity("mention" if match[0][0] == "@" else "url", units(text[: match.start()]), units(match[0]))
            for match in _ADDRESS.finditer(text)
        ]
        return to_markdown(text, found, self.markdown, self.targets)

    # times

    def local(self, unix: int) -> datetime:
        """The moment in the vault's timezone, without offset."""
        return datetime.fromtimestamp(unix, self.options.timezone).replace(tzinfo=None)

    def when(self, unix: int) -> str:
        """The moment in words: ``2024-01-02 03:04``."""
        return self.local(unix).isoformat(" ", "minutes")

    def period(self, seconds: int) -> str:
        """A length of time in words."""
        return SentenceContext(self.words, self.name, str, self.when).period(seconds)

    # people, chats, messages

    def known(self, marked: int) -> tuple[str, str] | None:
        """(path or "", name) of a person or chat."""
        return (self.links.person(marked) or self.links.chat(marked)) if marked else None

    def person(self, marked: int) -> tuple[str, str] | None:
        """(path or "", name) of a person."""
        return self.links.person(marked) if marked else None

    def name(self, marked: int) -> str:
        """A person or chat as Markdown: a link where there is a note, else the name."""
        found = self.known(marked)
        if found is None:
            return self.words("someone")
        path, name = found
        if path:
            return wikilink(path, name or path.rpartition("/")[2])
        return escape_name(name) or self.words("someone")

    def names(self, ids: Iterable[int]) -> str:
        """Several people or chats as Markdown."""
        return ", ".join(self.name(each) for each in ids)

    def message_path(self, chat_id: int, message_id: int) -> str | None:
        """The note of a message; whether there is one is recorded for healing."""
        path = self.links.message(chat_id, message_id)
        self.references[(chat_id, message_id)] = path is not None
        return path

    def message_link(self, chat_id: int, message_id: int, label: str = "") -> str:
        """A message as Markdown: its note, else its t.me link, else words. The note of one message is called by the
        words in its name."""
        path = self.message_path(chat_id, message_id)
        if path:
            return wikilink(path, label or _note_words(path) or self.words("reply.message", id=message_id))
        words = escape_name(label) if label else self.words("reply.message", id=message_id)
        url = message_link(chat_id, self.username if chat_id == self.chat_id else "", message_id)
        return f"[{words}]({destination(url)})" if url else words

    def attachment(self, message: Message, index: int) -> Attachment:
        """What the vault has of a file."""
        return self.links.attachment(message, index)

    def file(self, remote_id: object) -> str:
        """A file that a block of the message at hand names, as Markdown; empty when the message has no such file."""
        if not isinstance(remote_id, int) or remote_id not in self.files:
            return ""
        self.shown.add(remote_id)
        return self.files[remote_id]

    # what the converter asks

    def _user(self, marked: int) -> str | None:
        found = self.known(marked)
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


def _note_words(path: str) -> str:
    """The first words of a message, from the name of its note, or what the owner called it; empty where a note holds
    several messages."""
    name = path.rpartition("/")[2]
    match = _MESSAGE_NOTE.match(name)
    if "#" in name or _NAMELESS.fullmatch(name):
        return ""
    return name[match.end() :] if match else name


_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})

__all__ = ["Context", "start_line"]
