"""Prefetch: several chats are requested at once, nothing is requested twice, and each answer is the chat's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sandbox.telegram_room import Room, room
from tobs.errors import TargetNotFound
from tobs.model import Chat, Page, is_channel_id
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.sandbox.worlds import World
from tobs.telegram.client.prefetch import PrefetchItem

CHATS = 12


def crowded_world() -> World:
    """The demo world with many more small chats."""
    world = open_world("demo")
    people = [marked for marked in world.peers.entities if 0 < marked < 10**9 and marked != world.me.id][:6]
    for number in range(CHATS):
        user = type(world.entity(people[0]))(
            880_000_000 + number, access_hash=77 + number, first_name=f"Guest {number}"
        )
        world.add_user(user)
        for turn in range(3 + number * 15):
            world.post(user.id, f"{number}: word {turn}")
    return world


async def histories_of(opened: Room, chats: list[int]) -> list[tuple[Chat, int, list[Page]]]:
    """Send the requests of an export for each chat, one after the other."""
    found = []
    for chat_id in chats:
        chat = await opened.telegram.full(chat_id)
        top, pages = await opened.telegram.history_top(chat_id), list[Page]()

        async def on_page(page: Page, pages: list[Page] = pages) -> None:
            pages.append(page)

        await opened.telegram.walk(chat_id, [(1, top.top)], on_page, count=top.count)
        found.append((chat, top.count, pages))
    return found


async def test_prefetched_chats_give_the_same_by_the_same_requests(tmp_path: Path) -> None:
    async with serve(crowded_world(), SandboxOptions(latency=0.02)) as sandbox, room(sandbox, tmp_path) as opened:
        chats = [chat.id for chat in await opened.telegram.dialogs() if not is_channel_id(chat.id)]
        plain = await histories_of(opened, chats)
        before = Counter(opened.telegram.requests)
        async with opened.telegram.prefetch.chats([PrefetchItem(chat, full=True, first_page=True) for chat in chats]):
            prefetched = await histories_of(opened, chats)
        sent = Counter(opened.telegram.requests)
        sent.subtract(before)
        assert [(chat, count) for chat, count, _ in prefetched] == [(chat, count) for chat, count, _ in plain]
        for (_, _, found), (_, _, expected) in zip(prefetched, plain, strict=True):
            assert [(page.low, page.high, page.messages) for page in found] == [
                (page.low, page.high, page.messages) for page in expected
            ]
        for _, _, pages in prefetched[1:]:
            named = {person.id for page in pages for person in page.people}
            senders = {message.sender_id for page in pages for message in page.messages}
            assert named >= senders, "pages that come ahead tell everybody they name: nobody else may have yet"
        before.subtract({"messages.getDialogs": before["messages.getDialogs"]})
        assert sent["messages.getHistory"] == before["messages.getHistory"]
        assert sent["users.getFullUser"] == before["users.getFullUser"]
        pages = [entry for entry in sandbox.log.calls("messages.getHistory") if entry.request.limit == 100]
        assert len({entry.connection for entry in pages}) > 1


async def test_a_chat_that_is_refused_is_refused_in_its_turn_and_what_nobody_takes_is_dropped(tmp_path: Path) -> None:
    async with serve(crowded_world()) as sandbox, room(sandbox, tmp_path) as opened:
        chats = [chat.id for chat in await opened.telegram.dialogs()]
        order = [PrefetchItem(chat, full=True, first_page=True) for chat in chats]
        async with opened.telegram.prefetch.chats(order):
            await opened.telegram.full(chats[0])
            sandbox.faults.add("users.getFullUser*=error:400:USER_ID_INVALID")
            with pytest.raises(TargetNotFound, match="does not know this user"):
                for chat in chats[1:]:
                    await opened.telegram.full(chat)
        sandbox.faults.clear()
        assert (await opened.telegram.full(chats[-1])).id == chats[-1], "outside of it, chats are asked for when wanted"
