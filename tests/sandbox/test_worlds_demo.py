"""The demo world: all common features of Telegram in less than five megabytes."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mutagen
import pytest
from telethon.extensions import BinaryReader
from telethon.tl import types

import tobs.sandbox.worlds.demo as demo
from tobs.sandbox.worlds import RpcError, World, open_world
from tobs.sandbox.worlds.demo.build_pdf import floor_plan, pdf, steps
from tobs.sandbox.worlds.demo.story import read_story
from tobs.sandbox.worlds.demo.world import CHANNEL, GROUP
from tobs.sandbox.worlds.tl import Tl, walk

KINDS = """
    MessageEntityBold MessageEntityItalic MessageEntityUnderline MessageEntityStrike MessageEntitySpoiler
    MessageEntityCode MessageEntityPre MessageEntityTextUrl MessageEntityUrl MessageEntityEmail MessageEntityPhone
    MessageEntityMention MessageEntityHashtag MessageEntityCashtag MessageEntityBotCommand MessageEntityBlockquote
    MessageEntityCustomEmoji MessageMediaPhoto MessageMediaDocument MessageMediaPoll MessageMediaToDo MessageMediaGeo
    MessageMediaGeoLive MessageMediaVenue MessageMediaContact MessageMediaDice MessageMediaGame MessageMediaWebPage
    DocumentAttributeSticker DocumentAttributeAudio DocumentAttributeVideo DocumentAttributeAnimated
    MessageActionChannelCreate MessageActionChatEditTitle MessageActionChatEditPhoto MessageActionChatDeletePhoto
    MessageActionPinMessage MessageActionChatAddUser MessageActionChatJoinedByLink MessageActionChatJoinedByRequest
    MessageActionChatDeleteUser MessageActionGroupCall MessageActionGroupCallScheduled MessageActionInviteToGroupCall
    MessageActionGameScore MessageActionTodoCompletions MessageActionTodoAppendTasks MessageActionBoostApply
    MessageFwdHeader MessageReplyHeader MessageReplies ReplyInlineMarkup InlineButtonTypeUrl InlineButtonTypeCallback
    InlineButtonTypeCopy ReactionEmoji ReactionCustomEmoji ReactionPaid PhotoStrippedSize
