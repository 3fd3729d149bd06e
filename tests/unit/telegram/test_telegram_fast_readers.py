"""The fast readers read the same as Telethon."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.extensions import BinaryReader
from telethon.tl import types
from telethon.tl.alltlobjects import tlobjects

from tobs.telegram.net import fast_readers
from tobs.telegram.net.reader import Reader, parse

ids = st.integers(1, 2**40)
small = st.integers(0, 2**31 - 1)
peers = st.one_of(ids.map(types.PeerUser), ids.map(types.PeerChat), ids.map(types.PeerChannel))
spans = [kind for kind in tlobjects.values() if fast_readers._is_plain_entity(kind)]
entities = st.one_of(
    st.builds(lambda kind, offset, length: kind(offset, length), st.sampled_from(spans), small, small),
    st.builds(types.MessageEntityTextUrl, small, small, st.text()),
    st.builds(types.MessageEntityPre, small, small, st.text()),
    st.builds(types.MessageEntityBlockquote, small, small, collapsed=st.booleans()),
)
truths = st.sampled_from([None, True])
usual = st.fixed_dictionaries(
    {"id": small, "peer_id": peers, "date": small, "message": st.text()},
    optional={
        **dict.fromkeys(fast_readers._BOOLEAN_FLAGS, truths),
        "from_id": peers,
        "fwd_from": st.builds(types.MessageFwdHeader, small, from_id=peers),
        "reply_to": st.builds(types.MessageReplyHeader, reply_to_msg_id=small, forum_topic=truths),
        "media": st.sampled_from([types.MessageMediaUnsupported(), types.MessageMediaGeo(types.GeoPointEmpty())]),
        "reply_markup": st.just(types.ReplyKeyboardHide()),
        "entities": st.lists(entities),
        "replies": st.builds(types.MessageReplies, small, small, recent_repliers=st.lists(peers)),
        "edit_date": small,
        "post_author": st.text(),
        "grouped_id": ids,
        "reactions": st.just(types.MessageReactions([])),
    },
)
rare = st.fixed_dictionaries(
    {},
    optional={
        "via_bot_id": ids,
        "ttl_period": small,
        "saved_peer_id": peers,
        "effect": ids,
        "offline": truths,
        "restriction_reason": st.just([types.RestrictionReason("all", "porn", "no")]),
    },
)


def fields(message: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(message).items() if not name.startswith("_")}


class Unknowing(BinaryReader):  # type: ignore[misc]  # telethon is untyped
    """Telethon's own reader, but for dates, which stay numbers."""

    def tgread_date(self) -> int:
        return int(self.read_int())


@given(usual, rare, st.none() | small)
def test_a_message_is_read_as_telethon_reads_it(usual: dict[str, Any], rare: dict[str, Any], views: int | None) -> None:
    body = bytes(types.Message(**usual, **rare, views=views, forwards=views))
    read, theirs = parse(body), Unknowing(body).tgread_object()
    assert isinstance(read, types.Message) and bytes(read) == body
    assert fields(read) == fields(theirs)


@given(st.lists(st.tuples(peers, st.lists(entities)), max_size=5))
def test_a_message_ends_where_the_next_one_begins(contents: list[tuple[Any, list[Any]]]) -> None:
    messages = [types.Message(1, peer, 2, "text", entities=found) for peer, found in contents]
    reader = Reader(b"".join(map(bytes, messages)))
    assert [bytes(reader.tgread_object()) for _ in messages] == list(map(bytes, messages))
    assert reader.position == len(reader.stream)


def test_a_message_with_an_empty_medium_has_none() -> None:
    body = bytes(types.Message(1, types.PeerUser(5), 2, "", reactions=types.MessageReactions([])))
    empty = body[:4] + (int.from_bytes(body[4:8], "little") | fast_readers._MEDIA).to_bytes(4, "little") + body[8:]
    end = empty.index(bytes(types.MessageReactions([])))
    read = parse(empty[:end] + bytes(types.MessageMediaEmpty()) + empty[end:])
    assert read.media is None and read.reactions is not None


def test_the_fast_reader_knows_the_messages_of_this_layer() -> None:
    assert types.Message.CONSTRUCTOR_ID == fast_readers._MESSAGE, "the layer's message changed: write its reader anew"
    assert len(spans) > 10 and types.MessageEntityBold in spans


def test_a_message_of_another_layer_is_left_to_telethon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(types.Message, "CONSTRUCTOR_ID", 7)
    assert fast_readers.readers()[fast_readers._MESSAGE] == types.Message.from_reader
