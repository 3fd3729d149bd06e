"""The archive: one SQLite file, and a small repository for each kind of thing in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
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
from tobs.archive.migrate import check_current, migrate, shipped_migrations
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


class Archive:
    """The store of record of one vault. Its repositories share one connection, used by one thread at a time."""

    def __init__(self, database: Database, clock: Callable[[], float], *, read_only: bool) -> None:
        self._database = database
        self._read_only = read_only
        self.meta = Meta(database)
        self.takeouts = Takeouts(self.meta)
        self.chats = Chats(database, clock)
        self.topics = Topics(database)
        self.comments = Comments(database, self.meta)
        self.saved = Saved(database, self.meta)
        self.people = People(database, clock)
        self.peers = Peers(database)
        self.raw = RawPages(database)
        self.messages = Messages(database, clock)
        self.blooms = Blooms(database)
        self.coverage = Coverage(database)
        self.ledgers = Ledgers(database, self.coverage)
        self.media = Media(database)
        self.emoji = CustomEmoji(database)
        self.files = Files(database)
        self.enrichments = Enrichments(database)
        self.notes = Notes(database, self.media, self.enrichments)
        self.links = Links(database)
        self.paths = Paths(database)
        self.relayouts = Relayouts(database)
        self.results = Results(database)
        self.runs = Runs(database, clock)
        self.replaced = Replaced(database, clock)
        self.summaries = Summaries(database)
        self.updates = Updates(database)
        self.digests = Digests(database, self.meta)
        self.new_since = NewSince(database, self.meta)

    @property
    def path(self) -> Path:
        """The database file."""
        return self._database.path

    def transaction(self) -> AbstractContextManager[None]:
        """``with archive.transaction():`` makes everything in it one commit, or nothing. May be nested."""
        return self._database.transaction()

    def begin_dry_run(self) -> None:
        """From here to ``end_dry_run`` everything is tried only: nothing of it is kept."""
        self._database.run("BEGIN IMMEDIATE")

    def end_dry_run(self) -> None:
        """Forget what was tried."""
        self._database.run("ROLLBACK")

    def back_up(self, path: Path) -> None:
        """A consistent copy of the archive at ``path``, made while it is in use."""
        self._database.copy_to(path)

    def adopt(self, account: int) -> None:
        """What was imported before anybody had logged in belongs to ``account``."""
        adopt(self._database, account)

    def rename_chat(self, before: int, after: int) -> bool:
        """A chat's id is known better now; whether there was anything of it."""
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


def open_archive(path: Path, *, clock: Callable[[], float], read_only: bool = False) -> Archive:
    """Open the archive at ``path``, brought to the newest schema; a writer creates it where there is none.

    ``clock`` returns Unix seconds. Readers may be open beside the one writer. Raises ``VaultNewer``,
    ``VaultUnwritable``, or ``VaultError`` for a file that is no archive.
    """
    database = connect(path, read_only=read_only)
    try:
        if read_only:
            check_current(database, shipped_migrations())
        else:
            migrate(database, shipped_migrations())
    except BaseException:
        database.close()
        raise
    return Archive(database, clock, read_only=read_only)
