"""Chats and the people in them, each as last seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from tobs.archive.database import Database
from tobs.archive.encoding import decode_chat, decode_person, encode, id_list, owner_of
from tobs.archive.raw import TELEGRAM
from tobs.archive.stale import mark_notes_named, mark_notes_naming
from tobs.model import Chat, Person, story_peer
from tobs.model.clock import Clock

_FORMER = "INSERT OR REPLACE INTO former_names VALUES (?, ?, ?)"

# What only a full request tells; a history response leaves these at their defaults.
_FULL_ONLY = (
    *("about", "members", "count", "pts", "created", "migrated_from", "migrated_to", "linked_chat", "pinned", "photo"),
)


class Chats:
    """The chats of the vault, each as last seen."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, account: int, chat_id: int) -> Chat | None:
        """Return the chat as last seen."""
        model = self._database.value(
            "SELECT model FROM chats WHERE account = ? AND id = ?", (owner_of(account, chat_id), chat_id)
        )
        return decode_chat(model) if model is not None else None

    def put(self, account: int, chat: Chat, *, source: str = "") -> None:
        """Store ``chat`` as it is; everything of it is known."""
        with self._database.transaction():
            self._keep(account, chat, self.get(account, chat.id))
            if source:
                self.set_source(account, chat.id, source)

    def see(self, account: int, chats: Iterable[Chat]) -> None:
        """Store chats that came with messages. Fields that only a full request returns keep their values."""
        with self._database.transaction():
            for chat in chats:
                known = self.get(account, chat.id)
                self._keep(account, _joined(known, chat) if known else chat, known)

    def all(self, account: int, *, stories: bool = False) -> list[Chat]:
        """Return every chat that ``account`` sees, by id; with ``stories`` also the chats of stories."""
        rows = self._database.rows("SELECT model FROM chats WHERE account IN (0, ?) ORDER BY id", (account,))
        chats = [decode_chat(model) for (model,) in rows]
        return [chat for chat in chats if stories or not story_peer(chat.id)]

    def named(self, account: int, username: str) -> Chat | None:
        """Return the chat with this username (any case, without @)."""
        model = self._database.value(
            # Highest first: what stories are kept under has the peer's username too, and the lowest id.
            "SELECT model FROM chats WHERE account IN (0, ?) AND username = ? COLLATE NOCASE ORDER BY id DESC",
            (account, username),
        )
        return decode_chat(model) if model is not None and username else None

    def source(self, account: int, chat_id: int) -> str:
        """The name of the source that the chat came from; Telegram's for a chat that is not known."""
        source: str | None = self._database.value(
            "SELECT source FROM chats WHERE account = ? AND id = ?", (owner_of(account, chat_id), chat_id)
        )
        return source or TELEGRAM

    def sources(self, account: int) -> dict[int, str]:
        """The name of the source of every chat that ``account`` sees, by chat id."""
        return dict(self._database.rows("SELECT id, source FROM chats WHERE account IN (0, ?)", (account,)))

    def set_source(self, account: int, chat_id: int, source: str) -> None:
        """Store which source a known chat comes from."""
        self._database.run(
            "UPDATE chats SET source = ?3 WHERE account = ?1 AND id = ?2 AND source <> ?3",
            (owner_of(account, chat_id), chat_id, source),
        )

    def former_titles(self, chat_id: int) -> list[str]:
        """Return the earlier titles of the chat, oldest first."""
        return _former_names(self._database, chat_id)

    def layout(self, account: int, chat_id: int) -> tuple[str, str] | None:
        """Return the layout of the chat and the reason for it; None if it is not decided."""
        row = self._database.row(
            "SELECT layout, reason FROM chat_layouts WHERE account = ? AND chat_id = ?",
            (owner_of(account, chat_id), chat_id),
        )
        return (row[0], row[1]) if row else None

    def set_layout(self, account: int, chat_id: int, layout: str, reason: str) -> None:
        """Store the layout of the chat and the reason for it."""
        self._database.run(
            "INSERT OR REPLACE INTO chat_layouts VALUES (?, ?, ?, ?)",
            (owner_of(account, chat_id), chat_id, layout, reason),
        )

    def _keep(self, account: int, chat: Chat, known: Chat | None) -> None:
        if chat == known:
            return
        self._database.run(
            "INSERT INTO chats (account, id, title, username, model) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET title = excluded.title, username = excluded.username, model = excluded.model",
            (owner_of(account, chat.id), chat.id, chat.title, chat.username, encode(chat)),
        )
        if known is not None and known.title != chat.title:
            self._database.run(_FORMER, (chat.id, known.title, self._clock()))


