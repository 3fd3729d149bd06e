from __future__ import annotations

import msgspec
import pytest
from telethon.tl import types

from tests.tl_factory import DATE, build, constructors
from tobs.model import (
    Action,
    Entity,
    FileItem,
    Message,
    RemoteFile,
    RichBlock,
    UnknownMedia,
    message_files,
    message_state,
    thumbnail_of,
)
from tobs.telegram.convert import chat_of, media_of, message_of, person_of, record_of
from tobs.telegram.convert.entities import KINDS, entity_of
from tobs.telegram.convert.files import waveform_steps
from tobs.telegram.convert.media import CONVERTERS
from tobs.telegram.convert.messages import action_of
from tobs.telegram.net.reader import pack_messages, parse, read_history

MEDIA = constructors(types.MessageMediaEmpty)
ACTIONS = constructors(types.MessageActionEmpty)
ENTITIES = constructors(types.MessageEntityBold)
BLOCKS = constructors(types.PageBlockDivider)
RICH = constructors(types.TextPlain)


def message(**fields: object) -> types.Message:
    return types.Message(**{"id": 9, "peer_id": types.PeerChannel(5), "date": DATE, "message": "hello", **fields})


def roundtrip(value: Message) -> Message:
    return msgspec.json.decode(msgspec.json.encode(value), type=Message)


def reread(value: object) -> object:
    """Read an object again from its bytes."""
    return parse(bytes(value))


def test_the_media_table_covers_every_constructor_of_the_layer() -> None:
    assert set(CONVERTERS) == set(MEDIA)


def test_the_entity_table_covers_every_constructor_of_the_layer() -> None:
    assert set(KINDS) == set(ENTITIES)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("kind", MEDIA, ids=lambda kind: kind.__name__)
def test_every_media_becomes_a_model_that_survives_json(kind: type, full: bool) -> None:
    converted = message_of(reread(message(media=build(kind, full=full))))
    assert converted is not None
    assert roundtrip(converted) == converted
    assert message_state(converted)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("kind", ACTIONS, ids=lambda kind: kind.__name__)
def test_every_action_becomes_a_model_that_survives_json(kind: type, full: bool) -> None:
    raw = types.MessageService(id=9, peer_id=types.PeerChannel(5), date=DATE, action=build(kind, full=full))
    converted = message_of(reread(raw))
    assert converted is not None and converted.action is not None
    assert converted.kind == "service"
    assert roundtrip(converted) == converted


@pytest.mark.parametrize("kind", ENTITIES, ids=lambda kind: kind.__name__)
def test_every_entity_keeps_its_span(kind: type) -> None:
    entity = entity_of(build(kind, full=True))
    assert (entity.offset, entity.length) == (7, 7)


@pytest.mark.parametrize("kind", BLOCKS + RICH, ids=lambda kind: kind.__name__)
def test_every_rich_block_becomes_a_tree_that_survives_json(kind: type) -> None:
    node = build(kind, full=True)
    block = node if kind in BLOCKS else types.PageBlockParagraph(node)
    converted = message_of(reread(message(rich_message=types.RichMessage([block], [], []))))
    assert converted is not None and len(converted.blocks) == 1
    assert roundtrip(converted) == converted


