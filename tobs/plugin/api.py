"""What a plugin author writes against: the base class, what it is given, what it gives back.

A processor is one step of the media chain. It gets a file that was downloaded and verified, and says what it
found out (front matter, note text, tags) or made (new files). It never deletes, and it never writes outside
the item's work folder; tobs refuses anything else. It runs in a process of its own, so it may fail in every
way there is without harming the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from msgspec import Meta, Struct

from tobs.model import FileItem, FileKind, Message

#: The version of this interface. A plugin declares the one it was written for; a newer one is refused.
API_VERSION = 1

#: The four places of the chain, in their order. ``read``: what the file itself tells. ``convert``: another
#: form of the file. ``describe``: what it is about (transcript, text). ``finish``: whatever needs the rest.
Band = Literal["read", "convert", "describe", "finish"]

#: What the work waits for: decides how many worker processes run side by side.
Bound = Literal["cpu", "io", "network"]

#: What a result may depend on, and so what it is cached by: the bytes of the file and its kind, or also the
#: message that carries it (then the same file in two messages is processed twice).
Sees = Literal["content", "message"]

#: Marks an option (``Annotated[str, SECRET]``) whose value is shown to nobody. Results do not depend on it.
SECRET = Meta(extra={"secret": True})

#: Marks an option that says how the work is done, not what comes of it: results stay valid when it changes.
EFFORT = Meta(extra={"effort": True})

FieldText = Annotated[str, Meta(max_length=2_000)]
FieldValue = FieldText | bool | int | float | list[FieldText]


class NoConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration of a plugin that has none."""


class Unreadable(Exception):
    """Raised by a plugin for a file that cannot be read: the item is reported, the plugin itself is fine."""


class Requirement(Struct, frozen=True):
    """What a plugin lacks on this machine, and the command or step that brings it."""

    what: str
    install: str


class Item(Struct, frozen=True):
    """A file on its way through the chain.

    ``path`` is the file, to be read only; ``sha256`` its hash (hex) and ``size`` its length in bytes. ``work``
    is a folder for this item and plugin alone; it exists once ``new_file`` was called. ``label`` is how a
    report names the item. ``file``, ``message`` and ``chat`` (its title) are there for plugins that declare
    ``sees = "message"``; for all others they are None, None and empty.
    """

    path: Path
    kind: FileKind
    mime: str
    sha256: str
    size: int
    work: Path
    label: str = ""
    file: FileItem | None = None
    message: Message | None = None
    chat: str = ""

    def new_file(self, name: str) -> Path:
        """The path of a file to be made, in the item's work folder."""
        self.work.mkdir(parents=True, exist_ok=True)
        return self.work / name


class Passage(Struct, frozen=True, omit_defaults=True):
    """What is heard in a recording from ``start`` (seconds) to ``end`` (0 where that is not known), as plain text."""

    start: Annotated[float, Meta(ge=0)]
    text: Annotated[str, Meta(max_length=10_000)]
    end: float = 0.0


class Section(Struct, frozen=True):
    """A part of the note under its own heading; ``folded`` hides it until clicked.

    ``text`` is Markdown; with ``plain`` it is shown as it stands instead, whatever signs are in it: say so for
    text that came out of a file or from a server. ``passages`` follow as a list that plays the file at their time.
    """

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(max_length=1_000_000)] = ""
    folded: bool = False
    plain: bool = False
    passages: Annotated[tuple[Passage, ...], Meta(max_length=20_000)] = ()


class NewFile(Struct, frozen=True):
    """A file the plugin made in the item's work folder; ``role`` says what it is to it: ``cover``, ``waveform``."""

    path: Path
    role: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Result(Struct, frozen=True, omit_defaults=True):
    """What a plugin found out or made.

    ``fields`` go into the note's front matter, ``sections`` into its text, ``tags`` (without ``#``) to its
    tags, ``related`` (names of notes) to its links. ``files`` become attachments beside the item.
    ``replacement`` is another form of the file itself: the note embeds it and later plugins get it; the
    original is kept.
    """

    fields: dict[str, FieldValue] = {}
    sections: tuple[Section, ...] = ()
    tags: tuple[Annotated[str, Meta(pattern=r"^[\w/-]{1,100}$")], ...] = ()
    related: tuple[FieldText, ...] = ()
    files: tuple[NewFile, ...] = ()
    replacement: Path | None = None


C = TypeVar("C")


class Plugin(Generic[C]):
    """The base of every plugin. The type argument is its configuration, a frozen ``msgspec.Struct``::

        class Tags(Plugin[TagsConfig]):
            name = "tags"
            version = "1"
            handles = frozenset({"audio"})

            def process(self, item: Item) -> Result | None: ...

    Raise the ``version`` when results change: what earlier versions found is then computed anew.
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    api: ClassVar[int] = API_VERSION
    handles: ClassVar[frozenset[FileKind]] = frozenset()
    band: ClassVar[Band] = "read"
    after: ClassVar[tuple[str, ...]] = ()
    bound: ClassVar[Bound] = "cpu"
    sees: ClassVar[Sees] = "content"

    #: Seconds one item may take, bytes of address space the process may have, items handed over at a time, processes
    #: side by side at most (0: as many as the profile allows).
    time_limit: ClassVar[float] = 60.0
    memory_limit: ClassVar[int] = 2**30
    batch: ClassVar[int] = 50
    processes: ClassVar[int] = 0

    config_type: ClassVar[type[Any]] = NoConfig

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            if isinstance(get_origin(base), type) and issubclass(get_origin(base), Plugin):
                (cls.config_type,) = get_args(base)

    def __init__(self, config: C) -> None:
        self.config = config

    def available(self) -> Requirement | None:
        """What is missing to run here; None when nothing is. Asked before a run, so it must be quick."""
        return None

    def process(self, item: Item) -> Result | None:
        """Work on one item; None keeps it as it is. Raises ``Unreadable`` for a file that cannot be read."""
        raise NotImplementedError
