"""Changes of a world: posts, edits, deletions, reactions, expired file references."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl import types

from tobs.sandbox.worlds import COMMON, Change, RpcError, World, open_world


def small() -> tuple[World, int]:
    world = open_world("synthetic:messages=60,media=0.5,sparse=3,seed=5")
    return world, world.resolve("@synthetic")


def test_a_post_gets_the_next_id_and_the_next_pts() -> None:
    world, chat = small()
    top, pts = world.history(chat).top_id, world.pts(chat)
    heard: list[Change] = []
    world.changes.listeners.append(heard.append)
    id = world.post(chat, "hello", reply_to=top)
    assert (id, world.pts(chat), world.history(chat).top_id) == (top + 1, pts + 1, top + 1)
    assert world.history(chat).get(id).message == "hello"
    assert heard == world.changes.since(chat, pts) == [Change("new", chat, (id,), pts + 1, 1, heard[0].date)]


def test_an_edit_keeps_the_message_and_tells_its_time() -> None:
    world, chat = small()
    id = world.history(chat).at(3)
    before = world.history(chat).get(id)
    world.edit(chat, id, "changed")
    after = world.history(chat).get(id)
    assert (after.message, after.media, after.date) == ("changed", before.media, before.date)
    assert after.edit_date is not None
    assert world.changes.since(chat, 0)[-1].kind == "edit"


def test_a_reaction_has_no_pts() -> None:
    world, chat = small()
    id, pts = world.post(chat, "x"), world.pts(chat)
    world.react(chat, id, "🔥")
    world.react(chat, id, "🔥")
    world.react(chat, id, "👍", 7)
    counts = {result.reaction.emoticon: result.count for result in world.history(chat).get(id).reactions.results}
    assert counts == {"🔥": 2, "👍": 7}
    assert world.pts(chat) == pts


def test_the_id_of_a_deleted_newest_message_is_not_given_again() -> None:
    world, chat = small()
    id = world.post(chat, "gone soon")
    assert world.delete(chat, [id, 999_999]) == [id]
    assert not world.history(chat).has(id)
    assert world.post(chat, "next") == id + 1


def test_private_chats_share_one_sequence_of_ids_and_one_pts() -> None:
    world, _ = small()
    first, second = 5_000_001, 5_000_002
    one = world.post(first, "a")
    two = world.post(second, "b")
    assert two == one + 1
    assert [change.chat for change in world.changes.since(COMMON, 0)] == [first, second]
    assert world.dialogs()[:2] == [first, second]


def test_a_reference_expires_and_is_renewed_by_fetching_the_message() -> None:
    world, chat = small()
    history = world.history(chat)
    photos = (history.get(id) for id in history.slice(0, history.count))
    message = next(m for m in photos if isinstance(m.media, types.MessageMediaPhoto))
    photo = message.media.photo
    world.files.locations.expire()
    with pytest.raises(RpcError, match="FILE_REFERENCE_EXPIRED"):
        world.files.open("photo", photo.id, "x", photo.file_reference)
    with pytest.raises(RpcError, match="FILE_REFERENCE_INVALID"):
        world.files.open("photo", photo.id, "x", b"never given")
    fresh = history.get(message.id).media.photo
    assert world.files.open("photo", fresh.id, "x", fresh.file_reference).size == fresh.sizes[-1].size


def test_files_are_spread_over_the_data_centres_there_are() -> None:
    world, chat = small()
    world.files.locations.use_dcs(3)
    history = world.history(chat)
    media = [history.get(id).media for id in history.slice(0, history.count)]
    dcs = {m.photo.dc_id for m in media if isinstance(m, types.MessageMediaPhoto)}
    assert dcs <= {2, 4, 1}
    assert len(dcs) > 1


def test_what_is_unknown_is_refused_by_telegrams_names() -> None:
    world, chat = small()
    for name, ask in {
        "USERNAME_NOT_OCCUPIED": lambda: world.resolve("@nobody"),
        "FILE_ID_INVALID": lambda: world.files.open("photo", 12),
        "MESSAGE_ID_INVALID": lambda: world.edit(chat, 999_999, "x"),
        "PEER_ID_INVALID": lambda: world.history(12),
        "CHANNEL_INVALID": lambda: world.history(-1000000000012),
    }.items():
        with pytest.raises(RpcError, match=name):
            ask()


@given(st.lists(st.tuples(st.sampled_from(["post", "delete", "hole"]), st.integers(0, 400)), max_size=40))
@settings(max_examples=40, deadline=None)
def test_positions_agree_with_a_plain_list_whatever_happened(steps: list[tuple[str, int]]) -> None:
    world, chat = small()
    history = world.history(chat)
    known = sorted(history.slice(0, history.count))
    for verb, number in steps:
        if verb == "delete":
            gone = world.delete(chat, [known[number % len(known)]]) if known else []
            known = [id for id in known if id not in gone]
        else:
            known.append(world.post(chat, "x", id=history.highest_id + number if verb == "hole" else 0))
    assert history.count == len(known)
    assert history.slice(0, history.count) == known[::-1]
    assert history.top_id == max(known, default=0)
    for id in [*known[::5], 1, 77, 10_000]:
        assert history.position(id) == sum(1 for other in known if other >= id)
        assert history.has(id) == (id in known)