def test_a_full_message_keeps_every_field() -> None:
    raw = message(
        post=True,
        silent=True,
        pinned=True,
        noforwards=True,
        fwd_from=types.MessageFwdHeader(DATE, from_id=types.PeerChannel(8), channel_post=3, post_author="Ann"),
        reply_to=types.MessageReplyHeader(reply_to_msg_id=4, quote=True, quote_text="hel"),
        via_bot_id=11,
        views=10,
        forwards=2,
        replies=types.MessageReplies(6, 1, comments=True, channel_id=77),
        edit_date=DATE,
        post_author="Bob",
        grouped_id=123,
        reactions=types.MessageReactions(
            [
                types.ReactionCount(types.ReactionEmoji("👍"), 3),
                types.ReactionCount(types.ReactionCustomEmoji(99), 2),
                types.ReactionCount(types.ReactionPaid(), 1),
            ]
        ),
        reply_markup=types.ReplyInlineMarkup(
            [
                types.KeyboardInlineButtonRow(
                    [types.KeyboardInlineButton("Go", types.InlineButtonTypeUrl("https://a.b"))]
                )
            ]
        ),
        ttl_period=60,
        restriction_reason=[types.RestrictionReason("all", "terms", "not here")],
        factcheck=types.FactCheck(1, country="xx", text=types.TextWithEntities("false", [])),
    )
    found = message_of(reread(raw))
    assert found is not None
    assert (found.chat_id, found.sender_id, found.date) == (-1000000000005, -1000000000005, int(DATE.timestamp()))
    assert found.forward is not None and found.forward.message_id == 3
    assert found.forward.chat_id == found.forward.from_id == -1000000000008
    assert found.reply is not None and found.reply.quote == "hel"
    assert [item.count for item in found.reactions] == [3, 2, 1]
    assert found.reactions[2].paid
    assert found.buttons[0][0].url == "https://a.b"
    assert (found.views, found.forwards, found.comments) == (10, 2, 6)
    assert (found.restriction, found.fact_check, found.album_id, found.ttl) == ("not here", "false", 123, 60)
    assert (found.silent, found.no_forwards, found.pinned) == (True, True, True)
    assert (found.via_bot, found.signature, found.edited) == (11, "Bob", int(DATE.timestamp()))
    assert found.forward.signature == "Ann" and found.reply.message_id == 4


@pytest.mark.parametrize(
    "keyboard",
    [
        types.ReplyKeyboardHide(),
        types.ReplyKeyboardForceReply(),
        types.ReplyKeyboardMarkup([types.KeyboardButtonRow([types.KeyboardButton("Yes", types.ButtonTypeDefault())])]),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_keyboard_that_is_not_under_the_message_is_no_button_of_it(keyboard: object) -> None:
    found = message_of(reread(message(reply_markup=keyboard)))
    assert found is not None and found.text == "hello" and found.buttons == ()


def test_times_read_as_numbers_and_as_datetimes_are_the_same() -> None:
    raw = message(edit_date=DATE)
    assert message_of(raw) == message_of(reread(raw))


def test_an_edit_that_telegram_hides_is_none() -> None:
    assert message_of(message(edit_date=DATE, edit_hide=True)).edited == 0  # type: ignore[union-attr]


def test_private_messages_are_sent_by_one_of_the_two_sides() -> None:
    incoming = message_of(message(peer_id=types.PeerUser(3)), me=1)
    outgoing = message_of(message(peer_id=types.PeerUser(3), out=True), me=1)
    assert incoming is not None and outgoing is not None
    assert (incoming.sender_id, outgoing.sender_id) == (3, 1)


def test_the_first_message_of_a_topic_answers_the_topic_and_nobody() -> None:
    plain = message_of(message(reply_to=types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=40)))
    answer = message_of(
        message(reply_to=types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=44, reply_to_top_id=40))
    )
    assert plain is not None and answer is not None
    assert (plain.topic_id, plain.reply) == (40, None)
    assert answer.topic_id == 40 and answer.reply is not None and answer.reply.message_id == 44


def test_an_empty_message_is_none() -> None:
    assert message_of(types.MessageEmpty(id=1, peer_id=types.PeerChannel(5))) is None


def test_a_photo_is_fetched_in_its_largest_size() -> None:
    sizes = [
        types.PhotoStrippedSize("i", b"x" * 40),
        types.PhotoSize("m", 320, 200, 900),
        types.PhotoSizeProgressive("y", 1280, 800, [100, 200, 30000]),
        types.PhotoSize("x", 800, 500, 90000),
    ]
    item = media_of(types.MessageMediaPhoto(photo=types.Photo(1, 2, b"r", DATE, sizes, 4)))
    assert isinstance(item, FileItem) and item.remote is not None
    assert (item.remote.thumb, item.size, item.width, item.remote.dc) == ("y", 30000, 1280, 4)


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ([], "document"),
        ([types.DocumentAttributeVideo(3.5, 640, 480)], "video"),
        ([types.DocumentAttributeVideo(3.5, 640, 480), types.DocumentAttributeAnimated()], "gif"),
        ([types.DocumentAttributeVideo(3.5, 384, 384, round_message=True)], "round"),
        ([types.DocumentAttributeAudio(3, voice=True, waveform=b"\xff\x03")], "voice"),
        ([types.DocumentAttributeAudio(3, title="T", performer="P")], "audio"),
        ([types.DocumentAttributeSticker("😀", types.InputStickerSetEmpty())], "sticker"),
        (
            [types.DocumentAttributeSticker("😀", types.InputStickerSetEmpty()), types.DocumentAttributeVideo(3, 5, 5)],
            "sticker",
        ),
    ],
)
def test_a_document_is_what_its_attributes_say(attributes: list[object], kind: str) -> None:
    document = types.Document(1, 2, b"r", DATE, "x/y", 10, 2, attributes)
    item = media_of(types.MessageMediaDocument(document=document))
    assert isinstance(item, FileItem)
    assert item.kind == kind


