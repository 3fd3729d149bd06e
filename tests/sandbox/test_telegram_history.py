from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon.tl import types

from tests.sandbox.telegram_room import Collected, fetch_all, room, served_ids
from tobs.errors import RequestRefused, TargetNotFound
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.telegram.net.events import MessageUnreadable
from tobs.telegram.net.reader import parse


def small(messages: int, sparse: int, seed: int) -> str:
    return f"synthetic:messages={messages},chats=1,media=0.1,sparse={sparse},seed={seed}"


@pytest.mark.parametrize("workers", [1, 4, 8])
@pytest.mark.parametrize("sparse", [1, 50])
async def test_every_id_served_is_fetched_exactly_once(workers: int, sparse: int, tmp_path: Path) -> None:
    async with serve(open_world(small(2500, sparse, 3))) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve(sandbox.ready.targets[0])
        found = await fetch_all(opened, chat.id, workers=workers)
        assert sorted(found.messages) == served_ids(sandbox, chat.id)
        assert opened.telegram.requests["messages.getHistory"] <= 1.15 * ceil(2500 / 100) + 20
        assert len(sandbox.log.calls("messages.getHistory")) == opened.telegram.requests["messages.getHistory"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.integers(0, 700),
    sparse=st.sampled_from([1, 2, 7, 50, 1000]),
    seed=st.integers(0, 10_000),
    workers=st.sampled_from([1, 4, 8]),
    data=st.data(),
)
async def test_holes_of_any_size_lose_nothing(
    messages: int, sparse: int, seed: int, workers: int, data: st.DataObject, tmp_path: Path
) -> None:
    async with (
        serve(open_world(small(messages, sparse, seed))) as sandbox,
        room(sandbox, tmp_path / str(seed)) as opened,
    ):
        chat = await opened.telegram.resolve("@synthetic")
        ids = served_ids(sandbox, chat.id)
        if ids:
            low = data.draw(st.integers(0, len(ids) - 1))
            high = data.draw(st.integers(low, min(len(ids) - 1, low + 300)))
            sandbox.world.delete(chat.id, ids[low : high + 1])
        found = await fetch_all(opened, chat.id, workers=workers)
        assert sorted(found.messages) == served_ids(sandbox, chat.id)


async def test_only_the_gaps_asked_for_are_fetched(tmp_path: Path) -> None:
    async with serve(open_world(small(1000, 1, 3))) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        found = Collected()
        await opened.telegram.walk(chat.id, [(1, 10), (500, 777)], found, count=1000)
        assert found.coverage() == [(1, 10), (500, 777)]
        assert sorted(found.messages) == [*range(1, 11), *range(500, 778)]


async def test_a_page_carries_the_bytes_of_its_messages_in_its_order(tmp_path: Path) -> None:
    async with serve(open_world(small(50, 3, 3))) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        top = await opened.telegram.history_top(chat.id)
        page = await opened.telegram.page(chat.id, 20, top.top - 10)
        raw = parse(page.raw)
        assert [message.id for message in raw.messages] == [message.id for message in page.messages]
        assert page.messages and page.low == 20 and page.high == top.top - 10 and page.layer > 200


async def test_private_chats_and_groups_are_walked_too(tmp_path: Path) -> None:
    async with serve(open_world("demo")) as sandbox, room(sandbox, tmp_path) as opened:
        seen = 0
        async for chat in opened.telegram.chats():
            found = await fetch_all(opened, chat.id)
            assert sorted(found.messages) == served_ids(sandbox, chat.id)
            assert all(message.chat_id == chat.id for message in found.messages.values())
            seen += 1
        assert seen == len(sandbox.world.dialogs())


async def test_an_empty_chat_has_no_top(tmp_path: Path) -> None:
    async with serve(open_world(small(0, 1, 1))) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        assert (await opened.telegram.history_top(chat.id)).top == 0


