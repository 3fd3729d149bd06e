"""Base class, input and output of plugins, for plugin authors.

A plugin takes part in a run through the methods it defines, its *hooks*. ``process`` makes it a processor, a step of
the media chain: it gets a downloaded and verified file, and returns findings (front matter, note text, tags) or new
files. ``enrich`` is called for messages; ``post_render`` may change the text of a note before it is written;
``run_started`` and ``run_ended`` are called for runs; ``export`` passes on the messages that a run fetched; ``command``
is for the command line. A plugin never deletes and never writes outside its work folder; tobs refuses anything else. It
runs in a process of its own, so no failure of it can harm the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from msgspec import Meta, Struct

from tobs.model import FileItem, FileKind, Message
from tobs.plugin.new_messages import NewMessage, read_messages

#: Version of this interface. A plugin declares the version it was written for; a newer one is refused.
API_VERSION = 1

#: The four stages of the chain, in their order. ``read``: metadata of the file itself. ``convert``: another form of
#: the file. ``describe``: its content (transcript, text). ``finish``: plugins that need the results of the others.
Band = Literal["read", "convert", "describe", "finish"]

#: Resource that limits the work; it determines the number of parallel worker processes.
Bound = Literal["cpu", "io", "network"]

#: Input that a result depends on and is cached by: the bytes and kind of the file, or also the message that carries it
#: (then the same file in two messages is processed twice).
Sees = Literal["content", "message"]

#: NoteProperties an option (``Annotated[str, SECRET]``) whose value is never shown. Results do not depend on it.
SECRET = Meta(extra={"secret": True})

#: NoteProperties an option that controls the effort, not the result: results stay valid when it changes.
EFFORT = Meta(extra={"effort": True})

FieldText = Annotated[str, Meta(max_length=2_000)]
FieldValue = FieldText | bool | int | float | list[FieldText]


class NoConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration of a plugin without options."""


class Unreadable(Exception):
    """Raised by a plugin for a file that cannot be read: the item is reported, and the plugin itself is not at
    fault.
    """


class Requirement(Struct, frozen=True):
    """A program or package that a plugin needs and this machine lacks, and the command or step to install it."""

    what: str
    install: str


class Item(Struct, frozen=True, tag=True):
    """A file in the processor chain.

    ``path`` is the file, to be read only; ``sha256`` its hash (hex) and ``size`` its length in bytes. ``work`` is a
    folder for this item and plugin alone; it exists once ``new_file`` was called. ``label`` names the item in reports.
    ``file``, ``message`` and ``chat`` (its title) are set for plugins that declare ``sees = "message"``; for all others
    they are None, None and empty. ``thumbnail`` is Telegram's small picture for a piece of music, in the work folder,
    for plugins that set ``thumbnails``; None if there is none.
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
        """Return the path for a new file in the work folder of the item."""
        self.work.mkdir(parents=True, exist_ok=True)
        return self.work / name


class Passage(Struct, frozen=True, omit_defaults=True):
    """Speech in a recording from ``start`` to ``end`` (seconds; 0 if the end is not known), as plain text."""

    start: Annotated[float, Meta(ge=0)]
    text: Annotated[str, Meta(max_length=10_000)]
    end: float = 0.0


class Section(Struct, frozen=True):
    """A part of the note under its own heading; ``folded`` hides it until clicked.

    ``text`` is Markdown. With ``plain`` it is shown literally: set it for text that comes from a file or a server.
    ``passages`` follow as a list that plays the file at their time.
    """

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(max_length=1_000_000)] = ""
    folded: bool = False
    plain: bool = False
    passages: Annotated[tuple[Passage, ...], Meta(max_length=20_000)] = ()


class NewFile(Struct, frozen=True):
    """A file made by the plugin in the work folder of the item; ``role`` is its role: ``cover``, ``waveform``."""

    path: Path
    role: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Result(Struct, frozen=True, omit_defaults=True):
    """Findings of a plugin about a file, and files it made.

    ``fields`` go into the note's front matter, ``sections`` into its text, ``tags`` (without ``#``) to its tags,
    ``related`` (names of notes) to its links. ``files`` become attachments beside the item. ``replacement`` is another
    form of the file: the note embeds it and later plugins get it; the original is kept. With ``in_place`` it has the
    same format with other bytes and replaces the original in the vault; only for plugins whose configuration asks for
    that. ``plays`` is the measured duration of a recording or film in seconds; it is compared with the duration given
    by Telegram.
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
    """A message for ``enrich``.

    ``chat`` is the title of its chat, ``sender`` the name of the sender (empty if unknown); ``label`` names it in
    reports. The text is ``message.text``, its links and other formatting ``message.entities``.
    """

    message: Message
    chat: str = ""
    sender: str = ""
    label: str = ""


class NewNote(Struct, frozen=True):
    """A separate note made by ``enrich``: ``Telegram/Pages/<title>.md``, linked from the note of the message.

    ``key`` identifies it permanently within the plugin (for example the address of a web page): the same key is the
    same note, whichever message it comes from. ``fields`` go into its front matter; ``text`` is Markdown.
    """

    key: Annotated[str, Meta(min_length=1, max_length=2_000)]
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    text: Annotated[str, Meta(max_length=1_000_000)]
    fields: dict[str, FieldValue] = {}
    tags: tuple[Annotated[str, Meta(pattern=r"^[\w/-]{1,100}$")], ...] = ()