def test_music_names_its_largest_thumbnail_and_nothing_else_does() -> None:
    thumbs = [
        types.PhotoStrippedSize("i", b"x"),
        types.PhotoSize("m", 320, 320, 9_000),
        types.PhotoSize("s", 90, 90, 700),
    ]
    told = []
    for attributes in ([types.DocumentAttributeAudio(3)], [types.DocumentAttributeVideo(3, 5, 5)]):
        document = types.Document(1, 2, b"r", DATE, "x/y", 10, 2, attributes, thumbs=thumbs)
        item = media_of(types.MessageMediaDocument(document=document))
        assert isinstance(item, FileItem)
        told.append(thumbnail_of(item))
    assert told == [FileItem("photo", remote=RemoteFile("document", 1, 2, b"r", 2, "m")), None]


def test_media_that_destroyed_itself_is_a_file_telegram_no_longer_has() -> None:
    item = media_of(types.MessageMediaDocument(voice=True, ttl_seconds=5))
    assert item == FileItem("voice", ttl=5)


def test_a_waveform_is_unpacked_five_bits_a_step() -> None:
    packed = sum(value << (5 * index) for index, value in enumerate([1, 31, 0, 7, 16, 3, 9, 30])).to_bytes(5, "little")
    assert waveform_steps(packed) == bytes([1, 31, 0, 7, 16, 3, 9, 30])


def test_an_action_tells_peers_as_marked_ids_and_drops_what_is_not_set() -> None:
    assert action_of(types.MessageActionChannelMigrateFrom("T", 5)) == Action(
        "channel_migrate_from", {"title": "T", "chat_id": -5}
    )
    call = types.MessageActionPhoneCall(5, reason=types.PhoneCallDiscardReasonMissed(), duration=3)
    assert action_of(call).values == {"call_id": 5, "reason": "missed", "duration": 3}
    reached = types.MessageActionGeoProximityReached(types.PeerUser(1), types.PeerChat(2), 50)
    assert action_of(reached).values == {"from_id": 1, "to_id": -2, "distance": 50}


def test_a_collapsed_quote_is_expandable() -> None:
    assert entity_of(types.MessageEntityBlockquote(0, 3, collapsed=True)) == Entity("expandable_blockquote", 0, 3)


def test_unsupported_media_marks_its_message() -> None:
    found = message_of(message(media=types.MessageMediaUnsupported()))
    assert found is not None
    assert found.kind == "unsupported" and isinstance(found.media, UnknownMedia)


def test_rich_blocks_nest_in_reading_order() -> None:
    table = types.PageBlockTable(
        types.TextPlain("T"), [types.PageTableRow([types.PageTableCell(header=True, text=types.TextPlain("a"))])]
    )
    heading = types.PageBlockHeading2(types.TextConcat([types.TextPlain("a"), types.TextBold(types.TextPlain("b"))]))
    found = message_of(message(rich_message=types.RichMessage([heading, table], [], [])))
    assert found is not None
    plain_a = RichBlock("plain", "a")
    assert found.blocks == (
        RichBlock("heading", "", {"level": 2}, (plain_a, RichBlock("bold", children=(RichBlock("plain", "b"),)))),
        RichBlock(
            "table",
            children=(
                RichBlock("title", children=(RichBlock("plain", "T"),)),
                RichBlock("table_row", children=(RichBlock("table_cell", "", {"header": True}, (plain_a,)),)),
            ),
        ),
    )


