"""messages.getHistory and its offsets, checked against the plain rule on the list of ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon import errors
from telethon.tl import functions, types

from tobs.sandbox import Sandbox, open_world
from tobs.sandbox.rpc import serialise
from tobs.sandbox.services.history import get_history, ids_hash
from tobs.sandbox.worlds import World


class CallStub:
    """The parts of a call that a service needs if it only reads the world."""

    def __init__(self, world: World, messages_range: object = None) -> None:
        self.world = world
        self.range = messages_range


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield open_world("synthetic:messages=250,chats=1,media=0.1,sparse=3,seed=11")


def all_ids(world: World) -> list[int]:
    history = world.history(world.resolve(world.targets[0]))
    return history.slice(0, history.count)


def request(world: World, **fields: object) -> functions.messages.GetHistoryRequest:
    entity = world.entity(world.resolve(world.targets[0]))
    plain = {"offset_id": 0, "offset_date": None, "add_offset": 0, "limit": 100, "max_id": 0, "min_id": 0, "hash": 0}
    return functions.messages.GetHistoryRequest(
        types.InputPeerChannel(entity.id, entity.access_hash), **(plain | fields)
    )


def ids_of(world: World, page: object) -> list[int]:
    history = world.history(world.resolve(world.targets[0]))
    by_bytes = {history.raw(id): id for id in history.slice(0, history.count)}
    return [by_bytes[message.data] for message in page.messages]  # type: ignore[attr-defined]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    offset_id=st.integers(0, 800),
    add_offset=st.integers(-150, 300),
    limit=st.integers(-1, 130),
    min_id=st.integers(0, 800),
    max_id=st.integers(0, 800),
)
def test_a_page_is_the_window_of_the_newest_first_list(
    world: World, offset_id: int, add_offset: int, limit: int, min_id: int, max_id: int
) -> None:
    ids = all_ids(world)
    asked = request(world, offset_id=offset_id, add_offset=add_offset, limit=limit, min_id=min_id, max_id=max_id)
    start = (sum(1 for id in ids if id >= offset_id) if offset_id else 0) + add_offset
    window = ids[max(0, start) : max(0, start + min(max(limit, 0), 100))]
    expected = [id for id in window if (not min_id or id > min_id) and (not max_id or id < max_id)]
    page = get_history(CallStub(world), asked)
    assert ids_of(world, page) == expected
    assert page.count == len(ids)


def test_walking_up_by_add_offset_sees_every_message_once(world: World) -> None:
    seen: list[int] = []
    cursor = 1
    while page := ids_of(world, get_history(CallStub(world), request(world, offset_id=cursor, add_offset=-100))):
        seen += reversed(page)
        cursor = page[0] + 1
    assert seen == sorted(all_ids(world))


def test_an_offset_date_begins_with_the_messages_before_it(world: World) -> None:
    history = world.history(world.resolve(world.targets[0]))
    ids = all_ids(world)
    date = history.get(ids[40]).date
    page = ids_of(world, get_history(CallStub(world), request(world, offset_date=date, limit=5)))
    assert page == [id for id in ids if history.get(id).date < date][:5]


def test_the_hash_of_an_unchanged_page_saves_the_page(world: World) -> None:
    page = ids_of(world, get_history(CallStub(world), request(world, limit=30)))
    answer = get_history(CallStub(world), request(world, limit=30, hash=ids_hash(page)))
    assert isinstance(answer, types.messages.MessagesNotModified)


def test_a_messages_range_is_inclusive_and_nothing_outside_is_served(world: World) -> None:
    ids = all_ids(world)
    low, high = ids[200], ids[120]
    asked = CallStub(world, types.MessageRange(low, high))
    page = get_history(asked, request(world))
    assert ids_of(world, page) == ids[120:201][:100]
    assert ids_of(world, get_history(asked, request(world, offset_id=low + 1))) == [low]


def test_an_answer_is_the_bytes_of_its_object(world: World) -> None:
    page = get_history(CallStub(world), request(world, limit=3))
    assert serialise(page) == bytes(page)


async def test_stock_telethon_reads_a_whole_channel(sandbox: Sandbox, client) -> None:
    target = sandbox.ready.targets[0]
    history = sandbox.world.history(sandbox.world.resolve(target))
    got = [message.id async for message in client.iter_messages(target, wait_time=0)]
    assert got == history.slice(0, history.count)


async def test_messages_by_id_leave_a_place_for_what_is_not_there(sandbox: Sandbox, client) -> None:
    marked = sandbox.world.resolve(sandbox.ready.targets[0])
    ids = sandbox.world.history(marked).slice(0, 3)
    found = await client.get_messages(sandbox.ready.targets[0], ids=[ids[2], 10_000_000, ids[0]])
    assert [message.id if message else None for message in found] == [ids[2], None, ids[0]]


async def test_a_channel_without_access_is_private(sandbox: Sandbox, client) -> None:
    entity = await client.get_input_entity(sandbox.ready.targets[0])
    sandbox.world.chat_list.closed.add(sandbox.world.resolve(sandbox.ready.targets[0]))
    with pytest.raises(errors.ChannelPrivateError):
        await client.get_messages(entity, 1)


async def test_a_wrong_access_hash_is_no_channel(sandbox: Sandbox, client) -> None:
    entity = await client.get_input_entity(sandbox.ready.targets[0])
    with pytest.raises(errors.ChannelInvalidError):
        await client.get_messages(types.InputPeerChannel(entity.channel_id, entity.access_hash + 1), 1)


async def test_search_finds_words_and_kinds(sandbox: Sandbox, client) -> None:
    target = sandbox.ready.targets[0]
    history = sandbox.world.history(sandbox.world.resolve(target))
    photos = [id for id in history.slice(0, history.count) if getattr(history.get(id), "photo", None)]
    found = await client.get_messages(target, limit=100, filter=types.InputMessagesFilterPhotos())
    assert [message.id for message in found] == photos
    word = next(history.get(id).message.split()[0] for id in history.slice(0, 50) if history.get(id).message)
    with_word = await client.get_messages(target, limit=5, search=word)
    assert with_word and all(word.lower() in message.message.lower() for message in with_word)
