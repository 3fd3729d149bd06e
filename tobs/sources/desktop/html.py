"""The HTML form of an export (`messages.html`, `messages2.html`, …), converted to the JSON form.

HTML exports are made for reading: they do not contain the chat id or the ids of people, and sizes are rounded;
formatting, replies, forwards, polls and files are there. Format: Telegram Desktop's `export_output_html.cpp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, TextIO

#: Characters read at a time.
_CHUNK = 1 << 16

_STYLES = {
    "strong": "bold",
    "b": "bold",
    "em": "italic",
    "i": "italic",
    "u": "underline",
    "s": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_CALLS = (
    ("ShowHashtag", "hashtag"),
    ("ShowCashtag", "cashtag"),
    ("ShowBotCommand", "bot_command"),
    ("ShowMentionName", "mention"),
)
_WRAPS = {
    "photo_wrap": ("photo", ""),
    "video_file_wrap": ("file", "video_file"),
    "animated_wrap": ("file", "animation"),
    "sticker_wrap": ("file", "sticker"),
    "media_photo": ("photo", ""),
    "media_video": ("file", "video_file"),
    "media_voice_message": ("file", "voice_message"),
    "media_audio_file": ("file", "audio_file"),
    "media_file": ("file", ""),
}
#: Roles whose text is collected.
_TEXT_ROLES = frozenset({
    "text", "title", "name", "origin", "status", "heading", "question", "answer", "service", "signature",
})  # fmt: skip
_VOID = frozenset({"br", "img", "meta", "link", "input", "hr"})
_MESSAGE = re.compile(r"message(-?\d+)\Z")
_REPLY = re.compile(r"GoToMessage\((\d+)\)")
_DATE = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d:\d\d:\d\d)(?: UTC([+-]\d\d:\d\d))?")
_DURATION = re.compile(r"(?:(\d+):)?(\d\d?):(\d\d)")
_LEFT_OUT = ("Not included", "Exceeds maximum size")

RawMessage = dict[str, Any]


def read_html(pages: Iterable[TextIO], header: RawMessage) -> Iterator[RawMessage]:
    """Read the messages of ``pages`` in the JSON form; the chat's name is stored in ``header``."""
    sender = ""
    for page in pages:
        reader = _Page(sender)
        while text := page.read(_CHUNK):
            reader.feed(text)
            yield from reader.take_messages()
        reader.close()
        yield from reader.finish()
        sender = reader.sender
        if reader.title:
            header.setdefault("name", reader.title)


def html_title(pages: Iterable[TextIO]) -> str:
    """Return the name of the chat in ``pages``."""
    for page in pages:
        reader = _Page("")
        while not reader.title and (text := page.read(_CHUNK)):
            reader.feed(text)
        return reader.title
    return ""


