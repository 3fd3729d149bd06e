"""Private chats and basic groups in the ranges of ids that a takeout session offers."""

from __future__ import annotations

from collections import Counter
from math import ceil
from pathlib import Path

from tests.sandbox.telegram_room import fetch_all, room, served_ids
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.sandbox.worlds import World

HISTORY, RANGES = "messages.getHistory", "messages.getSplitRanges"
WRAPPER = "invokeWithMessagesRange"
SCOPES = ["users", "chats"]


def talkative_world(every: int, messages: int) -> tuple[World, int]:
    """The demo world after a private chat got so many messages more, one in ``every`` ids of the account: the others
    are a basic group's. The second half of them came in a rush."""
    world = open_world("demo")
    chat = world.resolve("@ines_bakes")
    other = next(marked for marked in world.dialogs() if -(10**12) < marked < 0)
    for number in range(messages):
        for _ in range(every - 1 if number < messages // 2 else 0):
            world.post(other, "meanwhile")
        world.post(chat, f"word {number}")
    return world, chat


async def test_ranges_are_walked_by_several_workers_and_every_message_comes_once(tmp_path: Path) -> None:
    world, chat = talkative_world(every=2, messages=4200)
    async with serve(world, SandboxOptions(split_ranges=6)) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout(SCOPES):
            found = await fetch_all(opened, chat, workers=4)
        assert sorted(found.messages) == served_ids(sandbox, chat)
        walked = [entry for entry in sandbox.log.calls(HISTORY) if WRAPPER in entry.wrappers]
        assert len({entry.connection for entry in walked}) == 4
        assert all(entry.wrappers.index("invokeWithTakeout") < entry.wrappers.index(WRAPPER) for entry in walked)
        count = len(found.messages)
        assert len(sandbox.log.calls(HISTORY)) <= 1.15 * ceil(count / 100) + 20
        assert len(sandbox.log.calls(RANGES)) == 1


async def test_a_small_chat_one_range_or_no_takeout_is_walked_by_one_worker_in_few_requests(tmp_path: Path) -> None:
    world, chat = talkative_world(every=30, messages=60)
    async with serve(world, SandboxOptions(split_ranges=9)) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout(SCOPES):
            found = await fetch_all(opened, chat, workers=4)
        assert sorted(found.messages) == served_ids(sandbox, chat)
        assert len(sandbox.log.calls(HISTORY)) <= 4 and not sandbox.log.calls(RANGES)
    world, chat = talkative_world(every=1, messages=2000)
    async with serve(world, SandboxOptions(split_ranges=1)) as sandbox, room(sandbox, tmp_path / "2") as opened:
        async with opened.telegram.takeout(SCOPES):
            found = await fetch_all(opened, chat, workers=4)
        assert sorted(found.messages) == served_ids(sandbox, chat)
        found = await fetch_all(opened, chat, workers=4)
        assert sorted(found.messages) == served_ids(sandbox, chat)
        assert not [entry for entry in sandbox.log.calls(HISTORY) if WRAPPER in entry.wrappers]


async def test_where_no_ranges_are_offered_one_worker_does(tmp_path: Path) -> None:
    world, chat = talkative_world(every=1, messages=1200)
    async with serve(world, SandboxOptions(split_ranges=4)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add(f"{RANGES}*=error:400:TAKEOUT_REQUIRED")
        async with opened.telegram.takeout(SCOPES):
            found = await fetch_all(opened, chat, workers=3)
        assert sorted(found.messages) == served_ids(sandbox, chat)
        assert len(sandbox.log.calls(RANGES)) == 1


async def test_ranges_are_done_without_when_telegram_ends_the_takeout(tmp_path: Path) -> None:
    world, chat = talkative_world(every=1, messages=2500)
    async with serve(world, SandboxOptions(split_ranges=4)) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout(SCOPES):
            sandbox.faults.add(f"{HISTORY}#9=error:400:TAKEOUT_INVALID")
            found = await fetch_all(opened, chat, workers=3)
        assert sorted(found.messages) == served_ids(sandbox, chat)
        wrapped = Counter((WRAPPER in entry.wrappers, entry.error) for entry in sandbox.log.calls(HISTORY)[9:])
        assert wrapped[False, None] > 10, "the rest came by the normal API"
        assert all("invokeWithTakeout" in one.wrappers for one in sandbox.log.calls(HISTORY) if WRAPPER in one.wrappers)