async def test_messages_of_a_newer_layer_are_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    async with serve(open_world(small(400, 3, 5))) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        ids = served_ids(sandbox, chat.id)
        strange = {ids[0], ids[150], ids[151], ids[199], ids[-1]}
        history = sandbox.world.history(chat.id)
        honest = history.raw

        def raw(number: int) -> bytes:
            data = honest(number)
            return b"\x01\x02\x03\x04" + data[4:] if number in strange else data

        history.raw = raw  # type: ignore[method-assign]  # the world serves constructors of another layer
        found = await fetch_all(opened, chat.id, workers=4)
        assert sorted(found.messages) == sorted(set(ids) - strange)
        told = {number for page in found.pages for number, _ in page.unreadable}
        assert told == strange == {event.message_id for event in opened.events_of(MessageUnreadable)}
        assert "04030201" in opened.events_of(MessageUnreadable)[0].reason


async def test_targets_are_found_by_name_link_id_and_title(tmp_path: Path) -> None:
    async with serve(open_world("demo")) as sandbox, room(sandbox, tmp_path) as opened:
        resolve = opened.telegram.resolve
        name = sandbox.ready.targets[0].removeprefix("@")
        chat = await resolve("@" + name)
        bare = -chat.id - 10**12
        spellings = [name.upper(), f"https://t.me/{name}", f"t.me/{name}/5", f"https://t.me/s/{name}"]
        spellings += [f"tg://resolve?domain={name}", str(chat.id), f"https://t.me/c/{bare}/7", chat.title]
        for spelling in spellings:
            assert (await resolve(spelling)).id == chat.id, spelling
        me = await resolve("me")
        assert (me.kind, me.id) == ("saved", opened.telegram.account.id)
        assert chat.about and chat.username.lower() == name.lower()


@pytest.mark.parametrize(
    "target", ["@nobody_has_this_name", "@a b", "https://t.me/x!", "no such title", "-1000000000099"]
)
async def test_an_unknown_target_is_told_with_a_remedy(target: str, tmp_path: Path) -> None:
    async with serve(open_world(small(5, 1, 1))) as sandbox, room(sandbox, tmp_path) as opened:
        with pytest.raises(TargetNotFound) as caught:
            await opened.telegram.resolve(target)
        assert caught.value.remedy and caught.value.exit_code == 2


async def test_a_private_channel_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with serve(open_world(small(5, 1, 1))) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        sandbox.world.chat_list.closed.add(chat.id)
        for action in (opened.telegram.resolve("@synthetic"), opened.telegram.history_top(chat.id)):
            with pytest.raises(RequestRefused) as caught:
                await action
            assert caught.value.name == "CHANNEL_PRIVATE" and caught.value.exit_code == 4
            assert "private" in caught.value.message


async def test_a_title_that_fits_several_chats_names_them(tmp_path: Path) -> None:
    async with serve(open_world("synthetic:messages=60,chats=6")) as sandbox, room(sandbox, tmp_path) as opened:
        listed = [chat async for chat in opened.telegram.chats()]
        assert len({chat.id for chat in listed}) == 6
        letter = max("aeiou", key=lambda one: sum(one in chat.title.casefold() for chat in listed))
        with pytest.raises(TargetNotFound, match="fits"):
            await opened.telegram.resolve(letter)


async def test_names_once_resolved_are_not_asked_for_again(tmp_path: Path) -> None:
    from tobs.telegram.stores import MemoryPeerStore

    async with serve(open_world(small(5, 1, 1)), SandboxOptions()) as sandbox:
        peers = MemoryPeerStore()
        for _ in range(2):
            async with room(sandbox, tmp_path, peers=peers) as opened:
                await opened.telegram.resolve("@synthetic")
        assert len(sandbox.log.calls("contacts.resolveUsername")) == 1


def test_dates_are_read_as_numbers() -> None:
    assert parse(bytes(types.UpdateShort(types.UpdatePtsChanged(), 1_700_000_000))).date == 1_700_000_000
