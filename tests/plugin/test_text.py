"""The plugin ``text`` on documents made here, and on broken ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from tobs.plugin import Result, Unreadable
from tobs.plugin.testing import make_item, try_plugins
from tobs_plugins.text import TextConfig, TextOfDocuments

DEMO = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data" / "files"
PLUGIN = Path(__file__).parents[2] / "plugins" / "tobs_plugins" / "text"


def pdf(path: Path, *pages: str, password: str = "") -> Path:
    """A document with a text on each page."""
    writer = PdfWriter()
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    for text in pages:
        page = writer.add_blank_page(400, 400)
        names = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
        fonts = DictionaryObject({NameObject("/F1"): names})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        lines = " T* ".join(f"({line}) Tj" for line in text.split("\n"))
        content.set_data(f"BT /F1 12 Tf 14 TL 20 380 Td {lines} ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    with path.open("wb") as file:
        writer.write(file)
    return path


def read(path: Path, tmp_path: Path, **options: Any) -> Result | None:
    return TextOfDocuments(TextConfig(**options)).process(make_item(path, tmp_path / "work"))


def test_the_words_of_every_page_are_found(tmp_path: Path) -> None:
    result = read(pdf(tmp_path / "a.pdf", "# Relay   plan\n[[not a link]]", "", "Second page"), tmp_path)
    assert result is not None and result.fields == {"pages": 3}
    (section,) = result.sections
    assert (section.title, section.folded, section.plain) == ("Text", True, True)
    assert section.text == "# Relay plan\n[[not a link]]\n\nSecond page"


def test_of_a_long_document_the_beginning_is_taken(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", *(f"Page {number}" for number in range(30)))
    pages = read(path, tmp_path, pages=2)
    assert pages is not None and pages.fields == {"pages": 30}
    assert [(section.title, section.text) for section in pages.sections] == [
        ("Text, the beginning", "Page 0\n\nPage 1")
    ]
    short = read(pdf(tmp_path / "b.pdf", "word " * 100), tmp_path, max_length=103)
    assert short is not None and short.sections[0].text == "word " * 19 + "word…"


def test_pages_without_text_are_only_counted(tmp_path: Path) -> None:
    assert read(pdf(tmp_path / "scan.pdf", "", ""), tmp_path) == Result(fields={"pages": 2})


def test_a_document_with_a_password_is_left_alone(tmp_path: Path) -> None:
    assert read(pdf(tmp_path / "a.pdf", "secret", password="x"), tmp_path) is None


def test_other_documents_are_left_alone(tmp_path: Path) -> None:
    assert read(DEMO / "songs.txt", tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"no pdf", b"%PDF-1.7\n" + b"\xff" * 500, b"%PDF-1.4\n%%EOF"])
def test_a_broken_file_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(Unreadable, match="not readable as a PDF"):
        read(tmp_path / "a.pdf", tmp_path)


async def test_cut_and_damaged_documents_harm_nobody(tmp_path: Path) -> None:
    whole = (DEMO / "relay-plan.pdf").read_bytes()
    items = [make_item(DEMO / "relay-plan.pdf", tmp_path / "work")]
    for number in range(12):
        path = tmp_path / f"{number}.pdf"
        damaged = bytearray(whole)
        for at in range(number * 7, len(whole), 97):
            damaged[at] ^= 0x5A
        path.write_bytes(whole[: len(whole) * number // 12] if number % 2 else damaged)
        items.append(make_item(path, tmp_path / f"work{number}"))
    first, *rest = await try_plugins(PLUGIN, items, env=os.environ)
    assert first.outcome == "result" and "Selector hall" in first.detail
    for trial in rest:
        assert trial.outcome != "failed" or trial.detail.startswith("not readable as a PDF"), trial
