"""The plugin ``text``: extracts the text of a document."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import FieldValue, Item, Plugin, Requirement, Result, Section, Unreadable
from tobs_plugins.text.pdf import NotPdf, read_pdf


class TextConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``text``."""

    pages: Annotated[int, Meta(ge=1, le=2000, description="Largest number of pages that are read")] = 20
    max_length: Annotated[int, Meta(ge=100, le=500_000, description="Longest text, in characters")] = 30_000


class TextOfDocuments(Plugin[TextConfig]):
    """Extract the text of PDF documents."""

    name = "text"
    version = "1"
    summary = "Extracts the text of PDF documents, so that a search finds it"
    handles = frozenset({"document"})
    band = "describe"
    time_limit = 60.0
    batch = 10

    def available(self) -> Requirement | None:
        """Check for pypdf, which comes with an extra."""
        return None if find_spec("pypdf") else Requirement("the package pypdf", "pip install pypdf")

    def process(self, item: Item) -> Result | None:
        """Return the item's text and number of pages; None if it is no PDF, or has a password."""
        if item.mime.partition(";")[0].strip().lower() != "application/pdf" and item.path.suffix.lower() != ".pdf":
            return None
        try:
            pdf = read_pdf(item.path, pages=self.config.pages, length=self.config.max_length)
        except NotPdf as error:
            raise Unreadable(str(error)) from error
        if pdf is None:
            return None
        fields: dict[str, FieldValue] = {"pages": pdf.pages}
        if not pdf.text:
            return Result(fields=fields)
        title = "Text" if pdf.is_whole else "Text, the beginning"
        return Result(fields=fields, sections=(Section(title, pdf.text, folded=True, plain=True),))
