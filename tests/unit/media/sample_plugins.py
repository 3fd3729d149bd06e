"""Small plugins for the tests of the chain."""

from __future__ import annotations

from msgspec import Struct

from tobs.plugin import Item, NewFile, NoConfig, Plugin, Result, Section


class Words(Plugin[NoConfig]):
    name = "words"
    version = "1"
    handles = frozenset({"document"})

    def process(self, item: Item) -> Result | None:
        words = item.path.read_text().split()
        if not words:
            return None
        return Result(
            fields={"words": len(words), "said_by": "words"},
            sections=(Section("Words", "\n".join(f"- {word}" for word in words)),),
            tags=("words", "both"),
            related=("Grammar",),
        )


class Mark(Struct, frozen=True):
    mark: str = "!"


class Shout(Plugin[Mark]):
    name = "shout"
    version = "1"
    handles = frozenset({"document", "audio"})
    band = "describe"

    def process(self, item: Item) -> Result:
        text = item.path.read_text().upper() + self.config.mark
        return Result(
            fields={"said_by": "shout"}, sections=(Section("Shout", text, folded=True),), tags=("both", "loud")
        )


class Letterhead(Plugin[NoConfig]):
    name = "letterhead"
    version = "1"
    handles = frozenset({"document"})
    sees = "message"

    def process(self, item: Item) -> Result:
        assert item.message is not None and item.file is not None
        return Result(fields={"head": f"{item.chat}/{item.message.id}/{item.file.name}"})


class Nosy(Plugin[NoConfig]):
    name = "nosy"
    version = "1"
    handles = frozenset({"document"})

    def process(self, item: Item) -> Result:
        return Result(fields={"seen": f"{item.file} {item.message} {item.chat!r}"})


class Cover(Plugin[NoConfig]):
    name = "cover"
    version = "1"
    handles = frozenset({"document"})

    def process(self, item: Item) -> Result:
        path = item.new_file("cover.svg")
        path.write_text(f"<svg>{item.path.read_text()}</")
        return Result(files=(NewFile(path, "cover"),))


class Double(Plugin[NoConfig]):
    name = "double"
    version = "1"
    handles = frozenset({"document"})
    band = "convert"

    def process(self, item: Item) -> Result:
        path = item.new_file("double.txt")
        path.write_text(item.path.read_text() * 2)
        return Result(replacement=path)


class Stamp(Plugin[Mark]):
    """Writes its mark into the file itself."""

    name = "stamp"
    version = "1"
    handles = frozenset({"document"})
    band = "convert"

    def process(self, item: Item) -> Result:
        path = item.new_file(f"stamped{item.path.suffix}")
        path.write_text(item.path.read_text() + self.config.mark)
        return Result(replacement=path, in_place=True)


class Seal(Stamp):
    name = "seal"
    after = ("stamp", "page")


class Page(Plugin[NoConfig]):
    """Makes a web page of a text."""

    name = "page"
    version = "1"
    handles = frozenset({"document"})
    band = "convert"

    def process(self, item: Item) -> Result:
        path = item.new_file("page.html")
        path.write_text(f"<p>{item.path.read_text()}</p>")
        return Result(replacement=path)


class Form(Plugin[NoConfig]):
    """Tells which form of the file it sees."""

    name = "form"
    version = "1"
    handles = frozenset({"document"})
    band = "describe"

    def process(self, item: Item) -> Result:
        return Result(fields={"seen": f"{item.mime} {item.path.suffix} {item.size} {item.path.read_text()}"})


class Picky(Plugin[NoConfig]):
    name = "picky"
    version = "1"
    handles = frozenset({"document"})
    band = "finish"

    def process(self, item: Item) -> Result | None:
        if "bad" in (text := item.path.read_text()):
            raise ValueError(text)
        return None
