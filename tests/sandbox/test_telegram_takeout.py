from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.telegram_room import fetch_all, room, served_ids
from tobs.errors import UsageError
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.sandbox.services.takeout import allow
from tobs.sandbox.worlds.world import SERVICE_USER
from tobs.telegram.client.takeout import delay_text, end_text, scope_flags
from tobs.telegram.net.events import TakeoutDelayed, TakeoutEnded, TakeoutRefused, TakeoutStarted
from tobs.telegram.stores import MemoryTakeoutStore, StoredTakeout

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
        assert opened.events_of(TakeoutStarted)
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


async def test_while_a_takeout_has_to_wait_the_normal_api_is_used(tmp_path: Path) -> None:
    delayed = SandboxOptions(takeout_delay=86400)
    async with serve(open_world(WORLD), delayed) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout() as granted:
            assert not granted
            chat = await opened.telegram.resolve("@synthetic")
            assert (await opened.telegram.history_top(chat.id)).count == 600
        (told,) = opened.events_of(TakeoutDelayed)
        assert told.seconds > 86000
        assert "press Allow" in delay_text(told) and "24 h" in delay_text(told)
        assert sandbox.log.calls(FINISH) == []


async def until(held: Callable[[], object]) -> None:
    """Wait until another task makes a condition true."""
    async with asyncio.timeout(30):
        while not held():  # noqa: ASYNC110  (nothing tells that it holds)
            await asyncio.sleep(0.01)


async def test_a_takeout_that_is_allowed_while_the_run_goes_on_is_used_from_there_on(tmp_path: Path) -> None:
    delayed = SandboxOptions(takeout_delay=86400)
    async with serve(open_world(WORLD), delayed) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout() as granted:
            assert not granted
            chat = await opened.telegram.resolve("@synthetic")
            await until(sandbox.server.logged_in_sessions)
            allow(sandbox.server.context)
            await until(lambda: opened.telegram.in_takeout)
            found = await fetch_all(opened, chat.id)
            assert sorted(found.messages) == served_ids(sandbox, chat.id)
        assert all(WRAPPER in entry.wrappers for entry in sandbox.log.calls("messages.getHistory"))
        (begun,) = opened.events_of(TakeoutStarted)
        assert begun.late and not begun.resumed
        asked = sandbox.log.calls("account.initTakeoutSession")
        assert 2 <= len(asked) <= 3 and asked[-1].error is None  # its own question is a message too
        assert sandbox.log.since()[-1].method == FINISH


async def test_words_of_others_and_a_talkative_telegram_do_not_make_tobs_ask_without_end(tmp_path: Path) -> None:
    delayed = SandboxOptions(takeout_delay=86400)
    async with serve(open_world("demo"), delayed) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout():
            await until(sandbox.server.logged_in_sessions)
            before = len(sandbox.log.calls("account.initTakeoutSession"))
            sandbox.world.post(sandbox.world.resolve("@ines_bakes"), "hello")
            await opened.telegram.history_top(sandbox.world.me.id)
            assert len(sandbox.log.calls("account.initTakeoutSession")) == before
            for number in range(12):
                asked = len(sandbox.log.calls("account.initTakeoutSession"))
                sandbox.world.post(SERVICE_USER, f"news {number}")
                if asked < 6:
                    await until(lambda asked=asked: len(sandbox.log.calls("account.initTakeoutSession")) > asked)
            await opened.telegram.history_top(sandbox.world.me.id)
        assert len(sandbox.log.calls("account.initTakeoutSession")) == 6, "the first time, and five on words"


async def test_a_run_ends_at_whatever_moment_while_its_takeout_is_waited_for(tmp_path: Path) -> None:
    """The listening connection may be half open: Telethon swallows a cancellation then."""
    delayed = SandboxOptions(takeout_delay=86400)
    async with serve(open_world(WORLD), delayed) as sandbox, room(sandbox, tmp_path) as opened:
        for turns in range(0, 90, 2):
            async with opened.telegram.takeout() as granted:
                assert not granted
                for _ in range(turns):
                    await asyncio.sleep(0)
        asked = len(sandbox.log.calls("account.initTakeoutSession"))
        assert asked == len(opened.events_of(TakeoutDelayed)) == 45


