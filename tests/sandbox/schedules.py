"""Random fault schedules: drawn from a seed, played against a small world, what came compared with what was served."""

from __future__ import annotations

import asyncio
import random
from copy import copy
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from telethon.tl import functions, types

from tests.sandbox.telegram_room import Collected, served_ids, settings_for, sign_in
from tobs.errors import TransferFailed
from tobs.model import FileItem, MessageKey, Page, message_files
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.state import KeyState
from tobs.sandbox.worlds import World
from tobs.telegram.facade import Telegram
from tobs.telegram.net.events import Event
from tobs.telegram.net.session import SessionFile
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram

HISTORY, PART, HASHES, ONE = "messages.getHistory", "upload.getFile", "upload.getFileHashes", "channels.getMessages"
_OF_CDN = ("upload.getCdnFile", "upload.getCdnFile", "upload.reuploadCdnFile", "help.getCdnConfig")
DEADLINE = 60.0
"""Seconds a schedule may take: more is a hang."""
BIG = 11 << 20
_RUNS_OF_A_FILE = 6
_NAP = 0.01


class Schedule(Struct, frozen=True):
    """What goes wrong: faults for the sandbox, and how the world and the client are set up."""

    seed: int
    faults: tuple[str, ...]
    dcs: int
    workers: int
    sparse: int
    with_big_file: bool
    knows_dcs: bool
    with_cdn: bool = False


class Time:
    """Seconds that pass faster than real ones: a sleep is short, and the clock jumps to its end."""

    def __init__(self, nap: float = _NAP) -> None:
        self.now = 1_700_000_000.0
        self._nap = nap

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(min(seconds, self._nap))
        self.now = max(self.now, until)


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(seed)

    def action(method: str) -> str:
        anywhere = [
            f"flood:{chance.choice([0, 1, 3, 30])}",
            f"error:420:FLOOD_PREMIUM_WAIT_{chance.choice([1, 7])}",
            f"error:500:{chance.choice(['INTERNAL', 'RPC_CALL_FAIL', 'WORKER_BUSY_TOO_LONG_RETRY'])}",
            "error:-503:TIMEOUT",
            f"error:400:{chance.choice(['MSG_WAIT_FAILED', 'CONNECTION_NOT_INITED'])}",
            "drop",
            "corrupt",
            f"delay:{chance.choice([5, 50, 200])}",
            "delay:550",  # longer than the client waits for an answer
            f"away:{chance.choice([50, 200])}",
        ]
        if method in (PART, "upload.getCdnFile"):
            anywhere += ["expire", "corrupt", "short", "error:400:FILE_REFERENCE_INVALID"] * 2
        return chance.choice(anywhere)

    faults = []
    for _ in range(chance.randint(3, 9)):
        method = chance.choice([HISTORY] * 4 + [PART] * 5 + [HASHES, ONE, "auth.importAuthorization", "help.getConfig"])
        if chance.random() < 0.1:
            method = "*"
        chosen = action(method)
        often = chance.random() < 0.15 and not chosen.startswith(("away", "delay:550"))
        when = f"%{chance.choice([2, 5, 10])}" if often else f"#{chance.randint(1, 12)}"
        faults.append(f"{method}{when}={chosen}")
    schedule = Schedule(
        seed,
        tuple(faults),
        dcs=chance.choice([1, 2, 3]),
        workers=chance.choice([1, 4, 8]),
        sparse=chance.choice([1, 2, 20]),
        with_big_file=chance.random() < 0.1,
        knows_dcs=chance.random() < 0.7,
        with_cdn=chance.random() < 0.25,
    )
    if not schedule.with_cdn:
        return schedule
    more = [f"{method}#{chance.randint(1, 8)}={action(method)}" for method in chance.choices(_OF_CDN, k=3)]
    return replace(schedule, faults=(*schedule.faults, *more))


def build(schedule: Schedule) -> World:
    """A few hundred messages, some with photos and documents; in some worlds one file is fetched in parallel parts."""
    world = open_world(f"synthetic:messages=250,chats=1,media=0.1,sparse={schedule.sparse},seed={schedule.seed}")
    chat = world.resolve("@synthetic")
    sizes = [BIG + 777] * schedule.with_big_file + [1, 700_001, 1_300_000]
    for size in sizes:
        data = random.Random(size).randbytes(size)
        document = world.files.add_document(data, "application/x-test", [types.DocumentAttributeFilename("a.bin")])
        world.post(chat, "a file", media=types.MessageMediaDocument(document=document))
    world.post(chat, media=types.MessageMediaPhoto(photo=world.files.add_photo(b"\xff\xd8\xff" * 70_000, 640, 480)))
    return world