""".split()  # noqa: SIM905

DATA = Path(demo.__file__).parent / "data"


@cache
def world() -> World:
    return open_world("demo")


def messages(chat: int) -> Iterator[Tl]:
    history = world().history(chat)
    for id in history.slice(0, history.count):
        yield BinaryReader(history.raw(id)).tgread_object()


@cache
def kinds() -> Counter[str]:
    """Count the TL types in the messages of the channel and its group."""
    found: Counter[str] = Counter()
    for target in world().targets:
        for message in messages(world().resolve(target)):
            found.update(type(item).__name__ for item in walk(message))
    return found


def test_it_is_small_and_of_the_size_of_a_little_channel() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 2_500_000
    channel, group = (world().history(world().resolve(target)) for target in world().targets)
    assert channel.count > 200
    assert group.count > 140
    assert channel.top_id > channel.count, "deleted messages leave holes"


def test_every_message_parses_back_to_the_bytes_it_was_served_as() -> None:
    again = open_world("demo")
    for chat in world().dialogs():
        history = world().history(chat)
        for id in history.slice(0, history.count):
            data = history.raw(id)
            assert bytes(BinaryReader(data).tgread_object()) == data
            assert again.history(chat).raw(id) == data


def test_it_has_everything_an_export_meets() -> None:
    assert [kind for kind in KINDS if not kinds()[kind]] == []


def test_it_has_every_manner_of_message() -> None:
    found = [message for target in world().targets for message in messages(world().resolve(target))]
    said = [message for message in found if isinstance(message, types.Message)]
    words = "".join(message.message for message in said)
    bidi = {unicodedata.bidirectional(sign) for sign in words}
    albums = Counter(message.grouped_id for message in said if message.grouped_id)
    entities = [entity for message in said for entity in message.entities or []]
    polls = [message.media.poll for message in said if isinstance(message.media, types.MessageMediaPoll)]
    headers = [message.fwd_from for message in said if message.fwd_from]
    assert {"R", "AL"} <= bidi
    assert "\u200d" in words, "emoji joined by ZWJ"
    assert "\u200c" in words, "Persian with its half spaces"
    assert set(albums.values()) >= {2, 3, 4, 5}
    assert any(poll.quiz for poll in polls) and any(poll.multiple_choice for poll in polls)
    assert any(entity.collapsed for entity in entities if isinstance(entity, types.MessageEntityBlockquote))
    assert any(header.from_name for header in headers) and any(header.channel_post for header in headers)
    assert any(message.reply_to and message.reply_to.quote_text for message in said)
    assert any(message.edit_date for message in said) and any(message.via_bot_id for message in said)
    assert any(message.post_author for message in said) and any(len(message.message) > 1500 for message in said)
    assert any(message.media.spoiler for message in said if isinstance(message.media, types.MessageMediaPhoto))
    assert any(_overlap(message.entities or []) for message in said), "spans that overlap without nesting"
    assert {"t.me/tobs_demo/"} <= {word[:15] for word in words.split() if word.startswith("t.me/")}


def _overlap(entities: list[Tl]) -> bool:
    spans = [(entity.offset, entity.offset + entity.length) for entity in entities]
    return any(a < c < b < d for a, b in spans for c, d in spans)


def test_every_file_is_there_and_recordings_have_their_tags_and_length() -> None:
    kept = world()
    titles = set()
    for chat in kept.dialogs():
        for message in messages(chat):
            for item in walk(message):
                if isinstance(item, types.Photo):
                    for size in item.sizes:
                        if not isinstance(size, types.PhotoStrippedSize):
                            told = size.sizes[-1] if isinstance(size, types.PhotoSizeProgressive) else size.size
                            assert kept.files.open("photo", item.id, size.type, item.file_reference).size == told
                elif isinstance(item, types.Document):
                    blob = kept.files.open("document", item.id, "", item.file_reference)
                    assert blob.size == item.size == len(blob.read(0, blob.size))
    for path in sorted((DATA / "music").glob("chimes.*")):
        titles.add(
            str(mutagen.File(path, easy=path.suffix == ".mp3").tags["©nam" if path.suffix == ".m4a" else "title"][0])
        )
    assert titles == {"Chimes They Fade"}
    assert all((DATA / folder / "LICENCE.txt").is_file() for folder in ("voice", "music"))


def test_replies_point_to_messages_that_are_there() -> None:
    for chat in world().dialogs():
        for message in messages(chat):
            if message.reply_to is not None:
                assert world().history(chat).has(message.reply_to.reply_to_msg_id), message.id


def test_comments_are_counted_under_their_post() -> None:
    channel = world().resolve("@tobs_demo")
    counts = {message.id: message.replies.replies for message in messages(channel) if message.replies}
    assert len(counts) >= 6
    assert all(count > 0 for count in counts.values())


def test_a_page_brings_everybody_it_names() -> None:
    kept = world()
    for chat in kept.dialogs():
        history = kept.history(chat)
        ids = history.slice(0, history.count)
        users, chats = kept.page_entities(chat, ids)
        known = {user.id for user in users} | {chat.id for chat in chats}
        for message in messages(chat):
            for item in walk(message):
                named = getattr(item, "user_id", None) or getattr(item, "channel_id", None)
                assert not named or named in known, (chat, message.id, type(item))


def test_there_is_more_than_the_channel_and_one_closed_door() -> None:
    kept = world()
    assert len(kept.dialogs()) >= 5
    assert kept.me.id in kept.dialogs()
    closed = kept.resolve(kept.unreadable_targets[0])
    with pytest.raises(RpcError, match="CHANNEL_PRIVATE"):
        kept.history(closed)


def test_the_plan_is_what_its_script_writes() -> None:
    assert (DATA / "files" / "relay-plan.pdf").read_bytes() == pdf([floor_plan(), steps()])


def test_a_story_that_goes_back_in_time_or_says_no_time_is_refused() -> None:
    for source in ("@ 2024-03-02 10:00\nx\n@ 09:00\ny", "@ soon\nx", "words first\n@ 2024-03-02 10:00\nx"):
        with pytest.raises(ValueError, match=r"older|time|starts"):
            read_story(source)


def test_buttons_lead_where_they_say() -> None:
    urls = [
        button.type.url
        for item in walk(list(messages(CHANNEL)) + list(messages(GROUP)))
        if isinstance(item, types.KeyboardInlineButtonRow)
        for button in item.buttons
        if isinstance(button.type, types.InlineButtonTypeUrl)
    ]
    assert len(urls) >= 4
    assert [url for url in urls if not url.startswith("https://t.me/tobs_demo")] == []


def test_no_markup_of_the_story_is_left_in_a_text() -> None:
    for chat in (CHANNEL, GROUP):
        assert [message.id for message in messages(chat) if "](" in (getattr(message, "message", "") or "")] == []


def test_a_forwarded_album_is_an_album_of_the_same_posts() -> None:
    album = [each for each in messages(GROUP) if getattr(each, "grouped_id", None) and each.fwd_from]
    album.sort(key=lambda each: each.id)
    posts = [each.fwd_from.channel_post for each in album]
    assert len(posts) == 4
    assert posts == list(range(posts[0], posts[0] + 4))
    originals = {each.id: each for each in messages(CHANNEL)}
    assert [originals[post].media.photo.id for post in posts] == [each.media.photo.id for each in album]
