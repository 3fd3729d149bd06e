"""The plugin API: everything a plugin imports from tobs.

The other modules are for tobs itself: ``catalogue`` finds plugins, ``ordering`` sorts them, ``host`` runs them in
worker processes, ``results`` declares the store of their results.
"""

from tobs.model import FileItem, FileKind, Message
from tobs.plugin.api import (
    API_VERSION,
    EFFORT,
    SECRET,
    Band,
    Bound,
    Enrichment,
    Export,
    Exported,
    FieldValue,
    FinishedRun,
    Item,
    MessageItem,
    NewFile,
    NewNote,
    NoConfig,
    Passage,
    Plugin,
    Remark,
    RenderedNote,
    Requirement,
    Result,
    Run,
    Section,
    Sees,
    Unreadable,
)
from tobs.plugin.new_messages import NewMessage
from tobs.plugin.text import escaped, reason_of
from tobs.plugin.transcripts import transcript

__all__ = [
    "API_VERSION",
    "EFFORT",
    "SECRET",
    "Band",
    "Bound",
    "Enrichment",
    "Export",
    "Exported",
    "FieldValue",
    "FileItem",
    "FileKind",
    "FinishedRun",
    "Item",
    "Message",
    "MessageItem",
    "NewFile",
    "NewMessage",
    "NewNote",
    "NoConfig",
    "Passage",
    "Plugin",
    "Remark",
    "RenderedNote",
    "Requirement",
    "Result",
    "Run",
    "Section",
    "Sees",
    "Unreadable",
    "escaped",
    "reason_of",
    "transcript",
]

#: The name of ``NewMessage`` up to version 0.1, for plugins that import it.
Brought = NewMessage
