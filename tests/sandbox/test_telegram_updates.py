"""Differences since a stored state, as our own client requests them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.telegram_room import Room, room
from tobs.model import COMMON, Changes, UpdateState
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.worlds.chats import ADA, BEN, CLUB, LEFT, ME
from tobs.telegram.net.reader import parse


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[tuple[Sandbox, Room]]:
    """The world of chats and our client in it."""
    async with serve(open_world("chats"), SandboxOptions()) as sandbox, room(sandbox, tmp_path) as opened:
        yield sandbox, opened
        assert sandbox.server.failures == []


async def state_of(sandbox: Sandbox, opened: Room, box: int) -> UpdateState:
    return await opened.telegram.update_state() if box == COMMON else UpdateState(sandbox.world.pts(box))


async def everything(opened: Room, box: int, state: UpdateState) -> list[Changes]:
    """All parts of a difference."""
    parts = [await opened.telegram.changes(box, state)]
    while not parts[-1].is_last:
        parts.append(await opened.telegram.changes(box, parts[-1].state))
    return parts


@pytest.mark.parametrize(("chat", "box"), [(CLUB, CLUB), (ADA, COMMON)])
async def test_new_edited_deleted_and_pinned_messages_come_as_changes(
    world: tuple[Sandbox, Room], chat: int, box: int
) -> None:
    sandbox, opened = world
    old, other = sandbox.world.history(chat).slice(1, 3)
    before = await state_of(sandbox, opened, box)
    new = sandbox.world.post(chat, "new", sender=ADA)
    gone = sandbox.world.post(chat, "gone again", sender=ADA)
    sandbox.world.edit(chat, old, "edited")
    sandbox.world.delete(chat, [gone, other])
    sandbox.world.pin(chat, old)
    sandbox.world.unpin(chat, old)
    [changes] = await everything(opened, box, before)
    [page] = changes.pages
    assert [(message.id, message.text) for message in page.messages] == [(old, "edited"), (new, "new")]
    assert page.chat_id == chat and page.high < page.low
    assert [message.id for message in parse(page.raw).messages] == [old, new]
    assert ADA in {person.id for person in page.people}
    assert set(changes.deleted) == {gone, other}
    assert [(pins.chat_id, pins.ids, pins.pinned) for pins in changes.pins] == [
        (chat, (old,), True),
        (chat, (old,), False),
    ]
    assert changes.changed_chats == {chat}
    assert changes.state.pts == sandbox.world.pts(box)


async def test_nothing_new_is_one_request_and_no_pages(world: tuple[Sandbox, Room]) -> None:
    sandbox, opened = world
    for box in (CLUB, COMMON):
        state = await state_of(sandbox, opened, box)
        await opened.telegram.full(CLUB)
        asked = opened.telegram.requests.total()
        [changes] = await everything(opened, box, state)
        assert opened.telegram.requests.total() == asked + 1
        assert changes.state.pts == state.pts and not changes.pages and not changes.deleted


async def test_messages_of_several_chats_come_as_a_page_each(world: tuple[Sandbox, Room]) -> None:
    sandbox, opened = world
    before = await opened.telegram.update_state()
    ids = [sandbox.world.post(chat, "hello") for chat in (ME, BEN, ADA, BEN)]
    [changes] = await everything(opened, COMMON, before)
    found = {page.chat_id: [message.id for message in page.messages] for page in changes.pages}
    assert found == {ME: [ids[0]], ADA: [ids[2]], BEN: [ids[1], ids[3]]}


@pytest.mark.parametrize(("chat", "box"), [(CLUB, CLUB), (ADA, COMMON)])
async def test_a_long_difference_comes_in_parts_and_each_names_its_state(
    world: tuple[Sandbox, Room], chat: int, box: int
) -> None:
    sandbox, opened = world
    before = await state_of(sandbox, opened, box)
    posted = [sandbox.world.post(chat, f"{number}") for number in range(250)]
    parts = await everything(opened, box, before)
    assert len(parts) == 3
    assert [message.id for part in parts for message in part.pages[0].messages] == posted
    again = await everything(opened, box, parts[0].state)
    assert [message.id for part in again for message in part.pages[0].messages] == posted[100:]


@pytest.mark.parametrize(("chat", "box"), [(CLUB, CLUB), (ADA, COMMON)])
async def test_what_is_too_long_ago_names_the_state_to_go_on_from(
    world: tuple[Sandbox, Room], chat: int, box: int
) -> None:
    sandbox, opened = world
    before = await state_of(sandbox, opened, box)
    sandbox.world.post(chat, "lost")
    sandbox.world.changes.forget(chat)
    sandbox.world.post(chat, "lost too")
    changes = await opened.telegram.changes(box, before)
    assert changes.too_long and changes.state.pts == sandbox.world.pts(box)


@pytest.mark.parametrize("pts", [0, 10_000_000])
async def test_a_state_telegram_does_not_take_is_too_long_ago(world: tuple[Sandbox, Room], pts: int) -> None:
    sandbox, opened = world
    changes = await opened.telegram.changes(CLUB, UpdateState(pts))
    assert changes.too_long and changes.state.pts == sandbox.world.pts(CLUB)


async def test_a_channel_that_pushes_nothing_says_when_to_ask_again(world: tuple[Sandbox, Room]) -> None:
    sandbox, opened = world
    sandbox.world.post(CLUB, "hello", sender=ADA)
    changes = await opened.telegram.changes(CLUB, UpdateState(sandbox.world.pts(CLUB) - 1))
    assert changes.timeout > 0


async def test_another_title_is_told_with_the_message_that_changed_it(world: tuple[Sandbox, Room]) -> None:
    sandbox, opened = world
    before = UpdateState(sandbox.world.pts(CLUB))
    sandbox.world.retitle(CLUB, "Chess and Tea")
    [changes] = await everything(opened, CLUB, before)
    assert changes.changed_chats == {CLUB}
    assert [chat.title for chat in changes.chats if chat.id == CLUB] == ["Chess and Tea"]


async def test_chats_are_listed_together_with_their_states_and_without_those_that_cannot_be_had(
    world: tuple[Sandbox, Room],
) -> None:
    sandbox, opened = world
    await opened.telegram.dialogs()
    sandbox.world.chat_list.closed.add(LEFT)
    chats = [chat.id for chat in await opened.telegram.dialogs()]
    asked = opened.telegram.requests["messages.getPeerDialogs"]
    listed = {one.chat.id: one for one in await opened.telegram.peer_dialogs(chats)}
    assert opened.telegram.requests["messages.getPeerDialogs"] == asked + 1
    assert set(listed) == set(chats)
    assert listed[CLUB].pts == sandbox.world.pts(CLUB) and listed[CLUB].top == sandbox.world.history(CLUB).top_id
    sandbox.world.chat_list.closed.add(CLUB)
    assert {one.chat.id for one in await opened.telegram.peer_dialogs(chats)} == set(chats) - {CLUB}