class _Page(HTMLParser):
    """Parser of a page. Open elements are a stack of (tag, role); the role tells how their text is used."""

    def __init__(self, sender: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.sender = sender
        self._open: list[tuple[str, str]] = []
        self._text: list[str] = []
        self._runs: list[RawMessage] = []
        self._message: RawMessage | None = None
        self._depth = 0
        self._day = ""
        self._done: list[RawMessage] = []

    def take_messages(self) -> list[RawMessage]:
        """Return the complete messages and forget them."""
        done, self._done = self._done, []
        return done

    def finish(self) -> list[RawMessage]:
        """End the last message and return the remaining ones."""
        self._end_message()
        return self.take_messages()

    # called by HTMLParser

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        if tag == "div" and "message" in classes and (match := _MESSAGE.match(values.get("id", ""))):
            self._begin_message(int(match[1]), classes)
        role = self._role(tag, classes, values)
        if tag == "br":
            self._add_text("\n")
        if tag in _VOID:
            return
        self._open.append((tag, role))
        if role in _TEXT_ROLES:
            self._text = []
        if role == "text":
            self._runs = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self._open):
            return
        while self._open:
            name, role = self._open.pop()
            self._end_role(role)
            if name == tag:
                break
        if self._message is not None and len(self._open) < self._depth:
            self._end_message()

    def handle_data(self, data: str) -> None:
        self._add_text(data)

    # conversion

    def _role(self, tag: str, classes: list[str], values: dict[str, str]) -> str:
        message = self._message
        if message is None:
            return "title" if "bold" in classes and "text" in classes else ""
        inside = {role for _, role in self._open}
        if "text" in inside:
            return self._style(tag, classes, values)
        for name in classes:
            if name in _WRAPS:
                self._begin_file(*_WRAPS[name], values.get("href", ""))
                return "file"
        if "date" in classes and "title" in values:
            return self._date(values["title"], forwarded="origin" in inside)
        if "forwarded" in classes and "body" in classes:
            message["forwarded_from"] = None
            return "forward"
        if "from_name" in classes:
            return "origin" if "forward" in inside else "name"
        if "text" in classes:
            return "text"
        if tag == "a" and (match := _REPLY.search(values.get("onclick", ""))):
            message["reply_to_message_id"] = int(match[1])
        if "media_poll" in classes:
            message["poll"] = {"question": "", "answers": []}
        for name, role in (("question", "question"), ("answer", "answer"), ("signature", "signature")):
            if name in classes:
                return role
        if "file" in inside or "media_wrap" in inside:
            for name, role in (("title", "heading"), ("description", "status"), ("status", "status")):
                if name in classes:
                    return role
        if "media_wrap" in classes:
            return "media_wrap"
        return "service" if message["type"] == "service" and "body" in classes else ""

    def _style(self, tag: str, classes: list[str], values: dict[str, str]) -> str:
        if tag == "span" and "spoiler" in classes:
            return "style:spoiler"
        if tag == "a":
            called = next((kind for name, kind in _CALLS if name in values.get("onclick", "")), "")
            return f"style:{called}" if called else f"link:{values.get('href', '')}"
        return f"style:{_STYLES[tag]}" if tag in _STYLES else ""

    def _add_text(self, data: str) -> None:
        roles = [role for _, role in self._open]
        if "aside" in roles:
            return
        if "text" in roles:
            # Line ends of the HTML source are line ends of the text only in code.
            plain = data if data == "\n" or "style:pre" in roles else data.replace("\n", "")
            if plain:
                self._runs.append(_styled_run(plain, roles))
        else:
            self._text.append(data)

    def _end_role(self, role: str) -> None:
        text = " ".join("".join(self._text).split())
        message = self._message
        if role == "title":
            self.title = self.title or text
        elif message is None:
            return
        elif role == "text":
            message["text_entities"] = _merge_runs(self._runs)
        elif role == "name":
            self.sender = text or self.sender
        elif role == "origin":
            message["forwarded_from"] = text or None
        elif role == "service":
            message["information_text"] = text
        elif role == "signature":
            message["author"] = text
        elif role == "question" and "poll" in message:
            message["poll"]["question"] = text
        elif role == "answer" and "poll" in message:
            message["poll"]["answers"].append(_answer(text))
        elif role == "heading" and message.get("media_type") in (None, "audio_file") and "file" in message:
            message["file_name"] = text
        elif role == "status":
            self._status(message, text)
        if role in ("heading", "status", "question", "answer"):
            self._text = []

    def _begin_message(self, message_id: int, classes: list[str]) -> None:
        self._end_message()
        self._depth = len(self._open) + 1
        is_service = "service" in classes
        self._message = {"id": message_id, "type": "service" if is_service else "message"}

    def _end_message(self) -> None:
        message, self._message = self._message, None
        if message is None:
            return
        if message["id"] < 0:
            # A day between messages; messages without a date belong to it.
            self._day = _day(message.get("information_text", ""))
            return
        if "date" not in message and self._day:
            message["date"] = self._day
        self._day = ""
        if message["type"] == "message" and self.sender:
            message["from"] = self.sender
        if "poll" in message:
            message["poll"]["total_voters"] = sum(answer["voters"] for answer in message["poll"]["answers"])
        self._done.append(message)

    def _begin_file(self, key: str, media_type: str, href: str) -> None:
        message = self._message
        if message is None or "photo" in message or "file" in message:
            return
        message[key] = href or "(File unavailable, please try again later)"
        if media_type:
            message["media_type"] = media_type

    def _status(self, message: RawMessage, text: str) -> None:
        key = "photo" if "photo" in message else "file"
        if text.startswith(_LEFT_OUT) and message.get(key, "").startswith("("):
            message[key] = "(File not included. Change data exporting settings to download.)"
        elif (match := _DURATION.match(text)) and key == "file":
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            message["duration_seconds"] = 3600 * hours + 60 * minutes + seconds

    def _date(self, title: str, *, forwarded: bool) -> str:
        match = _DATE.match(title)
        if match is None or self._message is None or forwarded:
            return "aside"
        day, month, year, clock, offset = match.groups()
        stamp = f"{year}-{month}-{day}T{clock}"
        self._message["date"] = stamp
        if offset:
            self._message["date_unixtime"] = str(int(datetime.fromisoformat(stamp + offset).timestamp()))
        return "aside"


def _day(text: str) -> str:
    """Convert ``3 November 2025`` to the beginning of that day; empty for anything else."""
    try:
        return datetime.strptime(text, "%d %B %Y").replace(second=1).isoformat()
    except ValueError:
        return ""


def _styled_run(text: str, roles: list[str]) -> RawMessage:
    """Return a run of text with its innermost style, as in the JSON form."""
    for role in reversed(roles):
        name, _, value = role.partition(":")
        if name == "link":
            return {
                "type": "link" if value.rstrip("/") == text.rstrip("/") else "text_link",
                "text": text,
                "href": value,
            }
        if name == "style":
            return {"type": value, "text": text}
    return {"type": "plain", "text": text}


def _merge_runs(runs: list[RawMessage]) -> list[RawMessage]:
    """Merge adjacent runs of one style and strip white space around the whole text."""
    merged: list[RawMessage] = []
    for run in runs:
        if merged and {**merged[-1], "text": ""} == {**run, "text": ""}:
            merged[-1] = {**run, "text": merged[-1]["text"] + run["text"]}
        else:
            merged.append(run)
    if merged:
        merged[0] = {**merged[0], "text": merged[0]["text"].lstrip()}
        merged[-1] = {**merged[-1], "text": merged[-1]["text"].rstrip()}
    return [run for run in merged if run["text"]]


def _answer(text: str) -> RawMessage:
    """Parse an answer of a poll: ``- Yes 3 votes, chosen vote``."""
    head, _, tail = text.removeprefix("- ").rpartition(" ")
    match = re.search(r"^(.*?)\s*(\d+) votes?(, chosen vote)?$", text.removeprefix("- "))
    if match is None:
        return {"text": f"{head} {tail}".strip(), "voters": 0, "chosen": False}
    return {"text": match[1], "voters": int(match[2]), "chosen": bool(match[3])}
