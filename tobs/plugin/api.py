"""What a plugin author writes against: the base class, what it is given, what it gives back.

A plugin takes part in a run by the methods it has, its *hooks*. ``process`` makes it a processor, a step of the
media chain: it gets a file that was downloaded and verified, and says what it found out (front matter, note text,
tags) or made (new files). ``enrich`` is asked about messages, ``post_render`` has the last word on the text of a
note; ``run_started`` and ``run_ended`` are about runs, ``export`` hands on what a run brought, ``command`` is for
people. A plugin never deletes, and it never writes outside its work folder; tobs refuses anything else. It runs in a
process of its own, so it may fail in every way there is without harming the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from msgspec import Meta, Struct

from tobs.model import FileItem, FileKind, Message
from tobs.plugin.new_messages import NewMessage, read_messages

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


class Item(Struct, frozen=True, tag=True):
    """A file on its way through the chain.

    ``path`` is the file, to be read only; ``sha256`` its hash (hex) and ``size`` its length in bytes. ``work``
    is a folder for this item and plugin alone; it exists once ``new_file`` was called. ``label`` is how a
    report names the item. ``file``, ``message`` and ``chat`` (its title) are there for plugins that declare
    ``sees = "message"``; for all others they are None, None and empty. ``thumbnail`` is a small picture that Telegram
    has of a piece of music, in the work folder, for plugins that ask for ``thumbnails``; None where it has none.
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
    thumbnail: Path | None = None

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
    original is kept. With ``in_place`` it is the same format with other bytes, and takes the original's place in the
    vault: for plugins whose configuration asks for that. ``plays`` is how many seconds a recording or film plays, as
    measured: it is held against what Telegram says.
    """

    fields: dict[str, FieldValue] = {}
    sections: tuple[Section, ...] = ()
    tags: tuple[Annotated[str, Meta(pattern=r"^[\w/-]{1,100}$")], ...] = ()
    related: tuple[FieldText, ...] = ()
    files: tuple[NewFile, ...] = ()
    replacement: Path | None = None
    in_place: bool = False
    plays: Annotated[float, Meta(ge=0)] = 0.0


class MessageItem(Struct, frozen=True, tag=True):
    """A message on its way into a note, for ``enrich``.

    ``chat`` is the title of its chat, ``sender`` the name of who sent it (empty where nobody is known); ``label`` is
    how a report names it. The text is ``message.text``, its links and other formatting ``message.entities``.
    """

    message: Message
    chat: str = ""
    sender: str = ""
    label: str = ""


class NewNote(Struct, frozen=True):
    """A note of its own, made by ``enrich``: ``Telegram/Pages/<title>.md``, to which the message's note links.

    ``key`` names it for good within the plugin (the address of a web page, say): the same key is the same note,
    whichever message brings it. ``fields`` go into its front matter; ``text`` is Markdown.
    """

    key: Annotated[str, Meta(min_length=1, max_length=2_000)]
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    text: Annotated[str, Meta(max_length=1_000_000)]
    fields: dict[str, FieldValue] = {}
    tags: tuple[Annotated[str, Meta(pattern=r"^[\w/-]{1,100}$")], ...] = ()


class Enrichment(Struct, frozen=True, omit_defaults=True):
    """What a plugin has to say about a message. ``fields``, ``sections``, ``tags`` and ``related`` are those of a
    ``Result``; ``notes`` are notes of their own. With ``hide`` the message gets no note (in a day's note: no place); it
    stays in the archive, and a note that it has already stays, too."""

    fields: dict[str, FieldValue] = {}
    sections: tuple[Section, ...] = ()
    tags: tuple[Annotated[str, Meta(pattern=r"^[\w/-]{1,100}$")], ...] = ()
    related: tuple[FieldText, ...] = ()
    notes: tuple[NewNote, ...] = ()
    hide: bool = False


class RenderedNote(Struct, frozen=True, tag=True):
    """A note that was rendered and is not written yet, for ``post_render``.

    ``body`` is its Markdown below the properties; ``path`` its place in the vault, whose folder is ``vault`` (to be
    read only). ``kind`` is ``message``, ``day``, ``month``, ``chat``, ``topic``, ``person``, ``audio``, ``page`` or
    ``index``. A note of messages has the title of their ``chat`` and the ``messages``, by id; the others have none.
    """

    path: str
    kind: str
    body: str
    vault: Path
    chat: str = ""
    messages: tuple[Message, ...] = ()


class Run(Struct, frozen=True, tag=True):
    """A run that begins: its id, the ``command`` (``export``) and its targets as they were given; ``started`` is ISO
    8601, UTC."""

    run_id: str
    command: str
    targets: tuple[str, ...] = ()
    started: str = ""


class FinishedRun(Struct, frozen=True, tag=True):
    """A run that ended. ``ok`` is false when something did not work, ``report`` is the run report as ``--json`` prints
    it (``problems``, ``messages``, ``notes``, ``media``, ...); ``error`` is what ended the run early, else empty."""

    run: Run
    ok: bool
    finished: str = ""
    error: str = ""
    report: dict[str, Any] = {}


class Export(Struct, frozen=True, tag=True):
    """What a run brought, for ``export``: ``messages()`` are the ``count`` messages that are new, were edited or
    deleted, or got files since this plugin was asked last; ``run`` is the run that ended. ``source`` is where they
    wait, ``work`` a folder for this call alone. ``vault`` is the vault's folder, to be read only."""

    run: FinishedRun
    count: int
    source: Path
    work: Path
    vault: Path

    def messages(self) -> Iterator[NewMessage]:
        """The messages, by chat and id, read one by one."""
        return read_messages(self.source)

    def new_file(self, name: str) -> Path:
        """The path of a file to be made, in the work folder."""
        self.work.mkdir(parents=True, exist_ok=True)
        return self.work / name


class Remark(Struct, frozen=True):
    """Something worth a look that a plugin found: ``item`` is what it is about, such as a file's path in the vault."""

    item: FieldText
    reason: FieldText


class Exported(Struct, frozen=True):
    """Files that ``export`` made with ``new_file``. They are kept as ``.tobs/exports/<plugin>/<name>`` in the vault,
    over an earlier one of that name. ``remarks`` stand under ``doubts`` in the run report."""

    files: tuple[Path, ...] = ()
    remarks: Annotated[tuple[Remark, ...], Meta(max_length=1_000)] = ()


class Command(Struct, frozen=True, tag=True):
    """``tobs plugins run NAME ARGUMENTS`` about the vault in the folder ``vault``."""

    vault: Path
    arguments: tuple[str, ...] = ()


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
    opt_in: ClassVar[bool] = False
    api: ClassVar[int] = API_VERSION
    band: ClassVar[Band] = "read"
    after: ClassVar[tuple[str, ...]] = ()
    bound: ClassVar[Bound] = "cpu"

    # A plugin may set these four anew in its ``__init__``, as its configuration asks; ``unused`` are hooks that it has
    # and then does without.
    handles: frozenset[FileKind] = frozenset()
    sees: Sees = "content"
    thumbnails: bool = False
    unused: frozenset[str] = frozenset()

    #: Seconds one call may take, bytes of address space the process may have, items handed over at a time, processes
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

    # The hooks: a plugin has those it defines.

    def process(self, item: Item) -> Result | None:
        """Work on one file; None keeps it as it is. Raises ``Unreadable`` for a file that cannot be read."""
        raise NotImplementedError

    def enrich(self, item: MessageItem) -> Enrichment | None:
        """Say something about one message, before its note is made; None when there is nothing to say. Asked once
        for each version of a message."""
        raise NotImplementedError

    def post_render(self, note: RenderedNote) -> str | None:
        """The body a note is to have; None leaves it as it is. Asked each time the note is rendered: the same note has
        to give the same text. Ids of blocks (``^m12`` at the end of a line) have to stay: links lead to them."""
        raise NotImplementedError

    def run_started(self, run: Run) -> None:
        """A run begins."""
        raise NotImplementedError

    def run_ended(self, run: FinishedRun) -> None:
        """A run ended, well or not. What fails here is told in the report, too."""
        raise NotImplementedError

    def export(self, export: Export) -> Exported | None:
        """Hand on what a run brought, in files. Asked at the end of each run that brought something; what it was not
        asked about, or failed on, comes with the next one."""
        raise NotImplementedError

    def command(self, arguments: Sequence[str], vault: Path) -> str:
        """``tobs plugins run NAME ARGUMENTS``; what it returns is printed. ``vault`` is the vault's folder, to be read
        only."""
        raise NotImplementedError

    def template_functions(self) -> Mapping[str, Callable[..., object]]:
        """Functions for the owner's templates by their names: ``{{ text | name }}`` and ``{{ name(text) }}``. They run
        where notes are rendered, many times and without a time limit: keep them small, and let the same input give
        the same output. Names that templates have already stay theirs."""
        raise NotImplementedError


#: The methods that make a plugin take part, each at its own time.
HOOKS: tuple[str, ...] = (
    "process",
    "enrich",
    "post_render",
    "run_started",
    "run_ended",
    "export",
    "command",
    "template_functions",
)


def hooks_of(plugin: type[Plugin[Any]]) -> tuple[str, ...]:
    """The hooks ``plugin`` has."""
    return tuple(name for name in HOOKS if getattr(plugin, name) is not getattr(Plugin, name))
