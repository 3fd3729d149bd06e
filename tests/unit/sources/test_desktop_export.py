"""A Telegram Desktop export as messages: the exporter's forms, old and new, and its traps."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.errors import TransferFailed, UsageError
from tobs.model import Chat, Contact, Entity, FileItem, Invoice, Message, Page, Poll, utf16_length
from tobs.sources.desktop.actions import action_of
from tobs.sources.desktop.files import open_files
from tobs.sources.desktop.ids import chat_id_of, peer_id
from tobs.sources.desktop.messages import ReadContext
from tobs.sources.desktop.pages import read_pages
from tobs.sources.desktop.raw import open_raw
from tobs.sources.desktop.summary import ExportSummary, summarize
from tobs.sources.desktop.text import text_of

TRAPS = Path(__file__).parents[2] / "data" / "tdesktop" / "traps"
HTML = TRAPS.with_name("html")
NAMES = ("result.json", "contacts/bo.vcard")
UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
CHAT, OLD = -1000000000077, -500000000077


def read(path: Path, zone: ZoneInfo = UTC) -> tuple[ExportSummary, dict[int, list[Page]]]:
    files = open_files(path)
    try:
        found = summarize(files, zone=zone)
        with open_raw(files) as raw:
            chats = read_pages(raw, found, ReadContext(zone, found.names))
            pages = {one.chat.chat.id: list(one.pages) for one in chats}
    finally:
        files.close()
    return found, pages


def messages_of(pages: Sequence[Page]) -> dict[tuple[int, int], Message]:
    return {(message.chat_id, message.id): message for page in pages for message in page.messages}


@pytest.fixture(scope="module")
def traps() -> dict[tuple[int, int], Message]:
    return messages_of(read(TRAPS)[1][CHAT])


def export(folder: Path, messages: Sequence[dict[str, Any]], **header: Any) -> Path:
    """An export of one chat with ``messages``."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"name": "Pier", "type": "private_supergroup", "id": 5} | header | {"messages": list(messages)}
    (folder / "result.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
    return folder


def said(message_id: int, text: Any = "hello", **more: Any) -> dict[str, Any]:
    day = f"2024-05-01T10:{message_id // 60 % 60:02d}:{message_id % 60:02d}"
    told = {"id": message_id, "type": "message", "date": day, "from": "Ada", "from_id": "user11", "text": text}
    return told | more


def test_every_message_of_the_traps_is_read_and_pages_settle_nothing(traps: dict[tuple[int, int], Message]) -> None:
    text = (TRAPS / "result.json").read_text()
    assert len(traps) == text.count('\n   "type": "')
    assert all(page.high < page.low for pages in read(TRAPS)[1].values() for page in pages)


def test_negative_ids_are_the_group_that_was_before(traps: dict[tuple[int, int], Message]) -> None:
    assert sorted(id for chat, id in traps if chat == OLD) == [1, 3, 4, 10]
    inside, across = traps[OLD, 4].reply, traps[CHAT, 2].reply
    assert inside is not None and (inside.chat_id, inside.message_id) == (0, 3)
    assert across is not None and (across.chat_id, across.message_id) == (OLD, 3)


def test_nested_pieces_keep_their_styles(traps: dict[tuple[int, int], Message]) -> None:
    message = traps[CHAT, 12]
    assert message.text == "only nested array"
    assert message.entities == (Entity("bold", 5, 6), Entity("italic", 8, 3))


def test_a_custom_emoji_is_known_by_no_path(traps: dict[tuple[int, int], Message]) -> None:
    emoji = [entity for entity in traps[CHAT, 9].entities if entity.kind == "custom_emoji"]
    assert [one.custom_emoji_id for one in emoji] == [0]


@given(st.lists(st.tuples(st.sampled_from(["plain", "bold", "pre"]), st.text()), max_size=8))
def test_entities_lie_over_the_text_of_their_piece(pieces: list[tuple[str, str]]) -> None:
    found = text_of([{"type": kind, "text": text} for kind, text in pieces])
    assert found.text == "".join(text for _, text in pieces)
    encoded = found.text.encode("utf-16-le", "surrogatepass")
    styled = [text for kind, text in pieces if kind != "plain" and text]
    for entity, text in zip(found.entities, styled, strict=True):
        part = encoded[2 * entity.offset : 2 * (entity.offset + entity.length)]
        assert part.decode("utf-16-le", "surrogatepass") == text and entity.length == utf16_length(text)


def test_dates_without_a_unix_time_are_local_ones(tmp_path: Path) -> None:
    folder = export(tmp_path, [said(1), said(2, date_unixtime="1714550000")])
    [utc], [berlin] = read(folder)[1].values(), read(folder, BERLIN)[1].values()
    assert [message.date for message in berlin[0].messages] == [utc[0].messages[0].date - 7200, 1714550000]


def test_unsupported_messages_stand_at_the_date_of_the_one_before(tmp_path: Path) -> None:
    folder = export(tmp_path, [said(1), {"id": 2, "type": "unsupported"}, said(3)])
    [[page]] = read(folder)[1].values()
    assert [message.kind for message in page.messages] == ["message", "unsupported", "message"]
    assert page.messages[1].date == page.messages[0].date


@pytest.mark.parametrize(
    ("kind", "value", "marked"),
    [
        ("channel", 5, -1000000000005),
        ("supergroup", 2 * 2**32 + 5, -1000000000005),
        ("group", 5, -5),
        ("group", 2**32 + 5, -5),
        ("private", 5, 5),
        ("private", "5", 0),
        ("private", None, 0),
    ],
)
def test_ids_of_chats_are_read_in_both_forms(kind: Any, value: Any, marked: int) -> None:
    assert chat_id_of(kind, value) == marked


def test_ids_of_people_are_read_in_both_forms() -> None:
    assert [peer_id(one) for one in ("user5", "chat5", "channel5", 5, 2**32 + 5, 2 * 2**32 + 5)] == [
        5, -5, -1000000000005, 5, -5, -1000000000005,
    ]  # fmt: skip
    assert [peer_id(one) for one in ("user", "user-5", "userx", None, True, -3, 3 << 40, "5")] == [0] * 8


def photo(message_id: int, at: str, **more: Any) -> dict[str, Any]:
    return said(message_id, "", date=at, photo=f"photos/{message_id}.jpg", **more)


def test_neighbours_of_one_second_and_sender_are_taken_for_an_album(tmp_path: Path) -> None:
    at, later = "2024-05-01T10:00:00", "2024-05-01T10:00:01"
    told = [photo(1, at), photo(2, at), photo(3, later), photo(4, later, from_id="user12"), photo(6, later)]
    [[page]] = read(export(tmp_path, told))[1].values()
    assert [message.album_id for message in page.messages] == [-1, -1, 0, 0, 0]


def test_an_album_has_ten_parts_at_most_and_goes_on_across_pages(tmp_path: Path) -> None:
    told = [said(number) for number in range(1, 96)] + [photo(n, "2024-06-01T10:00:00") for n in range(96, 108)]
    [pages] = read(export(tmp_path, told))[1].values()
    albums = [message.album_id for page in pages for message in page.messages][95:]
    assert albums == [-96] * 10 + [-106] * 2


def test_files_left_out_and_files_gone_are_told_apart(traps: dict[tuple[int, int], Message]) -> None:
    items = {id: message.media for (_, id), message in traps.items() if isinstance(message.media, FileItem)}
    here, left_out, big = items[57], items[72], items[90]
    assert (here.path, here.elsewhere) == ("photos/here.jpg", False)
    assert (left_out.path, left_out.elsewhere) == ("", True)
    assert big.elsewhere and big.size == 3_000_000_000
    gone = FileItem("photo", mime="image/jpeg")
    [[page]] = read_one(said(1, photo="(File unavailable, please try again later)"))
    assert page.messages[0].media == gone


def read_one(told: dict[str, Any]) -> list[list[Page]]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return list(read(export(Path(folder), [told]))[1].values())


def test_json_inside_text_is_read(traps: dict[tuple[int, int], Message]) -> None:
    invoice = next(message.media for message in traps.values() if isinstance(message.media, Invoice))
    assert invoice.title == "I"
    polls = [message.media for message in traps.values() if isinstance(message.media, Poll)]
    assert {poll.question.text for poll in polls} == {"old?", "new 🙂"}


def test_what_is_pressed_and_said_have_one_key_and_both_are_kept(traps: dict[tuple[int, int], Message]) -> None:
    action = traps[CHAT, 336].action
    assert action is not None and (action.kind, action.values) == ("web_view_data_sent", {"text": "Pressed"})


def test_the_card_of_a_contact_is_read_from_its_file(tmp_path: Path) -> None:
    contact = {"first_name": "Bo", "last_name": "Berg", "phone_number": "+43 1"}
    folder = export(tmp_path, [said(1, "", contact_information=contact, contact_vcard="contacts/bo.vcard")])
    (folder / "contacts").mkdir()
    (folder / "contacts" / "bo.vcard").write_text("BEGIN:VCARD")
    for path in (folder, zipped(tmp_path / "a.zip", {n: (folder / n).read_bytes() for n in NAMES})):
        files = open_files(path)
        with open_raw(files) as raw:
            found = summarize(files, zone=UTC)
            chats = read_pages(raw, found, ReadContext(UTC, read_text=files.read_text))
            [told] = [message for chat in chats for page in chat.pages for message in page.messages]
        files.close()
        assert told.media == Contact("Bo", "Berg", "+43 1", vcard="BEGIN:VCARD")


def test_an_action_of_tomorrow_keeps_its_name_and_values() -> None:
    action = action_of({"id": 1, "type": "service", "action": "fly", "height": 3, "text": ""}, UTC, lambda name: 0)
    assert (action.kind, action.values) == ("fly", {"height": 3})


def test_unknown_keys_are_counted(tmp_path: Path) -> None:
    found, _ = read(export(tmp_path, [said(1, tomorrow=1), said(2, tomorrow=2)], later={}))
    assert found.unknown_keys == {"tomorrow": 2}
    assert found.ignored == {"unknown key later": 1}


def test_a_whole_account_gives_every_chat_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    one = {"name": "Bo", "type": "personal_chat", "id": 12, "messages": [said(7), said(9, from_id="user12")]}
    left = {"name": "Old", "type": "private_channel", "id": 6, "messages": [said(1)]}
    saved = {"type": "saved_messages", "id": 11, "messages": [said(8)]}
    strange = {"type": None, "id": 3, "messages": [said(1)]}
    account = {
        "about": "…",
        "personal_information": {"user_id": 11, "first_name": "Ada", "phone_number": "+1"},
        "contacts": {"about": "…", "list": [{"user_id": 12}]},
        "chats": {"about": "…", "list": [one, saved, strange]},
        "left_chats": {"about": "…", "list": [left]},
    }
    (tmp_path / "result.json").write_text(json.dumps(account), "utf-8")
    found, pages = read(tmp_path)
    assert [(one.chat.id, one.chat.title, one.chat.kind) for one in found.chats] == [
        (12, "Bo", "private"),
        (11, "Saved Messages", "saved"),
        (-1000000000006, "Old", "channel"),
    ]
    assert found.exporter_id == 11 and found.ignored == {"contacts": 1, "chats without a known type or id": 1}
    assert {chat: len(messages_of(one)) for chat, one in pages.items()} == {12: 2, 11: 1, -1000000000006: 1}
    assert [message.out for message in pages[12][0].messages] == [True, False]


def test_in_a_private_chat_the_other_sender_is_who_exported(tmp_path: Path) -> None:
    told = [said(1, from_id="user12", **{"from": "Bo"}), said(2, from_id="user11")]
    found, _ = read(export(tmp_path, told, type="personal_chat", id=12, name="Bo"))
    assert found.exporter_id == 11


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_gives_what_is_whole_and_says_where_it_ends(tmp_path: Path, cut: float) -> None:
    folder = export(tmp_path, [said(number) for number in range(1, 200)])
    whole = (folder / "result.json").read_bytes()
    (folder / "result.json").write_bytes(whole[: int(len(whole) * cut)])
    found, pages = read(folder)
    ids = [message.id for page in next(iter(pages.values())) for message in page.messages]
    assert ids == list(range(1, len(ids) + 1)) and len(ids) == found.chats[0].id_ranges[-1000000000005].count
    assert cut * 150 < len(ids) <= 199 and "ends after" in found.broken


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"messages": 3}', "no json", '{"a": [1, 2]}', "[" + json.dumps(said(1)) + "]", "\x00\x01"],
)
def test_a_file_that_is_not_an_export_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content, "utf-8")
    with pytest.raises(UsageError, match="not a Telegram Desktop export"):
        read(tmp_path)


