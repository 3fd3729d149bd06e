from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import pytest
from telethon.tl import functions

from tobs.errors import ConfigError, FloodWait, LoginError, MigrateNeeded, RequestRefused, TargetNotFound
from tobs.telegram.client.files import part_size
from tobs.telegram.convert.basics import snake
from tobs.telegram.net.connection import add_server_key
from tobs.telegram.net.events import FloodWaited, Paused
from tobs.telegram.net.flood import FloodLedger
from tobs.telegram.net.flood_store import FloodStore, Pace, Wait
from tobs.telegram.net.invoker import Backoff, method_name
from tobs.telegram.net.rpc_errors import RPC_ERRORS, RpcError, translate_rpc_error
from tobs.telegram.net.session import Session, SessionFile
from tobs.telegram.net.settings import ServerAddress, TelegramSettings


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def ledger(time: Time, events: list[object], threshold: float = 100.0, patience: float = 86_400.0) -> FloodLedger:
    return FloodLedger(clock=time, sleep=time.sleep, threshold=threshold, patience=patience, on_event=events.append)


async def test_a_wait_met_by_one_worker_stops_all() -> None:
    time, events = Time(), []
    floods = ledger(time, events)
    floods.record_wait("messages.getHistory", 0, 30, "FLOOD_WAIT")
    passed: list[float] = []

    async def worker() -> None:
        await floods.acquire("messages.getHistory", 0)
        passed.append(time())

    await asyncio.gather(*(worker() for _ in range(8)))
    assert len(passed) == 8
    assert min(passed) >= 1030.0
    assert max(passed) < 1031.0, "one after the other at the pace that was learned"
    assert events == [FloodWaited("messages.getHistory", 30, "FLOOD_WAIT", 0)]


async def test_whoever_waited_for_its_turn_takes_another_one_after_a_wait_that_was_met_meanwhile() -> None:
    time, store = Time(), FloodStore()
    store.put_pace(("messages.getHistory", 0), Pace(0.5, 1000.0))
    floods = FloodLedger(
        clock=time, sleep=time.sleep, threshold=100, patience=86_400, on_event=lambda _: None, store=store
    )
    passed: list[float] = []

    async def worker(number: int) -> None:
        await floods.acquire("messages.getHistory", 0)
        passed.append(time())
        if number == 0:
            await asyncio.sleep(0)  # the others have their turns by now
            floods.record_wait("messages.getHistory", 0, 30, "FLOOD_WAIT")

    await asyncio.gather(*(worker(number) for number in range(6)))
    first, *later = passed
    assert first == 1000.0 and later[0] >= 1030.0
    assert all(after - before >= 0.99 for before, after in pairwise(later)), "at the pace that was learned"


async def test_other_methods_and_data_centres_go_on() -> None:
    time = Time()
    floods = ledger(time, [])
    floods.record_wait("upload.getFile", 4, 30, "FLOOD_WAIT")
    await floods.acquire("upload.getFile", 0)
    await floods.acquire("messages.getHistory", 4)
    assert time.slept == []
    assert floods.remaining("upload.getFile", 4) == 30


async def test_answers_to_requests_under_way_are_the_same_wait() -> None:
    time, events = Time(), []
    floods = ledger(time, events)
    for _ in range(5):
        floods.record_wait("messages.getHistory", 0, 30, "FLOOD_WAIT")
    assert len(events) == 1


async def test_a_wait_above_the_threshold_pauses_all_methods_until_it_is_over() -> None:
    time, events, passed = Time(), list[object](), dict[str, float]()
    floods = ledger(time, events, threshold=60)
    floods.record_wait("messages.getHistory", 0, 3600, "FLOOD_WAIT")

    async def ask(method: str, dc: int) -> None:
        await floods.acquire(method, dc)
        passed[method] = time()

    await ask("account.finishTakeoutSession", 0)
    assert passed == {"account.finishTakeoutSession": 1000.0}, "what ends a run is sent all the same"
    await asyncio.gather(*(ask(method, 4) for method in ("messages.search", "upload.getFile")))
    await ask("messages.getHistory", 0)
    assert min(list(passed.values())[1:]) >= 4600.0
    assert events == [FloodWaited("messages.getHistory", 3600, "FLOOD_WAIT", 0), Paused("messages.getHistory", 4600.0)]
    assert max(time.slept) <= 60, "a laptop that sleeps meanwhile looks at the clock soon"


async def test_a_pause_met_by_an_earlier_run_is_told_and_kept() -> None:
    time, waits, events = Time(), FloodStore(), list[object]()
    waits.put_wait(("messages.getHistory", 0), Wait(4600.0, 3600.0))
    floods = FloodLedger(clock=time, sleep=time.sleep, threshold=60, patience=7200, on_event=events.append, store=waits)
    await floods.acquire("help.getConfig", 0)
    assert time.slept == [] and events == [], "only what would have to wait so long begins a pause"
    await floods.acquire("messages.getHistory", 0)
    assert time() >= 4600.0 and events == [Paused("messages.getHistory", 4600.0)]


