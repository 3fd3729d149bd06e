"""The world of a Telegram Desktop export with the exporter's special cases (tests/data/tdesktop/traps)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import types

from tobs.errors import UsageError
from tobs.sandbox.worlds import RpcError, World, open_world
from tobs.sandbox.worlds.tdesktop.peers import marked_id
from tobs.sandbox.worlds.tdesktop.text import read_text
from tobs.sandbox.worlds.tl import Tl

TRAPS = Path(__file__).parents[1] / "data" / "tdesktop" / "traps"
CHAT = -1000000000077


@pytest.fixture(scope="module")
def world() -> World:
    return open_world(str(TRAPS))


@pytest.fixture(scope="module")
def messages(world: World) -> list[Tl]:
    """Return the messages of the supergroup, oldest first."""
    history = world.history(CHAT)
    return [BinaryReader(history.raw(id)).tgread_object() for id in reversed(history.slice(0, history.count))]


def said(messages: list[Tl], words: str) -> Tl:
    return next(message for message in messages if words in (message.message or ""))


def test_every_message_is_there_under_its_id_and_parses_back(world: World) -> None:
    text = (TRAPS / "result.json").read_text()
    history = world.history(CHAT)
    written = text.count('\n   "type": "')
    assert history.count + world.history(_old(world)).count == written
    for id in history.slice(0, history.count):
        assert bytes(BinaryReader(history.raw(id)).tgread_object()) == history.raw(id)
        assert f'"id": {id},' in text


def _old(world: World) -> int:
    return world.peers.full_info[CHAT].migrated_from


def test_it_is_found_by_a_username_made_of_its_id(world: World) -> None:
    assert world.targets == ["@export_77"]
    assert world.resolve("export_77") == CHAT
    assert world.dialogs() == [CHAT]


def test_negative_ids_are_the_group_it_grew_from(world: World, messages: list[Tl]) -> None:
    old = world.history(_old(world))
    assert old.slice(0, 9)[::-1] == [1, 3, 4, 10]
    assert old.get(4).reply_to.reply_to_msg_id == 3
    across = said(messages, "across the migration").reply_to
    assert (across.reply_to_msg_id, across.reply_to_peer_id.chat_id) == (3, -_old(world))
    assert world.peers.entities[_old(world)].migrated_to.channel_id == 77


def test_runs_become_entities_over_utf16(messages: list[Tl]) -> None:
    message = said(messages, "@ada")
    encoded = message.message.encode("utf-16-le")
    by_kind = {
        type(entity).__name__: encoded[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")
        for entity in message.entities
    }
    assert by_kind["MessageEntityBold"] == "👨‍👩‍👧 bold"
    assert by_kind["MessageEntityCustomEmoji"] == "🙂"
    assert by_kind["MessageEntityPre"] == "print(1)"
    assert len(message.entities) == 20  # neither plain nor unknown, and nothing without length


def test_nested_arrays_are_read_as_deep_as_they_go() -> None:
    text, entities = read_text(["a ", {"type": "bold", "text": ["😀", {"type": "italic", "text": "b"}]}])
    assert text == "a 😀b"
    assert sorted((type(e).__name__, e.offset, e.length) for e in entities) == [
        ("MessageEntityBold", 2, 3),
        ("MessageEntityItalic", 4, 1),
    ]


def test_broken_escapes_and_doubled_keys_are_read(messages: list[Tl]) -> None:
    assert said(messages, "no JSON").message == "via \x1f, which is no JSON, and \\x41, which is"
    sent = next(m for m in messages if isinstance(m.action, types.MessageActionWebViewDataSent))
    assert sent.action.text == "Pressed"


def test_senders_and_forwards_of_every_age(world: World, messages: list[Tl]) -> None:
    assert said(messages, "the group speaks").from_id.channel_id == 77
    assert said(messages, "as before 2021").from_id.user_id == 14
    assert world.peers.entities[said(messages, "a deleted account").from_id.user_id].deleted
    assert said(messages, "forwarded, hidden").fwd_from.from_name == "Somebody"
    assert said(messages, "from a channel").fwd_from.from_id.channel_id == 88
    assert said(messages, "forwarded, deleted").fwd_from.from_name == "Deleted Account"
    assert said(messages, "reply elsewhere").reply_to.reply_to_peer_id.channel_id == 88
    with pytest.raises(RpcError, match="CHANNEL_PRIVATE"):
        world.history(-1000000000088)


def test_old_ids_carry_their_kind_in_the_upper_half() -> None:
    assert marked_id((2 << 32) + 5) == marked_id("channel5") == -1000000000005
    assert marked_id((1 << 32) + 5) == marked_id("chat5") == -5
    assert marked_id(5) == marked_id("user5") == 5
    assert marked_id(None) == marked_id("nobody") == 0


def test_a_file_that_is_there_is_served_and_one_that_is_not_says_so(world: World, messages: list[Tl]) -> None:
    photos = [m.media.photo for m in messages if isinstance(m.media, types.MessageMediaPhoto)]
    served = world.files.open("photo", photos[0].id, "y", photos[0].file_reference)
    assert served.read(0, served.size) == (TRAPS / "photos" / "here.jpg").read_bytes()
    assert [photo.sizes[0].size for photo in photos] == [served.size, 5000, 5000, 5000]
    for photo in photos[1:]:  # not included, gone, and a path that leads out of the folder
        with pytest.raises(RpcError, match="LOCATION_INVALID"):
            world.files.open("photo", photo.id, "y", photo.file_reference)
    documents = [m.media.document for m in messages if isinstance(m.media, types.MessageMediaDocument)]
    assert world.files.open("document", documents[0].id).read(0, 99) == b"A paper that is here.\n"
    assert documents[-1].size == 3_000_000_000


def test_reactions_buttons_and_counts_come_along(messages: list[Tl]) -> None:
    reactions = said(messages, "reactions").reactions
    assert [type(r.reaction).__name__ for r in reactions.results] == [
        "ReactionEmoji",
        "ReactionCustomEmoji",
        "ReactionPaid",
        "ReactionEmpty",
    ]
    assert reactions.recent_reactions[0].peer_id.user_id == 12
    rows = said(messages, "buttons").reply_markup.rows
    assert rows[0].buttons[1].type.data == b"\0\x01\xff"
    assert len(rows[1].buttons) == 12


@pytest.mark.parametrize(
    "kind",
    [
        "Geo",
        "GeoLive",
        "Venue",
        "Contact",
        "Game",
        "Invoice",
        "Poll",
        "ToDo",
        "Giveaway",
        "GiveawayResults",
        "PaidMedia",
        "Unsupported",
    ],
)
def test_every_kind_of_media_has_its_place(messages: list[Tl], kind: str) -> None:
    assert any(type(message.media).__name__ == f"MessageMedia{kind}" for message in messages)


def test_a_rich_message_keeps_its_tree_and_has_no_text(messages: list[Tl]) -> None:
    rich = next(message for message in messages if message.rich_message is not None)
    assert rich.message == ""
    names = [type(block).__name__ for block in rich.rich_message.blocks]
    assert names[:4] == ["PageBlockHeading2", "PageBlockParagraph", "PageBlockPreformatted", "PageBlockDivider"]
    assert len(names) == 14
    assert (len(rich.rich_message.photos), len(rich.rich_message.documents)) == (1, 1)


def test_no_action_is_lost_and_one_of_tomorrow_is_told_in_words(messages: list[Tl]) -> None:
    actions = [message.action for message in messages if isinstance(message, types.MessageService)]
    custom = [action.message for action in actions if isinstance(action, types.MessageActionCustomAction)]
    assert len({type(action) for action in actions}) > 55
    assert custom[-1] == "You allowed this bot to message you"
    assert json.loads(custom[-2]) == {"action": "a_thing_of_tomorrow", "what": "who knows"}


def test_other_shapes_of_an_export_are_read(tmp_path: Path) -> None:
    said_once = {
        "id": 3,
        "type": "message",
        "date": "2024-01-01T00:00:00",
        "text": "x",
        "from": "A",
        "from_id": "user4",
    }
    whole = {
        "personal_information": {"user_id": 4, "first_name": "A"},
        "chats": {
            "list": [
                {"type": "saved_messages", "id": 4, "messages": [said_once]},
                {"name": None, "type": "personal_chat", "id": 5, "messages": [said_once]},
                {"name": "G", "type": "private_group", "id": 6, "messages": [said_once]},
                {"name": "C", "type": "public_channel", "id": (2 << 32) + 7, "messages": [said_once]},
            ]
        },
    }
    (tmp_path / "result.json").write_text(json.dumps(whole))
    world = open_world(str(tmp_path))
    assert world.targets == ["me", "5", "-6", "@export_7"]
    assert world.me.id == 4
    (tmp_path / "result.json").write_text(json.dumps([said_once]))
    assert open_world(str(tmp_path / "result.json")).targets == ["@export_1"]


@pytest.mark.parametrize("content", ["", "{}", "not JSON", '{"about": "me"}'])
def test_what_is_no_export_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(UsageError):
        open_world(str(tmp_path))


def test_a_channel_that_links_to_its_own_posts_has_the_name_they_tell(tmp_path: Path) -> None:
    def link(name: str, number: int) -> dict[str, object]:
        part = {"type": "link", "text": f"https://t.me/{name}/{number}"}
        return {"id": number, "type": "message", "date_unixtime": "1", "text": "", "text_entities": [part]}

    def name_of(*messages: dict[str, object]) -> str:
        chat = {"name": "C", "type": "public_channel", "id": 7, "messages": messages}
        (tmp_path / "result.json").write_text(json.dumps(chat))
        world = open_world(str(tmp_path))
        assert world.resolve("export_7") == -1000000000007
        assert world.resolve(world.targets[0]) == -1000000000007
        return world.targets[0]

    own = [link("MyClub", number) for number in range(1, 6)]
    assert name_of(*own) == "@MyClub"
    assert name_of(*own[:4]) == "@export_7"
    strange = {**link("MyClub", 99), "id": 6}
    assert name_of(*own, strange) == "@export_7"
