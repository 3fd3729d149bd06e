"""One writer: waiting, refusing with a name, taking over from the dead. Holders are real processes."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tobs.errors import VaultLocked, VaultUnwritable
from tobs.vault import lock
from tobs.vault.lock import STALE, Lease, read_lease, write_lock


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = time.time()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> Awaitable[None]:
        self.now += seconds
        return asyncio.sleep(0)


HOLDER = """
import asyncio, sys, time
from pathlib import Path
from tobs.vault.lock import write_lock
async def main():
    async with write_lock(Path(sys.argv[1]), clock=time.time, sleep=asyncio.sleep):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock until its standard input is closed."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def a_lease(**changes: object) -> Lease:
    now = time.time()
    lease = Lease("elsewhere", 1234, "their boot", now - 60, now - 60, now, "token")
    return msgspec.structs.replace(lease, **changes)


def leave(folder: Path, lease: Lease) -> None:
    (folder / "lease.json").write_bytes(msgspec.json.encode(lease))


async def take(folder: Path) -> None:
    moment = Time()
    async with write_lock(folder, clock=moment.clock, sleep=moment.sleep):
        pass


async def test_the_holder_is_named_while_it_holds_and_forgotten_afterwards(tmp_path: Path) -> None:
    moment = Time()
    async with write_lock(tmp_path, clock=moment.clock, sleep=moment.sleep):
        lease = read_lease(tmp_path)
        assert lease is not None
        assert (lease.pid, lease.host) == (os.getpid(), socket.gethostname())
    assert read_lease(tmp_path) is None
    await take(tmp_path)


async def test_the_lock_is_given_back_when_the_run_fails(tmp_path: Path) -> None:
    moment = Time()
    with pytest.raises(RuntimeError):
        async with write_lock(tmp_path, clock=moment.clock, sleep=moment.sleep):
            raise RuntimeError
    await take(tmp_path)


async def test_a_second_writer_waits_ten_seconds_and_leaves_with_the_pid_of_the_first(tmp_path: Path) -> None:
    moment = Time()
    start = moment.now
    with holder(tmp_path) as process:
        with pytest.raises(VaultLocked, match=f"Process {process.pid} on {socket.gethostname()} is writing"):
            async with write_lock(tmp_path, clock=moment.clock, sleep=moment.sleep):
                pytest.fail("two writers")
        assert 10 <= moment.now - start < 11


async def test_a_second_writer_goes_on_when_the_first_is_done(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert process.stdin is not None
        asyncio.get_running_loop().call_later(0.3, process.stdin.close)
        async with write_lock(tmp_path, clock=time.time, sleep=asyncio.sleep):
            lease = read_lease(tmp_path)
            assert lease is not None
            assert lease.pid == os.getpid()


async def test_a_killed_holder_is_taken_over(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        assert read_lease(tmp_path) is not None
        await take(tmp_path)


async def test_a_holder_on_another_machine_is_respected_while_its_heart_beats(tmp_path: Path) -> None:
    leave(tmp_path, a_lease())
    with pytest.raises(VaultLocked, match="Process 1234 on elsewhere"):
        await take(tmp_path)
    leave(tmp_path, a_lease(heartbeat=time.time() - STALE - 1))
    await take(tmp_path)


async def test_a_lease_from_before_a_restart_binds_nobody(tmp_path: Path) -> None:
    leave(tmp_path, a_lease(host=socket.gethostname()))
    await take(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"host": "half of it', b"[]"])
async def test_half_a_lease_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lease.json").write_bytes(content)
    await take(tmp_path)


async def test_where_the_system_has_no_locks_the_lease_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_lock", lambda file: None)
    moment = Time()
    async with write_lock(tmp_path, clock=moment.clock, sleep=moment.sleep):
        with pytest.raises(VaultLocked):
            await take(tmp_path)
        lease = read_lease(tmp_path)
    assert lease is not None
    leave(tmp_path, msgspec.structs.replace(lease, process_started=lease.process_started - 1000))
    await take(tmp_path)


async def test_the_heart_beats_while_the_event_loop_is_busy(tmp_path: Path) -> None:
    async with write_lock(tmp_path, clock=time.time, sleep=asyncio.sleep, beat=0.01):
        first = read_lease(tmp_path)
        time.sleep(0.2)  # noqa: ASYNC251 -- a loop that is busy
        second = read_lease(tmp_path)
    assert first is not None
    assert second is not None
    assert second.heartbeat > first.heartbeat


async def test_a_vault_that_cannot_be_written_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(VaultUnwritable):
        await take(tmp_path / "missing")