async def test_a_wait_above_the_patience_is_raised_to_all() -> None:
    time = Time()
    floods = ledger(time, [], threshold=60, patience=3000)
    with pytest.raises(FloodWait) as caught:
        floods.record_wait("messages.getHistory", 0, 3600, "FLOOD_WAIT")
    assert caught.value.seconds == 3600 and " again after 1970-01-01 " in caught.value.remedy
    with pytest.raises(FloodWait):
        await floods.acquire("messages.getHistory", 0)
    assert time.slept == []


@pytest.mark.parametrize(
    ("message", "name", "argument"),
    [
        ("FLOOD_WAIT_30", "FLOOD_WAIT", 30),
        ("FLOOD_PREMIUM_WAIT_3", "FLOOD_PREMIUM_WAIT", 3),
        ("FILE_MIGRATE_4", "FILE_MIGRATE", 4),
        ("TAKEOUT_INIT_DELAY_86400", "TAKEOUT_INIT_DELAY", 86400),
        ("FILE_REFERENCE_0_EXPIRED", "FILE_REFERENCE_EXPIRED", 0),
        ("CHANNEL_PRIVATE", "CHANNEL_PRIVATE", 0),
        ("Timeout", "Timeout", 0),
    ],
)
def test_error_names_are_split_once(message: str, name: str, argument: int) -> None:
    error = RpcError(400, message)
    assert (error.name, error.argument) == (name, argument)


def test_every_told_error_has_a_sentence_and_a_class() -> None:
    for name, told in RPC_ERRORS.items():
        error = translate_rpc_error(RpcError(400, name), "messages.getHistory")
        assert type(error) is told.kind and error.message.endswith(".")
        if isinstance(error, RequestRefused):
            assert (error.name, error.code, error.method) == (name, 400, "messages.getHistory")


#: Every error name of Telegram's that a client of ours can meet, by topic, with the exit code it ends a run with.
MET: dict[int, str] = {
    2: """USERNAME_INVALID USERNAME_NOT_OCCUPIED PEER_ID_INVALID CHAT_ID_INVALID USER_ID_INVALID CHANNEL_INVALID
        INVITE_HASH_INVALID INVITE_HASH_EXPIRED INVITE_HASH_EMPTY MSG_ID_INVALID PHONE_NOT_OCCUPIED""",
    3: """PHONE_NUMBER_INVALID PHONE_NUMBER_BANNED PHONE_NUMBER_FLOOD PHONE_NUMBER_UNOCCUPIED PHONE_CODE_INVALID
        PHONE_CODE_EXPIRED PHONE_PASSWORD_FLOOD SESSION_PASSWORD_NEEDED PASSWORD_HASH_INVALID SRP_ID_INVALID
        AUTH_KEY_UNREGISTERED AUTH_KEY_INVALID AUTH_KEY_DUPLICATED SESSION_REVOKED SESSION_EXPIRED USER_DEACTIVATED
        USER_DEACTIVATED_BAN AUTH_BYTES_INVALID AUTH_TOKEN_EXPIRED AUTH_TOKEN_INVALID API_ID_INVALID
        API_ID_PUBLISHED_FLOOD ACCESS_TOKEN_INVALID ACCESS_TOKEN_EXPIRED BOT_METHOD_INVALID FROZEN_METHOD_INVALID""",
    4: """CHANNEL_PRIVATE CHAT_ADMIN_REQUIRED CHAT_FORBIDDEN USER_BANNED_IN_CHANNEL CHANNEL_PUBLIC_GROUP_NA
        INVITE_REQUEST_SENT CHANNELS_TOO_MUCH TAKEOUT_INIT_DELAY_86400 TAKEOUT_INVALID TAKEOUT_REQUIRED
        PERSISTENT_TIMESTAMP_EMPTY PERSISTENT_TIMESTAMP_INVALID PERSISTENT_TIMESTAMP_OUTDATED OFFSET_INVALID
        LIMIT_INVALID LOCATION_INVALID FILE_ID_INVALID FILE_REFERENCE_EXPIRED FILE_REFERENCE_0_EXPIRED
        FILE_REFERENCE_INVALID FILEREF_UPGRADE_NEEDED FILE_TOKEN_INVALID REQUEST_TOKEN_INVALID CDN_METHOD_INVALID
        DC_ID_INVALID INTERNAL RPC_CALL_FAIL RPC_MCGET_FAIL WORKER_BUSY_TOO_LONG_RETRY Timeout FLOOD_WAIT_30
        FLOOD_PREMIUM_WAIT_7 SLOWMODE_WAIT_3 SOMETHING_NEW_42""",
}


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in MET.items() for name in names.split()])
def test_every_error_that_can_be_met_has_a_plain_sentence_a_remedy_and_an_exit_code(code: int, name: str) -> None:
    error = translate_rpc_error(RpcError(400, name), "messages.getHistory")
    assert error.exit_code == code
    assert error.message[0].isupper() and error.message.endswith(".") and " " in error.message
    assert error.remedy.endswith(".") or name in ("LOCATION_INVALID", "FILE_ID_INVALID"), "what is gone is gone"
    known = RpcError(400, name).name in RPC_ERRORS or isinstance(error, FloodWait)
    assert known != (name == "SOMETHING_NEW_42")
    if not known:
        assert name in error.message and "messages.getHistory" in error.message