def test_files_beside_the_media_are_attached_once() -> None:
    photo = types.Photo(5, 1, b"", DATE, [types.PhotoSize("y", 2, 2, 9)], 2)
    rich = types.RichMessage(
        [types.PageBlockPhoto(5, types.PageCaption(types.TextEmpty(), types.TextEmpty()))], [photo, photo], []
    )
    found = message_of(reread(message(message="", rich_message=rich)))
    assert found is not None
    assert [item.remote.id for item in found.attached if item.remote] == [5]
    assert found.blocks[0].values["photo_id"] == 5
    assert message_files(found) == found.attached


def test_a_reply_to_a_message_that_cannot_be_seen_says_whose_it_was() -> None:
    header = types.MessageReplyHeader(reply_from=types.MessageFwdHeader(DATE, from_name="Eve"), quote_text="hm")
    found = message_of(reread(message(reply_to=header)))
    assert found is not None and found.reply is not None
    assert (found.reply.from_name, found.reply.quote, found.reply.message_id) == ("Eve", "hm", 0)


def test_chats_and_people_tell_their_kind() -> None:
    channel = types.Channel(5, "C", types.ChatPhotoEmpty(), DATE, broadcast=True, access_hash=7, username="cc")
    group = types.Chat(6, "G", types.ChatPhotoEmpty(), 3, DATE, 1, migrated_to=types.InputChannel(5, 7))
    me = types.User(1, is_self=True, first_name="Me", access_hash=3)
    gone = types.User(2, deleted=True, access_hash=3)
    assert chat_of(channel).kind == "channel" and chat_of(channel).is_public  # type: ignore[union-attr]
    assert chat_of(group).migrated_to == -1000000000005  # type: ignore[union-attr]
    assert chat_of(me).kind == "saved"  # type: ignore[union-attr]
    assert person_of(gone).name == "Deleted Account"  # type: ignore[union-attr]
    assert record_of(channel).access_hash == 7  # type: ignore[union-attr]
    assert record_of(types.User(3, min=True, access_hash=5)) is None


def test_a_history_answer_is_taken_apart_with_the_bytes_of_each_message() -> None:
    raws = [message(id=number) for number in (30, 20, 10)]
    user = types.User(1, first_name="A", access_hash=2)
    for answer in (
        types.messages.ChannelMessages(8, 99, raws, [], [], [user], offset_id_offset=4),
        types.messages.MessagesSlice(99, raws, [], [], [user], next_rate=3, offset_id_offset=4),
        types.messages.Messages(raws, [], [], [user]),
    ):
        found = read_history(bytes(answer))
        assert [item.id for item, _ in found.messages] == [30, 20, 10] and found.complete
        assert [raw for _, raw in found.messages] == [bytes(item) for item in raws]
        assert found.users[0].first_name == "A"
        packed = parse(pack_messages([found.messages[2][1], found.messages[0][1]], found.tail))
        assert [item.id for item in packed.messages] == [10, 30] and packed.users[0].id == 1


def test_an_unknown_constructor_leaves_the_newer_messages_readable() -> None:
    raws = [message(id=number) for number in (30, 20, 10)]
    body = bytes(types.messages.ChannelMessages(8, 3, raws, [], [], []))
    broken = body.replace(bytes(raws[1])[:4], b"\x01\x02\x03\x04", 2).replace(
        b"\x01\x02\x03\x04", bytes(raws[0])[:4], 1
    )
    found = read_history(broken)
    assert (found.total, [item.id for item, _ in found.messages]) == (3, [30])
    assert "04030201" in found.reason


def test_a_topic_that_is_reopened_or_shown_again_says_so() -> None:
    assert action_of(types.MessageActionTopicEdit(closed=False)).values == {"closed": False}
    assert action_of(types.MessageActionTopicEdit(hidden=False)).values == {"hidden": False}
    assert action_of(types.MessageActionTopicEdit(title="New")).values == {"title": "New"}


def test_a_performer_that_android_did_not_know_is_none() -> None:
    song = types.DocumentAttributeAudio(duration=3, title="Song", performer="<unknown>")
    document = types.Document(1, 2, b"r", DATE, "audio/mpeg", 3, 4, [song])
    found = media_of(types.MessageMediaDocument(document=document))
    assert isinstance(found, FileItem)
    assert (found.title, found.performer) == ("Song", "")