class People:
    """People who send messages, each as last seen."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, person_id: int) -> Person | None:
        """Return the person as last seen."""
        return self.many([person_id]).get(person_id)

    def many(self, ids: Sequence[int]) -> dict[int, Person]:
        """Return the known people among ``ids``."""
        rows = self._database.rows(
            "SELECT id, model FROM people WHERE id IN (SELECT value FROM json_each(?))", (id_list(ids),)
        )
        return {person_id: decode_person(model) for person_id, model in rows}

    def named(self, username: str) -> int | None:
        """Return the id of the person with this username (any case, without @)."""
        if not username:
            return None
        person_id: int | None = self._database.value(
            "SELECT id FROM people WHERE username <> '' AND username = ? COLLATE NOCASE ORDER BY id LIMIT 1",
            (username,),
        )
        return person_id

    def called(self, text: str) -> list[Person]:
        """Return the people whose name contains ``text``, in any case. Every name is read, because SQLite folds ASCII
        only."""
        wanted = text.casefold()
        rows = self._database.rows("SELECT id, name FROM people")
        return list(self.many([person_id for person_id, name in rows if wanted in name.casefold()]).values())

    def own_note(self, person_id: int, username: str) -> str:
        """Return the path of the owner's own note about a person; empty if there is none."""
        path: str | None = self._database.value(
            "SELECT path FROM own_people WHERE name IN (?, ?) ORDER BY path LIMIT 1",
            (str(person_id), username.lower() or str(person_id)),
        )
        return path or ""

    def set_own_notes(self, found: Mapping[str, str]) -> None:
        """Store which of the owner's notes are about which people: username in lower case, or id as text -> path. Notes
        that link to a person whose note changed become stale."""
        with self._database.transaction():
            known: dict[str, str] = dict(self._database.rows("SELECT name, path FROM own_people"))
            changed = {name for name in known.keys() | found.keys() if known.get(name) != found.get(name)}
            if not changed:
                return
            self._database.run("DELETE FROM own_people")
            self._database.run_many("INSERT INTO own_people VALUES (?, ?)", list(found.items()))
            ids = [int(name) if name.lstrip("-").isdecimal() else self.named(name) for name in changed]
            mark_notes_naming(self._database, [one for one in ids if one])

    def see(self, people: Sequence[Person]) -> None:
        """Store people as they are now. The note of a person who changed becomes stale."""
        if not people:
            return
        with self._database.transaction():
            known = self.many([person.id for person in people])
            changed = [_told(known.get(person.id), person) for person in people]
            changed = [person for person in changed if person != known.get(person.id)]
            if not changed:
                return
            self._database.run_many(
                "INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?)",
                [(person.id, person.name, person.username, encode(person)) for person in changed],
            )
            before = [(person, known[person.id]) for person in changed if person.id in known]
            now = self._clock()
            self._database.run_many(
                _FORMER, [(new.id, old.name, now) for new, old in before if new.name != old.name and old.name]
            )
            mark_notes_named(self._database, [f"person/{new.id}" for new, _ in before])

    def former_names(self, person_id: int) -> list[str]:
        """Return the earlier names of the person, oldest first."""
        return _former_names(self._database, person_id)


def _joined(known: Chat, seen: Chat) -> Chat:
    """Return ``seen`` with the fields that only ``known`` has. ``top`` only grows."""
    kept = {name: getattr(known, name) for name in _FULL_ONLY if not getattr(seen, name)}
    return replace(seen, top=max(known.top, seen.top), **kept)


def _told(known: Person | None, seen: Person) -> Person:
    """Return ``seen`` with the biography of ``known``, which history responses never contain."""
    return replace(seen, about=known.about) if known and known.about and not seen.about else seen


def _former_names(database: Database, peer_id: int) -> list[str]:
    rows = database.rows("SELECT name FROM former_names WHERE peer_id = ? ORDER BY until, name", (peer_id,))
    return [name for (name,) in rows]