@pytest.mark.parametrize("name", ["PHONE_MIGRATE_4", "USER_MIGRATE_4", "NETWORK_MIGRATE_4", "FILE_MIGRATE_4"])
def test_errors_that_name_another_data_centre_tell_it(name: str) -> None:
    error = translate_rpc_error(RpcError(303, name), "messages.getHistory")
    assert isinstance(error, MigrateNeeded) and error.dc == 4 and error.exit_code == 4
    assert "4" in error.message and "messages.getHistory" in error.message and error.remedy


def test_errors_are_sorted_into_the_tree() -> None:
    assert isinstance(translate_rpc_error(RpcError(401, "SESSION_REVOKED"), "m"), LoginError)
    assert isinstance(translate_rpc_error(RpcError(400, "USERNAME_NOT_OCCUPIED"), "m"), TargetNotFound)
    moved = translate_rpc_error(RpcError(303, "FILE_MIGRATE_4"), "upload.getFile")
    assert isinstance(moved, MigrateNeeded) and moved.dc == 4
    unknown = translate_rpc_error(RpcError(400, "SOMETHING_NEW"), "messages.getHistory")
    assert "SOMETHING_NEW" in unknown.message and "messages.getHistory" in unknown.message


def test_methods_are_named_as_in_the_schema() -> None:
    assert method_name(functions.help.GetConfigRequest()) == "help.getConfig"
    assert method_name(functions.PingRequest(1)) == "ping"


def test_backoff_grows_and_ends() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.seconds(attempt) for attempt in range(1, 60)]
    assert waits[0] <= 0.5 and max(waits) <= 30
    assert sum(waits[5:10]) > sum(waits[:5])


@pytest.mark.parametrize("size", [0, 1, 5000, 200_000, 3 << 20, 60 << 20])
def test_parts_never_cross_a_megabyte(size: int) -> None:
    part = part_size(size)
    assert (1 << 20) % part == 0 and part % 4096 == 0


def test_names_become_snake_case() -> None:
    assert snake("ChatAddUser") == "chat_add_user"
    assert snake("SetMessagesTTL") == "set_messages_ttl"


def settings(home: Path, **changes: object) -> TelegramSettings:
    return TelegramSettings(**{"api_id": 1, "api_hash": "s3cret", "sessions": home / "sessions", **changes})  # type: ignore[arg-type]


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    given = settings(tmp_path, session="also s3cret")
    assert "s3cret" not in repr(given) and "s3cret" not in str(given) and "s3cret" not in f"{given}"


def test_a_session_of_another_server_is_none(tmp_path: Path) -> None:
    sandbox = settings(tmp_path, server=ServerAddress("127.0.0.1", 1, 2, "KEY A"))
    SessionFile(sandbox).save(Session(2, "127.0.0.1", 1, b"k" * 256, server="other"))
    assert SessionFile(sandbox).load() is None


def test_a_damaged_session_file_is_told(tmp_path: Path) -> None:
    file = SessionFile(settings(tmp_path))
    file.path.parent.mkdir()
    file.path.write_text("{")
    with pytest.raises(LoginError, match="damaged"):
        file.load()


@pytest.mark.parametrize("name", ["../other", "", ".hidden", "a/b"])
def test_an_account_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        SessionFile(settings(tmp_path, account=name))


def test_server_keys_are_read_in_both_forms() -> None:
    import rsa
    from telethon.crypto import rsa as known

    key = rsa.newkeys(512)[0]
    pkcs1 = key.save_pkcs1().decode()
    before = len(known._server_keys)
    add_server_key(pkcs1)
    assert len(known._server_keys) == before + 1
    with pytest.raises(ConfigError, match="RSA"):
        add_server_key("no key")
    for fingerprint in list(known._server_keys)[before:]:
        del known._server_keys[fingerprint]