async def test_a_short_delay_is_waited_for_and_the_run_goes_on_by_itself(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add("account.initTakeoutSession#1=error:420:TAKEOUT_INIT_DELAY_1")
        async with opened.telegram.takeout() as granted:
            assert granted and opened.telegram.in_takeout
        assert [type(event) for event in opened.events] == [TakeoutDelayed, TakeoutStarted]
        assert sandbox.log.since()[-1].method == FINISH


async def test_a_run_that_died_goes_on_with_its_takeout(tmp_path: Path) -> None:
    takeouts = MemoryTakeoutStore()
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, takeouts=takeouts) as opened:
        account = opened.telegram.account.id
        async with opened.telegram.takeout():
            kept = await takeouts.get(account)
        assert kept.id and kept.scopes == {"channels"} and not (await takeouts.get(account)).id
        async with opened.telegram.takeout():
            running = await takeouts.get(account)
            opened.telegram._invoker.takeout_id = 0  # as if the process had died here
            async with opened.telegram.takeout():
                assert await takeouts.get(account) == running
        assert [event.resumed for event in opened.events_of(TakeoutStarted)] == [False, False, True]
        await takeouts.put(account, StoredTakeout(424242, frozenset({"channels"})))
        async with opened.telegram.takeout():
            assert (await takeouts.get(account)).id not in (0, 424242)


async def test_a_kept_takeout_with_too_few_scopes_is_finished_and_another_asked_for(tmp_path: Path) -> None:
    takeouts = MemoryTakeoutStore()
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, takeouts=takeouts) as opened:
        account = opened.telegram.account.id
        async with opened.telegram.takeout(["channels", "files"]):
            kept = await takeouts.get(account)
            opened.telegram._invoker.takeout_id = 0  # as if the process had died here
        await takeouts.put(account, kept)
        async with opened.telegram.takeout(["channels"]):
            assert await takeouts.get(account) == kept, "fewer are needed: it will do"
            opened.telegram._invoker.takeout_id = 0
        await takeouts.put(account, kept)
        async with opened.telegram.takeout(["channels", "chats"]):
            assert (await takeouts.get(account)).scopes == {"channels", "chats", "megagroups"}
        states = sandbox.server.state.takeouts
        assert len(states) == 2 and all(takeout.finished for takeout in states.values())
        assert [bool(entry.request.success) for entry in sandbox.log.calls(FINISH)] == [False, True]


async def test_who_wants_no_takeout_finishes_the_one_left_behind(tmp_path: Path) -> None:
    takeouts = MemoryTakeoutStore()
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, takeouts=takeouts) as opened:
        account = opened.telegram.account.id
        async with opened.telegram.takeout():
            kept = await takeouts.get(account)
            opened.telegram._invoker.takeout_id = 0
        await takeouts.put(account, kept)
        await opened.telegram.finish_stored_takeout()
        assert sandbox.server.state.takeouts[kept.id].finished and not (await takeouts.get(account)).id
        sent = sandbox.log.last
        await opened.telegram.finish_stored_takeout()
        assert sandbox.log.last == sent, "nothing to finish, nothing to ask"


async def test_a_pace_learned_in_a_takeout_is_not_that_of_the_normal_api(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        async with opened.telegram.takeout():
            sandbox.faults.add("messages.getHistory#2=flood:1")
            for _ in range(3):
                await opened.telegram.history_top(chat.id)
        assert opened.telegram.interval("messages.getHistory", in_takeout=True) > 0
        assert opened.telegram.interval("messages.getHistory") == 0


async def test_a_takeout_that_telegram_ends_in_the_middle_is_gone_on_without(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        async with opened.telegram.takeout(["channels"]):
            chat = await opened.telegram.resolve("@synthetic")
            for takeout in sandbox.server.state.takeouts.values():
                takeout.finished = True
            found = await fetch_all(opened, chat.id, workers=4)
            assert sorted(found.messages) == served_ids(sandbox, chat.id)
        (told,) = opened.events_of(TakeoutEnded)
        assert "TAKEOUT_INVALID" in end_text(told)
        assert [entry.error for entry in sandbox.log.calls("messages.getHistory")].count("TAKEOUT_INVALID") >= 1
        assert sandbox.log.calls(FINISH) == []
        async with opened.telegram.takeout():
            pass
        assert [event.resumed for event in opened.events_of(TakeoutStarted)] == [False, False]


async def test_without_a_takeout_that_telegram_refuses_the_normal_api_is_used(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add("account.initTakeoutSession=error:400:SOMETHING_NEW")
        async with opened.telegram.takeout() as granted:
            assert not granted
        (told,) = opened.events_of(TakeoutRefused)
        assert "SOMETHING_NEW" in told.reason and "account.initTakeoutSession" in told.reason


def test_only_the_scopes_used_are_asked_for() -> None:
    assert scope_flags(["channels"]) == {"message_channels": True}
    assert scope_flags(["chats"]) == {"message_chats": True, "message_megagroups": True}
    with pytest.raises(UsageError, match="scope"):
        scope_flags(["everything"])