class Enrichment(Struct, frozen=True, omit_defaults=True):
    """Findings of a plugin about a message.

    ``fields``, ``sections``, ``tags`` and ``related`` are those of a ``Result``; ``notes`` are separate notes. With
    ``hide`` the message gets no note (no block in a day's note). It stays in the archive, and an existing note of it
    stays, too.
    """

    fields: dict[str, FieldValue] = {}
    sections: tuple[Section, ...] = ()
    tags: tuple[Annotated[str, Meta(pattern=r"^[\w/-]{1,100}$")], ...] = ()
    related: tuple[FieldText, ...] = ()
    notes: tuple[NewNote, ...] = ()
    hide: bool = False


class RenderedNote(Struct, frozen=True, tag=True):
    """A note that was rendered and is not written yet, for ``post_render``.

    ``body`` is its Markdown below the properties; ``path`` its path in the vault, whose folder is ``vault`` (to be read
    only). ``kind`` is ``message``, ``day``, ``month``, ``chat``, ``topic``, ``person``, ``audio``, ``page`` or
    ``index``. A note of messages has the title of their ``chat`` and the ``messages``, by id; the others have none.
    """

    path: str
    kind: str
    body: str
    vault: Path
    chat: str = ""
    messages: tuple[Message, ...] = ()


class Run(Struct, frozen=True, tag=True):
    """A run that starts: its id, the ``command`` (``export``) and its targets as given; ``started`` is ISO
    8601, UTC.
    """

    run_id: str
    command: str
    targets: tuple[str, ...] = ()
    started: str = ""


class FinishedRun(Struct, frozen=True, tag=True):
    """A run that ended.

    ``ok`` is false if something failed, ``report`` is the run report as printed by ``--json`` (``problems``,
    ``messages``, ``notes``, ``media``, ...); ``error`` is the error that ended the run early, else empty.
    """

    run: Run
    ok: bool
    finished: str = ""
    error: str = ""
    report: dict[str, Any] = {}


class Export(Struct, frozen=True, tag=True):
    """Messages of a run, for ``export``.

    ``messages()`` are the ``count`` messages that are new, were edited or deleted, or got files since the last
    successful call of this plugin; ``run`` is the run that ended. ``source`` is the file they are read from, ``work`` a
    folder for this call alone. ``vault`` is the folder of the vault, to be read only.
    """

    run: FinishedRun
    count: int
    source: Path
    work: Path
    vault: Path

    def messages(self) -> Iterator[NewMessage]:
        """Read the messages one by one, by chat and id."""
        return read_messages(self.source)

    def new_file(self, name: str) -> Path:
        """Return the path for a new file in the work folder."""
        self.work.mkdir(parents=True, exist_ok=True)
        return self.work / name


class Remark(Struct, frozen=True):
    """A finding that deserves attention: ``item`` is its subject, such as the path of a file in the vault."""

    item: FieldText
    reason: FieldText


class Exported(Struct, frozen=True):
    """Files that ``export`` made with ``new_file``.

    They are stored as ``.tobs/exports/<plugin>/<name>`` in the vault and replace an earlier file of that name.
    ``remarks`` are listed under ``doubts`` in the run report.
    """

    files: tuple[Path, ...] = ()
    remarks: Annotated[tuple[Remark, ...], Meta(max_length=1_000)] = ()


class Command(Struct, frozen=True, tag=True):
    """Input of ``tobs plugins run NAME ARGUMENTS`` for the vault in the folder ``vault``."""

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

    # A plugin may change these four in its ``__init__``, depending on its configuration; ``unused`` are hooks that it
    # defines but does not use then.
    handles: frozenset[FileKind] = frozenset()
    sees: Sees = "content"
    thumbnails: bool = False
    unused: frozenset[str] = frozenset()

    #: Time limit of a call in seconds, address space of the process in bytes, items per batch, and the number of
    #: parallel processes (0: as many as the profile allows).
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
        """Return what is missing to run on this machine; None if nothing is. Called before a run, so it must be
        quick.
        """
        return None

    # Hooks: a plugin has those it defines.

    def process(self, item: Item) -> Result | None:
        """Work on a file; None leaves it unchanged. Raises ``Unreadable`` for a file that cannot be read."""
        raise NotImplementedError

    def enrich(self, item: MessageItem) -> Enrichment | None:
        """Return findings about a message before its note is made; None if there are none.

        Called once for each version of a message.
        """
        raise NotImplementedError

    def post_render(self, note: RenderedNote) -> str | None:
        """Return the new body of a note; None leaves it unchanged.

        Called each time the note is rendered: the same note must give the same text. Block ids (``^m12`` at the end of
        a line) must stay, because links lead to them.
        """
        raise NotImplementedError

    def run_started(self, run: Run) -> None:
        """Handle the start of a run."""
        raise NotImplementedError

    def run_ended(self, run: FinishedRun) -> None:
        """Handle the end of a run, successful or not. Failures here are reported, too."""
        raise NotImplementedError

    def export(self, export: Export) -> Exported | None:
        """Write the messages of a run to files.

        Called at the end of each run with new messages. Messages of a failed or missed call are passed again with the
        next one.
        """
        raise NotImplementedError

    def command(self, arguments: Sequence[str], vault: Path) -> str:
        """Run ``tobs plugins run NAME ARGUMENTS``; the result is printed.

        ``vault`` is the folder of the vault, to be read only.
        """
        raise NotImplementedError

    def template_functions(self) -> Mapping[str, Callable[..., object]]:
        """Return functions for the user's templates by name: ``{{ text | name }}`` and ``{{ name(text) }}``.

        They run during rendering, many times and without a time limit: keep them small, and return the same output for
        the same input. Names that templates already define cannot be replaced.
        """
        raise NotImplementedError


#: Methods that tobs calls if a plugin defines them.
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
    """Return the hooks that ``plugin`` defines."""
    return tuple(name for name in HOOKS if getattr(plugin, name) is not getattr(Plugin, name))
