"""The one table of MIME types: forwards and backwards it says the same."""

from __future__ import annotations

import pytest

from tobs.model.mime import suffix_of, suffix_of_type, type_of_name


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("song.MP3", "audio/mpeg"),
        ("voice.oga", "audio/ogg"),
        ("voice.ogg", "audio/ogg"),
        ("book.m4a", "audio/mp4"),
        ("clip.webm", "video/webm"),
        ("a.b/photo.JPEG", "image/jpeg"),
        ("notes.md", "text/markdown"),
        ("sticker.tgs", "application/x-tgsticker"),
        ("no suffix", ""),
        (".bashrc", ""),
        ("what.is this?", ""),
    ],
)
def test_a_name_tells_its_type_on_every_machine(name: str, mime: str) -> None:
    assert type_of_name(name) == mime


@pytest.mark.parametrize(
    "mime", ["audio/mpeg", "audio/ogg", "image/webp", "video/mp4", "application/pdf", "image/tiff", "text/vcard"]
)
def test_a_file_named_after_its_type_is_read_as_that_type(mime: str) -> None:
    assert type_of_name(f"file{suffix_of('', mime)}") == mime


def test_parameters_and_case_of_a_type_do_not_matter() -> None:
    assert suffix_of_type("Text/Plain; charset=utf-8") == "txt"
    assert suffix_of_type("nonsense") == suffix_of_type("") == ""


def test_the_suffix_of_a_voice_message_stays_what_results_of_plugins_were_stored_under() -> None:
    # It is a part of the key of every stored result: another one would have each voice message transcribed again.
    assert suffix_of("", "audio/ogg") == ".oga"
