"""Planning of many notes at once: the hot path of a first export, with one statement a batch instead of five a note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tobs.archive import stale
from tobs.archive.database import Database
from tobs.archive.encoding import id_list, owner_of
from tobs.archive.paths import no_free_path
from tobs.model import MessageKey, path_key


class NoteDraft(NamedTuple):
    """A note to plan for the messages ``keys``, at the first free path of ``candidates``. ``parts`` are its messages
    that are shown in the block of another one (whose id comes first)."""

    tobs_id: str
    message_id: int
    candidates: Iterator[str]
    keys: Sequence[MessageKey]
    period: str = ""
    parts: Sequence[tuple[int, MessageKey]] = ()


def plan_notes(database: Database, kind: str, account: int, chat_id: int, drafts: Sequence[NoteDraft]) -> None:
    """Plan ``drafts``, each another note and in id order, as ``Notes.claim`` and ``assign`` would one by one. A note
    that exists shows the messages too and becomes stale; a retired one stays."""
    with database.transaction():
        known: dict[str, int] = dict(
            database.rows(
                "SELECT tobs_id, id FROM notes WHERE tobs_id IN (SELECT value FROM json_each(?))",
                (id_list(draft.tobs_id for draft in drafts),),
            )
        )
        fresh = [draft for draft in drafts if draft.tobs_id not in known]
        first_id = (database.value("SELECT max(id) FROM notes") or 0) + 1
        ids = known | {draft.tobs_id: first_id + number for number, draft in enumerate(fresh)}
        paths = _free_paths(database, fresh)
        owner = owner_of(account, chat_id)
        database.run_many(
            "INSERT INTO paths VALUES (?, ?)",
            [(path_key(path), draft.tobs_id) for draft, path in zip(fresh, paths, strict=True)],
        )
        database.run_many(
            "INSERT INTO notes (id, tobs_id, kind, account, chat_id, message_id, path, period)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (ids[draft.tobs_id], draft.tobs_id, kind, owner, chat_id, draft.message_id, path, draft.period)
                for draft, path in zip(fresh, paths, strict=True)
            ],
        )
        database.run_many(
            "UPDATE message_rows SET note_id = ? WHERE account = ? AND chat_id = ? AND id = ?",
            [(ids[draft.tobs_id], *key) for draft in drafts for key in draft.keys],
        )
        database.run_many(
            "UPDATE message_rows SET block_id = ? WHERE account = ? AND chat_id = ? AND id = ?",
            [(block, *key) for draft in drafts for block, key in draft.parts],
        )
        if known:
            stale.mark_notes(database, known.values())
            database.run(
                "UPDATE notes SET state = 'planned' WHERE state = 'retired' AND id IN (SELECT value FROM json_each(?))",
                (id_list(known.values()),),
            )


def _free_paths(database: Database, drafts: Sequence[NoteDraft]) -> list[str]:
    """Return for each draft the first candidate that neither a note or file nor an earlier draft has."""
    firsts = [next(draft.candidates) for draft in drafts]
    taken = _taken(database, [path_key(path) for path in firsts])
    paths = []
    for draft, path in zip(drafts, firsts, strict=True):
        while (key := path_key(path)) in taken:
            following = next(draft.candidates, None)
            if following is None:
                raise no_free_path(draft.tobs_id)
            path = following
            taken |= _taken(database, [path_key(path)])
        taken.add(key)
        paths.append(path)
    return paths


def _taken(database: Database, keys: Sequence[str]) -> set[str]:
    rows = database.rows("SELECT key FROM paths WHERE key IN (SELECT value FROM json_each(?))", (id_list(keys),))
    return {key for (key,) in rows}
