"""Small plugins for the tests of the pipeline."""

from __future__ import annotations

from tobs.plugin import (
    Enrichment,
    Export,
    Exported,
    Item,
    MessageItem,
    NewNote,
    NoConfig,
    Plugin,
    Remark,
    RenderedNote,
    Result,
    Section,
)


class Reader(Plugin[NoConfig]):
    """Says how many words a message has, and fails on one that says so."""

    name = "reader"
    version = "1"

    def enrich(self, item: MessageItem) -> Enrichment | None:
        text = item.message.text
        if text == "fail":
            raise RuntimeError("the moon is wrong")
        if text == "nothing":
            return None
        notes = (NewNote("words", "About words", "What words are."),) if text == "note" else ()
        return Enrichment(
            fields={"count": len(text.split())},
            sections=(Section("Read", f"{item.chat}, {item.sender}"),),
            tags=("read",),
            related=("Reading",),
            notes=notes,
            hide=text == "hide",
        )


class Courier(Plugin[NoConfig]):
    """Hands on how many messages came."""

    name = "courier"
    version = "1"

    def export(self, export: Export) -> Exported | None:
        path = export.new_file("count.txt")
        path.write_text(f"{export.count}: {' '.join(one.message.text for one in export.messages())}")
        return Exported(files=(path,), remarks=(Remark("count.txt", "it is short"),))


class Words(Plugin[NoConfig]):
    """Counts the words of a file."""

    name = "words"
    version = "1"
    handles = frozenset({"document"})

    def process(self, item: Item) -> Result:
        text = item.path.read_text()
        if text == "0003":
            raise ValueError("odd")
        return Result(fields={"letters": len(text)})


class Signature(Plugin[NoConfig]):
    """Ends every note with its name."""

    name = "signature"
    version = "1"

    def post_render(self, note: RenderedNote) -> str | None:
        return f"{note.body}\n\nSigned.\n"
