"""Every path of the vault."""

from __future__ import annotations

from datetime import date
from itertools import islice

import pytest

from tobs.model.media import FileItem, FileKind
from tobs.render.catalogue import catalogue
from tobs.vault.attachments import attachment_candidates
from tobs.vault.layout import (
    LAYOUTS,
    NotePath,
    audio_candidates,
    chat_candidates,
    choose_layout,
    folder_of_note,
    note_candidates,
    period_of,
    person_candidates,
)

DAY = date(2024, 1, 2)
FOLDER = "Telegram/News"


def attachments(item: FileItem, index: int = 0, count: int = 3) -> list[str]:
    names = attachment_candidates(FOLDER, item, DAY, 5, index, what=catalogue("en")(f"name.{item.kind}"))
    return list(islice(names, count))


def test_a_message_has_a_note_in_the_folder_of_its_month() -> None:
    place = NotePath(FOLDER, DAY, 5, "first words")
    assert LAYOUTS["message"](place) == "Telegram/News/2024/01/2024-01-02 5 first words.md"


def test_a_message_without_words_has_no_space_at_the_end() -> None:
    assert LAYOUTS["message"](NotePath(FOLDER, DAY, 5, "")) == "Telegram/News/2024/01/2024-01-02 5.md"


def test_messages_of_a_day_or_a_month_share_a_note() -> None:
    place = NotePath(f"{FOLDER}/Topics/Tea", DAY, 5, "first words")
    assert LAYOUTS["day"](place) == "Telegram/News/Topics/Tea/2024/2024-01-02.md"
    assert LAYOUTS["month"](place) == "Telegram/News/Topics/Tea/2024/2024-01.md"
    assert [period_of(layout, DAY) for layout in ("message", "day", "month")] == ["", "2024-01-02", "2024-01"]


def test_layout_auto_is_message_up_to_ten_thousand_and_day_above() -> None:
    assert choose_layout("auto", 10_000)[0] == "message"
    assert choose_layout("auto", 10_001) == ("day", "it has more than 10000 messages (10001)")
    assert choose_layout("month", 1)[0] == "month"


def test_a_taken_note_is_numbered() -> None:
    assert list(islice(note_candidates("a/b.md"), 3)) == ["a/b.md", "a/b 2.md", "a/b 3.md"]


def test_a_chat_note_lies_in_the_folder_of_its_name() -> None:
    first, second = islice(chat_candidates("News", -1000000000005), 2)
    assert first == "Telegram/News/News.md"
    assert second == "Telegram/News (-1000000000005)/News (-1000000000005).md"
    assert folder_of_note(second) == "Telegram/News (-1000000000005)"


def test_a_sender_has_a_note_among_the_people() -> None:
    assert next(person_candidates("Anna K.", 7)) == "Telegram/People/Anna K.md"


def test_audio_is_called_by_performer_and_title() -> None:
    names = audio_candidates("AC/DC", "T.N.T.", "ab12cd34ef", otherwise="x")
    assert list(islice(names, 2)) == ["Telegram/Audio/AC-DC - T.N.T.md", "Telegram/Audio/AC-DC - T.N.T (ab12cd34).md"]


def test_audio_without_a_title_is_called_otherwise() -> None:
    names = audio_candidates("Someone", " ", "ab12", otherwise="News 2024-01-02 5")
    assert next(names) == "Telegram/Audio/News 2024-01-02 5.md"


def test_a_file_without_a_name_is_called_by_date_and_kind() -> None:
    photo = FileItem("photo", "image/jpeg")
    assert attachments(photo)[:2] == [
        "Telegram/News/media/2024-01-02 5 photo.jpg",
        "Telegram/News/media/2024-01-02 5 photo 2.jpg",
    ]
    assert attachments(photo, index=1)[0] == "Telegram/News/media/2024-01-02 5 photo 2.jpg"


def test_a_file_with_a_name_keeps_it_and_takes_the_message_id_where_it_is_taken() -> None:
    assert attachments(FileItem("document", "application/pdf", name="Report.PDF")) == [
        "Telegram/News/media/Report.pdf",
        "Telegram/News/media/Report (5).pdf",
        "Telegram/News/media/Report (5) 2.pdf",
    ]


@pytest.mark.parametrize(
    ("kind", "mime", "name", "path"),
    [
        ("voice", "audio/ogg", "", "2024-01-02 5 voice message.ogg"),
        ("voice", "audio/ogg", "a.oga", "2024-01-02 5 voice message.ogg"),
        ("document", "audio/ogg", "memo.oga", "memo.ogg"),
        ("audio", "audio/ogg", "song.opus", "song.ogg"),
        ("sticker", "application/x-tgsticker", "AnimatedSticker.tgs", "2024-01-02 5 sticker.tgs"),
        ("round", "video/mp4", "", "2024-01-02 5 video message.mp4"),
        ("document", "application/x-unheard-of", "", "2024-01-02 5 document.bin"),
        ("document", "application/pdf", "no extension", "no extension.pdf"),
        ("document", "text/plain", "../../../.bashrc", "bashrc.txt"),
        ("document", "text/plain", "C:\\Users\\me\\notes.txt", "notes.txt"),
        ("document", "text/plain", "aux.txt", "aux_.txt"),
        ("document", "text/markdown", "README.md", "README.md.txt"),
        ("document", "", "evil.canvas", "evil.canvas.txt"),
        ("audio", "audio/mpeg", "", "Anna - Song.mp3"),
    ],
)
def test_an_attachment_has_a_readable_and_harmless_name(kind: FileKind, mime: str, name: str, path: str) -> None:
    item = FileItem(kind, mime, name=name, performer="Anna", title="Song")
    assert attachments(item)[0] == f"Telegram/News/media/{path}"


def test_a_very_long_file_name_keeps_its_extension_and_its_id() -> None:
    paths = attachments(FileItem("document", name="漢" * 5000 + ".pdf"), count=2)
    assert paths[0].endswith("漢.pdf")
    assert paths[1].endswith("漢 (5).pdf")
    assert all(len(path) <= 160 and len(path.rpartition("/")[2].encode()) <= 240 for path in paths)
