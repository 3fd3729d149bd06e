"""The archive: one SQLite file, and a small repository for each kind of thing in it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from tobs.archive.bloom import Blooms
from tobs.archive.chats import Chats, People
from tobs.archive.comments import Comments
from tobs.archive.coverage import Coverage
from tobs.archive.database import Database, connect
from tobs.archive.digests import Digests
from tobs.archive.emoji import CustomEmoji
from tobs.archive.enrichments import Enrichments
from tobs.archive.files import Files
from tobs.archive.ledger import Ledgers
from tobs.archive.links import Links
from tobs.archive.media import Media
from tobs.archive.messages import Messages
from tobs.archive.meta import Meta, Takeouts
from tobs.archive.migrate import check_current, check_readable, migrate, shipped_migrations
from tobs.archive.new_since import NewSince
from tobs.archive.notes import Notes
from tobs.archive.paths import Paths
from tobs.archive.peers import Peers
from tobs.archive.raw import RawPages
from tobs.archive.reassign import adopt, rename_chat
from tobs.archive.relayout import Relayouts
from tobs.archive.replaced import Replaced
from tobs.archive.results import Results
from tobs.archive.runs import Runs
from tobs.archive.saved import Saved
from tobs.archive.summaries import Summaries
from tobs.archive.topics import Topics
from tobs.archive.updates import Updates
from tobs.model.clock import Clock


class Archive:
    """The store of record of one vault. Its repositories share one connection, used by one thread at a time.

    Each repository is built when it is first used, so a reader of one table builds one.
    """

    def __init__(self, database: Database, clock: Clock, *, read_only: bool) -> None:
        self._database = database
        self._clock = clock
        self._read_only = read_only

    # Chats, people and what is known of them

    @cached_property
    def chats(self) -> Chats:
        """Chats, each as last seen."""
        return Chats(self._database, self._clock)

    @cached_property
    def topics(self) -> Topics:
        """Topics of forums."""
        return Topics(self._database)

    @cached_property
    def comments(self) -> Comments:
        """Posts and the messages that are comments on them."""
        return Comments(self._database, self.meta)

    @cached_property
    def saved(self) -> Saved:
        """Saved Messages of each account."""
        return Saved(self._database, self.meta)

    @cached_property
    def people(self) -> People:
        """Senders of messages, each as last seen."""
        return People(self._database, self._clock)

    @cached_property
    def peers(self) -> Peers:
        """Access hashes of each account."""
        return Peers(self._database)

    # Messages and their files

    @cached_property
    def messages(self) -> Messages:
        """Messages and their earlier versions."""
        return Messages(self._database, self._clock)

    @cached_property
    def raw(self) -> RawPages:
        """Raw responses the messages came in."""
        return RawPages(self._database)

    @cached_property
    def media(self) -> Media:
        """Media rows: the files of messages, and what became of each."""
        return Media(self._database)

    @cached_property
    def files(self) -> Files:
        """Attachments in the vault, by SHA-256."""
        return Files(self._database)

    @cached_property
    def emoji(self) -> CustomEmoji:
        """Custom emoji of reactions."""
        return CustomEmoji(self._database)

    @cached_property
    def results(self) -> Results:
        """Results of processors, by content hash."""
        return Results(self._database)

    @cached_property
    def enrichments(self) -> Enrichments:
        """Answers of plugins about messages."""
        return Enrichments(self._database)

    # Settled ids

    @cached_property
    def coverage(self) -> Coverage:
        """Intervals of message ids that are settled."""
        return Coverage(self._database)

    @cached_property
    def blooms(self) -> Blooms:
        """Bloom filters over message ids."""
        return Blooms(self._database)

    @cached_property
    def ledgers(self) -> Ledgers:
        """Counts of settled ids in each chat."""
        return Ledgers(self._database, self.coverage)

    # Notes

    @cached_property
    def notes(self) -> Notes:
        """Notes: their paths, and what was last written."""
        return Notes(self._database, self.media, self.enrichments)

    @cached_property
    def links(self) -> Links:
        """Messages, chats and people that notes link to."""
        return Links(self._database)

    @cached_property
    def paths(self) -> Paths:
        """Vault paths of notes and files, also earlier ones."""
        return Paths(self._database)

    @cached_property
    def relayouts(self) -> Relayouts:
        """Notes on their way from one layout to another."""
        return Relayouts(self._database)

    @cached_property
    def replaced(self) -> Replaced:
        """Texts that runs replaced, for undo."""
        return Replaced(self._database, self._clock)

    @cached_property
    def summaries(self) -> Summaries:
        """Counts of messages and files, for overview notes."""
        return Summaries(self._database)

    @cached_property
    def digests(self) -> Digests:
        """Digests of what a sync changed in a chat."""
        return Digests(self._database, self.meta)

    # Runs and their state

    @cached_property
    def meta(self) -> Meta:
        """Text values by name."""
        return Meta(self._database)

    @cached_property
    def takeouts(self) -> Takeouts:
        """Open takeout sessions."""
        return Takeouts(self.meta)

    @cached_property
    def runs(self) -> Runs:
        """Runs and their reports."""
        return Runs(self._database, self._clock)

    @cached_property
    def updates(self) -> Updates:
        """Update state of each box, and the chats that are synced."""
        return Updates(self._database)

    @cached_property
    def new_since(self) -> NewSince:
        """Messages and files that are new since a cursor."""
        return NewSince(self._database, self.meta)

    # The archive as a whole

    @property
    def path(self) -> Path:
        """Path of the database file."""
        return self._database.path

    def transaction(self) -> AbstractContextManager[None]:
        """Make everything in the ``with`` block one commit, or nothing. May be nested."""
        return self._database.transaction()

    def begin_dry_run(self) -> None:
        """Begin a transaction that ``end_dry_run`` rolls back."""
        self._database.run("BEGIN IMMEDIATE")

    def end_dry_run(self) -> None:
        """Roll back everything since ``begin_dry_run``."""
        self._database.run("ROLLBACK")

    def back_up(self, path: Path) -> None:
        """Write a consistent copy of the archive to ``path``; the archive may be in use."""
        self._database.copy_to(path)

    def adopt(self, account: int) -> None:
        """Give what was imported before a login to ``account`` (user id)."""
        adopt(self._database, account)

    def rename_chat(self, before: int, after: int) -> bool:
        """Move everything of chat ``before`` to its right id ``after``; return False if there was nothing of it."""
        return rename_chat(self._database, before, after)

    def close(self) -> None:
        """Save the Bloom filters and close the file."""
        try:
            if not self._read_only:
                self.blooms.save_all()
        finally:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_archive(path: Path, *, clock: Clock, read_only: bool = False, accept_older: bool = False) -> Archive:
    """Open the archive at ``path`` and migrate it to the newest schema; a writer creates a missing one.

    ``clock`` returns Unix seconds. ``accept_older``: a reader takes the schema as it is, for chats and single values,
    which no migration changes. Readers may be open beside the one writer. Raises ``VaultNewer``,
    ``VaultUnwritable``, or ``VaultError`` for a file that is no archive.
    """
    database = connect(path, read_only=read_only)
    try:
        if read_only:
            (check_readable if accept_older else check_current)(database, shipped_migrations())
        else:
            migrate(database, shipped_migrations())
    except BaseException:
        database.close()
        raise
    return Archive(database, clock, read_only=read_only)
