from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest
from telethon.tl import types

from tests.sandbox.telegram_room import Collected, answers, fetch_all, quick, room, served_ids, settings_for, sign_in
from tobs.errors import ConfigError, FloodWait, LoginError, NetworkError, RequestRefused, TargetNotFound
from tobs.model import Page
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.sandbox.state import State
from tobs.telegram.login import login
from tobs.telegram.net.events import FloodWaited, Reconnected, Retried
from tobs.telegram.opening import open_telegram

WORLD = "synthetic:messages=1500,chats=1,media=0.1,sparse=2,seed=3"
HISTORY = "messages.getHistory"


async def test_nothing_is_sent_on_a_method_while_telegram_says_wait(tmp_path: Path) -> None:
    sent: list[int] = []  # while each of the workers waited, in the order in which they went on

    async def sleep(seconds: float) -> None:
        before = opened.telegram.requests[HISTORY]
        await asyncio.sleep(seconds)
        sent.append(opened.telegram.requests[HISTORY] - before)

    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, sleep=sleep) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        sandbox.faults.add(f"{HISTORY}#4=flood:1")
        found = await fetch_all(opened, chat.id, workers=8)
        assert sorted(found.messages) == served_ids(sandbox, chat.id)
        assert sent[0] == 0, "until the first one went on, nobody sent anything"
        assert [(event.method, event.seconds) for event in opened.events_of(FloodWaited)] == [(HISTORY, 1)]


async def test_a_wait_above_the_patience_ends_the_run_and_says_how_long(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, flood_patience=10.0) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        sandbox.faults.add(f"{HISTORY}=flood:4000")
        with pytest.raises(FloodWait) as caught:
            await fetch_all(opened, chat.id)
        assert caught.value.seconds == 4000 and HISTORY in caught.value.message


@pytest.mark.parametrize(
    "fault",
    [
        "error:500:INTERNAL",
        "error:500:RPC_CALL_FAIL",
        "error:-503:TIMEOUT",
        "drop",
        "flood:0",
        "delay:300",
        "corrupt",
        "busy",
        "short",
    ],
)
async def test_trouble_in_the_middle_loses_nothing_and_is_told(fault: str, tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, request_timeout=1.0) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        for number in (2, 5, 9):
            sandbox.faults.add(f"{HISTORY}#{number}={fault}")
        found = await fetch_all(opened, chat.id, workers=4)
        assert sorted(found.messages) == served_ids(sandbox, chat.id)
        if fault.startswith(("error", "drop")):
            assert len(opened.events_of(Retried)) >= 3
        if fault in ("drop", "busy"):
            assert opened.events_of(Reconnected)


async def test_another_salt_and_a_wrong_clock_in_the_middle_lose_nothing(tmp_path: Path) -> None:
    """bad_server_salt and bad_msg_notification: the refused request is sent again."""
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, request_timeout=5.0) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        top, found = await opened.telegram.history_top(chat.id), Collected()

        async def on_page(page: Page) -> None:
            if len(found.pages) == 2:
                for key in sandbox.server.state.keys.values():
                    key.salt ^= 0x55
            if len(found.pages) == 4:
                for link in opened.telegram._invoker.connections._open.values():
                    link._sender._state.time_offset += 4000
            await found(page)

        await opened.telegram.walk(chat.id, [(1, top.top)], on_page, count=top.count, workers=2)
        assert sorted(found.messages) == served_ids(sandbox, chat.id)