def zipped(path: Path, members: dict[str, bytes], packed: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packed) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_a_zip_is_read_like_its_folder(tmp_path: Path) -> None:
    names = [path for path in TRAPS.rglob("*") if path.is_file()]
    path = zipped(tmp_path / "a.zip", {f"Export/{one.relative_to(TRAPS)}": one.read_bytes() for one in names})
    assert messages_of(read(path)[1][CHAT]) == messages_of(read(TRAPS)[1][CHAT])
    files = open_files(path)
    assert files.fetch("photos/here.jpg", tmp_path / "part", "copy") == 3000
    with pytest.raises(TransferFailed):
        files.fetch("../outside", tmp_path / "part", "copy")
    files.close()


@pytest.mark.parametrize("name", ["../result.json", "/etc/passwd", "a/../../b", "..\\b", "C:\\b"])
def test_a_zip_with_a_way_out_is_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.zip", {"result.json": b"{}", name: b"x"})
    with pytest.raises(UsageError, match="leads out"):
        open_files(path)


def test_a_zip_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"result.json": b"{}", "photos/big.jpg": b"\0" * 120_000_000})
    with pytest.raises(UsageError, match="unpack to 120,000,000 bytes"):
        open_files(path)


def test_a_folder_gives_no_file_from_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    folder = export(tmp_path / "export", [said(1)])
    (folder / "link").symlink_to(tmp_path / "secret")
    files = open_files(folder)
    for path in ("../secret", str(tmp_path / "secret"), "link", "", "photos"):
        with pytest.raises(TransferFailed):
            files.fetch(path, tmp_path / "part", "copy")
    assert not (tmp_path / "part").exists()


