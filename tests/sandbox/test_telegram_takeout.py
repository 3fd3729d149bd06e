from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.sandbox.telegram_room import fetch_all, room, served_ids
from tobs.errors import RequestRefused, UsageError
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.telegram.events import TakeoutRefused, TakeoutStarted
from tobs.telegram.stores import MemoryTakeouts
from tobs.telegram.takeout import refusal_told, scope_flags

WORLD = "synthetic:messages=600,chats=1,media=0.1,seed=3"
FINISH = "account.finishTakeoutSession"
WRAPPER = "invokeWithTakeout"


async def test_every_request_of_a_takeout_is_wrapped_and_it_is_finished(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout(["channels", "files"]) as granted:
            assert granted
            began = sandbox.log.last
            chat = await opened.telegram.resolve("@synthetic")
            found = await fetch_all(opened, chat.id, workers=4)
            assert sorted(found.messages) == served_ids(sandbox, chat.id)
        calls = sandbox.log.since(began)
        assert calls[-1].method == FINISH and calls[-1].request.success
        assert [entry.method for entry in calls if WRAPPER not in entry.wrappers] == []
        init = sandbox.log.calls("account.initTakeoutSession")[0].request
        assert init.message_channels and init.files and not (init.contacts or init.message_users)
        assert opened.told(TakeoutStarted)
        after = sandbox.log.last
        await opened.telegram.history_top(chat.id)
        assert WRAPPER not in sandbox.log.since(after)[0].wrappers


async def test_a_takeout_is_finished_after_an_error_too(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        with pytest.raises(ZeroDivisionError):
            async with opened.telegram.takeout():
                raise ZeroDivisionError
        last = sandbox.log.since()[-1]
        assert (last.method, last.request.success) == (FINISH, False)
        assert WRAPPER in last.wrappers


async def test_a_takeout_is_finished_when_the_run_is_cancelled(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        inside = asyncio.Event()

        async def export() -> None:
            async with opened.telegram.takeout():
                inside.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(export())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sandbox.log.since()[-1].method == FINISH


async def test_a_takeout_that_has_to_wait_falls_back_to_the_normal_api(tmp_path: Path) -> None:
    delayed = SandboxOptions(takeout_delay=86400)
    async with serve(open_world(WORLD), delayed) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout() as granted:
            assert not granted
            chat = await opened.telegram.resolve("@synthetic")
            assert (await opened.telegram.history_top(chat.id)).count == 600
        (told,) = opened.told(TakeoutRefused)
        assert told.name == "TAKEOUT_INIT_DELAY" and told.seconds > 86000
        assert "press Allow" in refusal_told(told) and "24 h" in refusal_told(told)
        assert sandbox.log.calls(FINISH) == []


async def test_a_run_that_died_goes_on_with_its_takeout(tmp_path: Path) -> None:
    takeouts = MemoryTakeouts()
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, takeouts=takeouts) as opened:
        account = opened.telegram.account.id
        async with opened.telegram.takeout():
            kept = takeouts.get(account)
        assert kept and takeouts.get(account) == 0
        async with opened.telegram.takeout():
            running = takeouts.get(account)
            opened.telegram._door.takeout_id = 0  # as if the process had died here
            async with opened.telegram.takeout():
                assert takeouts.get(account) == running
        assert [event.resumed for event in opened.told(TakeoutStarted)] == [False, False, True]
        takeouts.put(account, 424242)
        async with opened.telegram.takeout():
            assert takeouts.get(account) not in (0, 424242)


async def test_a_takeout_that_telegram_ends_in_the_middle_is_gone_on_without(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout(["channels"]):
            chat = await opened.telegram.resolve("@synthetic")
            for takeout in sandbox.server.state.takeouts.values():
                takeout.finished = True
            found = await fetch_all(opened, chat.id, workers=4)
            assert sorted(found.messages) == served_ids(sandbox, chat.id)
        (told,) = opened.told(TakeoutRefused)
        assert "TAKEOUT_INVALID" in refusal_told(told)
        assert [entry.error for entry in sandbox.log.calls("messages.getHistory")].count("TAKEOUT_INVALID") >= 1
        assert sandbox.log.calls(FINISH) == []
        async with opened.telegram.takeout():
            pass
        assert [event.resumed for event in opened.told(TakeoutStarted)] == [False, False]


async def test_other_refusals_of_a_takeout_are_raised(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add("account.initTakeoutSession=error:400:SOMETHING_NEW")
        with pytest.raises(RequestRefused, match="SOMETHING_NEW"):
            async with opened.telegram.takeout():
                pass


def test_only_the_scopes_used_are_asked_for() -> None:
    assert scope_flags(["channels"]) == {"message_channels": True}
    assert scope_flags(["chats"]) == {"message_chats": True, "message_megagroups": True}
    with pytest.raises(UsageError, match="scope"):
        scope_flags(["everything"])