async def test_what_is_posted_edited_and_deleted_while_pages_come_loses_nothing(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        top, found, world = await opened.telegram.history_top(chat.id), Collected(), sandbox.world
        gone: set[int] = set()

        async def on_page(page: Page) -> None:
            await found(page)
            world.post(chat.id, "while pages come")
            ids = [number for number in served_ids(sandbox, chat.id) if number <= top.top]
            gone.update(world.delete(chat.id, ids[len(found.pages) * 7 :: 97]))
            texts = [number for number in ids if number not in gone and number % 50 == 3]
            world.edit(chat.id, texts[len(found.pages) % len(texts)], "another text")

        await opened.telegram.walk(chat.id, [(1, top.top)], on_page, count=top.count, workers=3)
        assert found.coverage() == [(1, top.top)]
        left = {number for number in served_ids(sandbox, chat.id) if number <= top.top}
        assert left <= set(found.messages) <= left | gone


async def test_a_person_met_in_a_message_alone_can_be_asked_for_by_it(tmp_path: Path) -> None:
    async with serve(open_world("demo")) as sandbox, room(sandbox, tmp_path) as opened:
        stranger = next(user for user in sandbox.world.peers.entities.values() if user.id == 770_000_003)
        sandbox.world.peers.min_users.add(stranger.id)
        with pytest.raises(TargetNotFound):
            await opened.telegram.full(stranger.id)
        await fetch_all(opened, sandbox.world.resolve("@tobs_demo_group"))
        assert (await opened.telegram.full(stranger.id)).title == "Jonas Adler"
        by_message = types.InputUserFromMessage
        asked = [one for one in sandbox.log.calls("users.getUsers") if isinstance(one.request.id[0], by_message)]
        assert [entry.error for entry in asked] == [None]


async def test_a_server_that_always_fails_is_given_up(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, attempts=4) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        sandbox.faults.add(f"{HISTORY}*=error:500:INTERNAL")
        with pytest.raises(RequestRefused) as caught:
            await fetch_all(opened, chat.id)
        assert (caught.value.code, caught.value.name, caught.value.method) == (500, "INTERNAL", HISTORY)
        assert HISTORY in caught.value.message


async def test_a_server_that_always_hangs_up_is_given_up(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, attempts=4) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        sandbox.faults.add(f"{HISTORY}*=drop")
        with pytest.raises(NetworkError):
            await fetch_all(opened, chat.id)


async def test_a_restarted_server_is_waited_for(tmp_path: Path) -> None:
    state = State()
    world = open_world(WORLD)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = SandboxOptions(port=port)
    async with serve(world, options, state=state) as first:
        settings = settings_for(first, tmp_path, patience=3000.0)  # of sleeps that `quick` cuts short
        await sign_in(first, settings)
        stack = open_telegram(settings, sleep=quick)
        telegram = await stack.__aenter__()
        chat = await telegram.resolve("@synthetic")
    walking = asyncio.create_task(telegram.history_top(chat.id))
    await asyncio.sleep(0.2)
    async with serve(world, options, state=state):
        assert (await walking).count == 1500
        await stack.__aexit__(None, None, None)


async def test_an_unreachable_server_is_told_soon(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
    began = time.monotonic()
    with pytest.raises(NetworkError) as caught:
        async with open_telegram(settings):
            pass
    assert time.monotonic() - began < 5
    assert caught.value.exit_code == 4 and "127.0.0.1" in caught.value.message


async def test_a_server_with_another_key_is_told(tmp_path: Path) -> None:
    import rsa

    from tobs.telegram.net.settings import ServerAddress

    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        server = settings.server
        assert server is not None
        pem = rsa.newkeys(512)[0].save_pkcs1().decode()
        other = settings_for(sandbox, tmp_path, server=ServerAddress(server.host, server.port, 2, pem))
        from telethon.crypto import rsa as known

        kept = dict(known._server_keys)
        known._server_keys.clear()
        try:
            with pytest.raises(ConfigError, match="key"):
                await sign_in(sandbox, other)
        finally:
            known._server_keys.update(kept)


async def test_nobody_logged_in_is_told(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        with pytest.raises(LoginError, match="tobs login"):
            async with open_telegram(settings_for(sandbox, tmp_path)):
                pass


async def test_a_session_ended_elsewhere_is_told(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path) as opened:
        sandbox.faults.add(f"{HISTORY}=error:401:SESSION_REVOKED")
        chat = await opened.telegram.resolve("@synthetic")
        with pytest.raises(LoginError, match="another device"):
            await opened.telegram.history_top(chat.id)


async def test_a_session_the_server_never_saw_is_told(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
    async with serve(open_world(WORLD)) as another:
        with pytest.raises(LoginError):
            async with open_telegram(settings_for(another, tmp_path)):
                pass


async def test_a_missing_api_id_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path, api_id=0)
        with pytest.raises(ConfigError, match="TOBS_API_ID"):
            await login(settings, phone="+1", ask_code=answers("1"), ask_password=answers(""))
