"""Layout of the vault: each path as a pure function. Paths are relative to the vault's root, with `/`.

A function that ends in ``_candidates`` yields paths, best first; the archive claims the first free one for a note or
file, for good (names stay when titles change). Dates are local in the vault's time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Literal

from msgspec import Struct

from tobs.vault.names import MAX_FILE, MAX_TOPIC, candidates, clean_name, fit, numbered

TELEGRAM = "Telegram"
PEOPLE = f"{TELEGRAM}/People"
AUDIO = f"{TELEGRAM}/Audio"
VAULT_BASE = f"{TELEGRAM}/{TELEGRAM}.base"
VAULT_INDEX = f"{TELEGRAM}/{TELEGRAM}.md"
PAGES = f"{TELEGRAM}/Pages"

LayoutName = Literal["message", "day", "month"]
AskedLayout = Literal["auto", "message", "day", "month"]

#: Up to so many messages a chat has a note for each (layout `auto`); above, a note a day: Obsidian's quick switcher
#: gets coarse at 10,000 notes.
AUTO_LIMIT = 10_000


class NotePath(Struct, frozen=True):
    """Parts of the path of a note about a message (of an album: of its first one).

    ``folder`` is the chat's folder, or the topic's inside it; ``words`` come from ``names.first_words``.
    """

    folder: str
    date: date
    message_id: int
    words: str


def message_note(place: NotePath) -> str:
    """`<folder>/2024/01/2024-01-02 5 first words.md`: one note a message."""
    day = place.date.isoformat()
    name = f"{day} {place.message_id} {place.words}".rstrip()
    return fit(f"{place.folder}/{day[:4]}/{day[5:7]}", name, ".md")


def day_note(place: NotePath) -> str:
    """`<folder>/2024/2024-01-02.md`: one note a day."""
    return f"{place.folder}/{place.date.isoformat()[:4]}/{period_of('day', place.date)}.md"


def month_note(place: NotePath) -> str:
    """`<folder>/2024/2024-01.md`: one note a month."""
    return f"{place.folder}/{place.date.isoformat()[:4]}/{period_of('month', place.date)}.md"


#: The layouts there are: which note a message goes to. Messages with the same path share a note.
LAYOUTS: dict[LayoutName, Callable[[NotePath], str]] = {
    "message": message_note,
    "day": day_note,
    "month": month_note,
}


def period_of(layout: LayoutName, day: date) -> str:
    """Return the period of the messages in a note: their day (`2024-01-02`), their month (`2024-01`), or nothing."""
    return {"message": "", "day": day.isoformat(), "month": day.isoformat()[:7]}[layout]


def choose_layout(asked: AskedLayout, messages: int) -> tuple[LayoutName, str]:
    """Choose the layout of a chat that has ``messages`` messages when it is first seen; return it with the reason."""
    if asked != "auto":
        return asked, "the settings ask for it"
    if messages <= AUTO_LIMIT:
        return "message", f"it has no more than {AUTO_LIMIT} messages ({messages})"
    return "day", f"it has more than {AUTO_LIMIT} messages ({messages})"


def note_candidates(path: str) -> Iterator[str]:
    """Yield ``path`` of a note, then the same with ` 2`, ` 3`, … before `.md`, for when it is taken."""
    return numbered(path.removesuffix(".md"), ".md")


def chat_candidates(title: str, chat_id: int) -> Iterator[str]:
    """`Telegram/<Chat>/<Chat>.md`: the chat's own note. Its folder (``folder_of_note``) is the chat's folder."""
    return (f"{TELEGRAM}/{name}/{name}.md" for name in candidates(title, chat_id))


def source_folder(name: str) -> str:
    """`Telegram/<name>`: the folder of a source that has one of its own, as the inbox."""
    return f"{TELEGRAM}/{name}"


def source_note(name: str) -> str:
    """`Telegram/<name>/<name>.md`: the note of the chat of such a source."""
    return f"{source_folder(name)}/{name}.md"


def folder_of_note(chat_note: str) -> str:
    """Return the folder of the chat whose note is at ``chat_note``."""
    return chat_note.rpartition("/")[0]


def topic_candidates(folder: str, title: str, topic_id: int) -> Iterator[str]:
    """`<folder>/Topics/<Topic>/<Topic>.md`: the note of a topic of the forum in ``folder``; its folder is the
    topic's (``folder_of_note``)."""
    return (f"{folder}/Topics/{name}/{name}.md" for name in candidates(title, topic_id, limit=MAX_TOPIC))


def chat_base_path(chat_note: str) -> str:
    """`Telegram/<Chat>/<Chat>.base`: the tables over a chat, beside its note."""
    return f"{chat_note.removesuffix('.md')}.base"


def picture_candidates(folder: str, what: str) -> Iterator[str]:
    """`<chat folder>/media/picture.jpg`: the picture of the chat, called ``what``; a later one is `picture 2.jpg`."""
    return numbered(f"{folder}/media/{clean_name(what, limit=MAX_FILE)}", ".jpg")


def stories_folder(folder: str) -> str:
    """`<folder>/Stories`: the stories of the peer whose chat is in ``folder``."""
    return f"{folder}/Stories"


def comments_folder(folder: str, post_id: int) -> str:
    """`<folder>/Comments/<post id>`: the comments under a post of the channel in ``folder``."""
    return f"{folder}/Comments/{post_id}"


def person_candidates(name: str, person_id: int) -> Iterator[str]:
    """`Telegram/People/<Name>.md`: a sender."""
    return (f"{PEOPLE}/{each}.md" for each in candidates(name, person_id))


def audio_candidates(performer: str, title: str, sha256: str, *, otherwise: str) -> Iterator[str]:
    """Yield `Telegram/Audio/<Performer> - <Title>.md`: an audio item; without a title its name is ``otherwise`` (a
    file's name, or chat and date of a voice message).

    Two recordings of one name differ by the start of their hash, which does not depend on time.
    """
    name = audio_name(performer, title) or clean_name(otherwise, limit=MAX_FILE)
    return (f"{AUDIO}/{each}.md" for each in candidates(name, sha256[:8], limit=MAX_FILE))


def page_candidates(title: str, digest: str) -> Iterator[str]:
    """Yield `Telegram/Pages/<Title>.md`: a note that a plugin made; two of one title differ by the start of ``digest``,
    which identifies the note within the plugin."""
    name = clean_name(title, limit=MAX_FILE)
    return (f"{PAGES}/{each}.md" for each in candidates(name, digest[:8], limit=MAX_FILE))


def audio_name(performer: str, title: str) -> str:
    """Return `Performer - Title`, or the title alone; empty without a title."""
    if not title.strip():
        return ""
    return clean_name(f"{performer} - {title}" if performer.strip() else title, limit=MAX_FILE)
