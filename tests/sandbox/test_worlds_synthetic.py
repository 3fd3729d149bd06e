"""The synthetic world: one result for one seed, any size, holes between ids, valid files."""

from __future__ import annotations

import io
import warnings
import zlib
from itertools import pairwise

import mutagen
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.extensions import BinaryReader
from telethon.tl import types

from tobs.errors import UsageError
from tobs.sandbox.worlds import World, open_world, sample_files
from tobs.sandbox.worlds.sparse_ids import BLOCK, SparseIds

SPEC = "synthetic:messages=600,chats=2,media=0.3,sparse=20,seed=11"


def everything(world: World) -> list[bytes]:
    """Return all messages of a world, serialised."""
    found = []
    for target in world.targets:
        history = world.history(world.resolve(target))
        found += [history.raw(id) for id in history.slice(0, history.count)]
    return found


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others() -> None:
    assert everything(open_world(SPEC)) == everything(open_world(SPEC))
    assert everything(open_world(SPEC)) != everything(open_world(SPEC.replace("seed=11", "seed=12")))


def test_every_message_parses_back_to_the_bytes_it_was_served_as() -> None:
    for data in everything(open_world(SPEC)):
        assert bytes(BinaryReader(data).tgread_object()) == data


def test_messages_are_as_long_as_people_write_and_carry_what_people_send() -> None:
    messages = [BinaryReader(data).tgread_object() for data in everything(open_world(SPEC))]
    texts = [message for message in messages if isinstance(message, types.Message)]
    assert 200 < sum(len(message.message) for message in texts) / len(texts) < 600
    for name in ("entities", "reply_to", "fwd_from", "reactions", "edit_date", "from_id", "views", "grouped_id"):
        assert any(getattr(message, name) is not None for message in texts), name
    share = sum(message.media is not None for message in texts) / len(texts)
    assert 0.2 < share < 0.4


def test_entities_stay_inside_their_text() -> None:
    for data in everything(open_world(SPEC)):
        message = BinaryReader(data).tgread_object()
        length = len((message.message or "").encode("utf-16-le")) // 2
        assert all(e.offset >= 0 and e.offset + e.length <= length for e in message.entities or [])


def test_every_file_has_the_size_its_message_tells_and_is_what_it_says() -> None:
    world = open_world(SPEC)
    kinds = set()
    for data in everything(world)[:250]:
        media = BinaryReader(data).tgread_object().media
        if isinstance(media, types.MessageMediaPhoto):
            for size in media.photo.sizes:
                blob = world.files.open("photo", media.photo.id, size.type, media.photo.file_reference)
                assert blob.size == size.size
                assert (blob.read(0, 3), blob.read(blob.size - 2, 9)) == (b"\xff\xd8\xff", b"\xff\xd9")
            kinds.add("image/jpeg")
        elif isinstance(media, types.MessageMediaDocument):
            document = media.document
            blob = world.files.open("document", document.id, "", document.file_reference)
            whole = blob.read(0, blob.size)
            assert len(whole) == document.size
            kinds.add(document.mime_type)
            if document.mime_type == "audio/ogg":
                recording = mutagen.File(io.BytesIO(whole))
                assert round(recording.info.length) == document.attributes[0].duration
            elif document.mime_type == "text/plain":
                whole.decode()
    assert kinds == {"image/jpeg", "image/png", "text/plain", "audio/ogg"}


@given(seed=st.integers(0, 2**64 - 1), more=st.integers(0, 130_000))
@settings(max_examples=15, deadline=None)
def test_pictures_have_the_size_asked_for_and_open(seed: int, more: int) -> None:
    from PIL import Image

    for make, least, width in (
        (sample_files.jpeg, sample_files.JPEG_LEAST, sample_files.JPEG_WIDTH),
        (sample_files.png, sample_files.PNG_LEAST, sample_files.PNG_WIDTH),
    ):
        data = make(seed, least + more)
        assert len(data) == least + more
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as picture:
            warnings.simplefilter("ignore")
            picture.load()
            assert picture.width == width


def test_a_png_has_right_checksums() -> None:
    data = sample_files.png(3, 20_001)
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind_and_body = data[at + 4 : at + 8 + size]
        assert int.from_bytes(data[at + 8 + size : at + 12 + size], "big") == zlib.crc32(kind_and_body)
        at += 12 + size
    assert at == len(data)


@given(count=st.integers(0, 700), sparse=st.integers(1, 60), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_rank_and_select_agree_whatever_the_holes(count: int, sparse: int, seed: int) -> None:
    spread = SparseIds(count, sparse, seed)
    ids = [spread.at(rank) for rank in range(count)]
    assert ids == sorted(set(ids))
    assert all(0 < id <= (count + BLOCK) * sparse for id in ids)
    assert [spread.rank(id) for id in ids] == list(range(count))
    assert all(spread.has(id) for id in ids)
    known = set(ids)
    for id in range(1, min(4000, spread.top_id + 3)):
        assert spread.has(id) == (id in known)
        assert spread.rank(id) == sum(1 for other in ids if other < id) or id > 300  # the slow way, for the first ones


def test_holes_are_small_and_large() -> None:
    spread = SparseIds(2000, 50, 7)
    ids = [spread.at(rank) for rank in range(2000)]
    gaps = [after - before for before, after in pairwise(ids)]
    assert min(gaps) == 1
    assert max(gaps) > 1500


def test_a_million_messages_are_there_without_being_held() -> None:
    world = open_world("synthetic:messages=1000000,media=0.1,sparse=50")
    history = world.history(world.resolve("@synthetic"))
    assert history.count == 1_000_000
    middle = history.at(500_000)
    assert history.position(middle) == 500_001
    assert history.get(middle).id == middle
    date = int(history.get(middle).date.timestamp())
    assert abs(history.position_of_date(date) - 500_001) <= 1


@pytest.mark.parametrize("spec", ["messages=x", "colour=3", "media=2", "messages=-1", "chats=0"])
def test_a_plan_that_cannot_be_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        open_world(f"synthetic:{spec}")


def test_there_is_no_other_world() -> None:
    with pytest.raises(UsageError, match="no world"):
        open_world("no-such-file.json")