def test_an_export_in_html_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    files = open_files(HTML, Chat(CHAT, "supergroup", "Harbour & Pier"))
    found = summarize(files, zone=UTC)
    with open_raw(files) as raw:
        chats = read_pages(raw, found, ReadContext(UTC, size_of=files.size_of))
        read = {message.id: message for chat in chats for page in chat.pages for message in page.messages}
    assert sorted(read) == [1, 2, 3, 4, 5, 6] and found.chats[0].chat.title == "Harbour & Pier"
    assert read[2].text == (
        "Plain, bold, italic, gone and code <1>\nsecond line: a link, https://example.org/, #pier hidden"
    )
    kinds = [entity.kind for entity in read[2].entities]
    assert kinds == ["bold", "italic", "strikethrough", "code", "text_link", "url", "hashtag", "spoiler"]
    assert read[2].date == 1714550405 and read[2].signature == "Ada"
    assert read[3].reply is not None and read[3].reply.message_id == 2 and read[3].signature == "Ada"
    picture, voice = read[3].media, read[4].media
    assert isinstance(picture, FileItem) and (picture.kind, picture.size) == ("photo", 3000)
    assert isinstance(voice, FileItem) and (voice.kind, voice.elsewhere, voice.duration) == ("voice", True, 65.0)
    assert read[5].forward is not None and read[5].forward.from_name == "News" and read[5].text == "forwarded words"
    poll = read[6].media
    assert isinstance(poll, Poll) and [(one.text.text, one.voters) for one in poll.answers] == [
        ("The old one", 3),
        ("The new one", 1),
    ]
    action = read[1].action
    assert action is not None and action.values == {"message": "Ada created group «Harbour & Pier»"}