class _Login(Struct, frozen=True):
    """A login that worlds share, because making keys takes most of a schedule's time."""

    session: bytes
    keys: tuple[KeyState, ...]


_login: list[_Login] = []


async def _shared_login(home: Path) -> _Login:
    """Logged in at three data centres, once in this process."""
    if not _login:
        async with serve(open_world("synthetic:messages=1"), SandboxOptions(dcs=3)) as sandbox:
            settings = settings_for(sandbox, home)
            await sign_in(sandbox, settings)
            async with open_telegram(settings) as telegram:
                for dc in sandbox.server.ports:
                    await telegram.invoke(functions.help.GetNearestDcRequest(), dc=dc)
            _login.append(_Login(SessionFile(settings).path.read_bytes(), tuple(sandbox.server.state.keys.values())))
    return _login[0]


async def _logged_in(schedule: Schedule, sandbox: Sandbox, home: Path, settings: TelegramSettings) -> None:
    """Let the shared login be good at ``sandbox``; some schedules have to make the keys of other data centres anew."""
    login = await _shared_login(home)
    settings.sessions.mkdir(parents=True, exist_ok=True)
    file = SessionFile(settings)
    file.path.write_bytes(login.session)
    session = file.load()
    assert session is not None
    known = {dc: key for dc, key in session.keys.items() if dc in sandbox.server.ports}
    session.keys = known if schedule.knows_dcs else {}
    file.save(session)
    for key in login.keys:
        sandbox.server.state.keys[key.key_id] = copy(key)


class _Played(Collected):
    """Messages, and a download for each of their files, as an export has them side by side."""

    def __init__(self, telegram: Telegram, chat_id: int, folder: Path, group: asyncio.TaskGroup) -> None:
        super().__init__()
        self._telegram = telegram
        self._chat_id = chat_id
        self._folder = folder
        self._group = group
        self._slots = asyncio.Semaphore(4)
        self.files: dict[int, tuple[FileItem, Path]] = {}

    async def __call__(self, page: Page) -> None:
        await super().__call__(page)
        for message in page.messages:
            for item in message_files(message):
                part = self._folder / f"{message.id}.part"
                self.files[message.id] = item, part
                self._group.create_task(self._download(message.id, item, part))

    async def _download(self, number: int, item: FileItem, part: Path) -> None:
        key = MessageKey.of(self._telegram.account.id, self._chat_id, number)
        done = 0

        def heard(count: int) -> None:
            nonlocal done
            done = count

        async with self._slots:
            for run in range(_RUNS_OF_A_FILE):
                try:
                    size = await self._telegram.fetch_file(item, key, part, offset=done, on_progress=heard)
                except TransferFailed as failed:
                    if not failed.retryable or run + 1 == _RUNS_OF_A_FILE:
                        raise
                else:
                    assert size == item.size, f"message {number}: {size} of {item.size} bytes"
                    return


async def play(schedule: Schedule, home: Path) -> tuple[Sandbox, list[Event]]:
    """Fetch the whole world while the schedule strikes; fails when anything is lost, doubled, short, wrong or late."""
    world, time = build(schedule), Time()
    events: list[Event] = []
    async with serve(world, SandboxOptions(dcs=schedule.dcs, seed=schedule.seed, cdn=schedule.with_cdn)) as sandbox:
        settings = settings_for(
            sandbox,
            home,
            workers=schedule.workers,
            request_timeout=0.4,
            patience=3000.0,
            flood_threshold=3600.0,
        )
        await _logged_in(schedule, sandbox, home, settings)
        for spec in schedule.faults:
            sandbox.faults.add(spec)
        async with (
            asyncio.timeout(DEADLINE),
            open_telegram(
                settings, on_event=events.append, clock=time, sleep=time.sleep, rng=random.Random(schedule.seed)
            ) as telegram,
        ):
            chat = await telegram.resolve("@synthetic")
            top = await telegram.history_top(chat.id)
            async with asyncio.TaskGroup() as group:
                found = _Played(telegram, chat.id, home, group)
                await telegram.walk(chat.id, [(1, top.top)], found, count=top.count)
        assert found.coverage() == [(1, top.top)]
        assert sorted(found.messages) == served_ids(sandbox, chat.id)
        assert len(found.files) >= 4
        for number, (item, part) in found.files.items():
            assert item.remote is not None
            true = world.files.open(
                "photo" if item.remote.type == "photo" else "document", item.remote.id, item.remote.thumb
            )
            assert part.read_bytes() == true.read(0, true.size), f"the file of message {number} is wrong"
        assert sandbox.server.failures == []
    return sandbox, events
