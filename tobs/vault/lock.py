"""Lock of a vault for its one writer: a lock of the operating system, and a lease that names its holder.

The system's lock ends with its process, however that ends; it does not reach other machines, and some network file
systems have none. The lease (`.tobs/lease.json`: host, boot, process, heartbeat) covers those and names the holder.
"""

from __future__ import annotations

import contextvars
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from errno import EACCES, EAGAIN, EDEADLK
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import msgspec
import psutil
from loguru import logger
from msgspec import Struct

from tobs.errors import VaultLocked
from tobs.model.clock import Clock, Sleep
from tobs.vault.folders import unwritable
from tobs.vault.writer import TEMP_PREFIX, discard

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Seconds to wait for another writer, between two tries, between two heartbeats, and until a silent holder on
#: another machine counts as dead (file sync may take a minute to bring its heartbeat here).
WAIT = 10.0
_RETRY = 0.2
BEAT = 15.0
STALE = 120.0


class Lease(Struct, frozen=True):
    """Holder of the write lock. ``boot`` separates a pid of today from the same pid before a restart,
    ``process_started`` (Unix seconds) from another process that got it since; ``token`` from another lease of the same
    process."""

    host: str
    pid: int
    boot: str
    process_started: float
    started: float
    heartbeat: float
    token: str


@asynccontextmanager
async def write_lock(
    folder: Path, *, clock: Clock, sleep: Sleep, wait: float = WAIT, beat: float = BEAT
) -> AsyncIterator[None]:
    """Hold the write lock of the vault whose `.tobs` is ``folder``; the lease of a dead holder is replaced.

    Raises VaultLocked if another process still holds it after ``wait`` seconds, VaultUnwritable if `.tobs` cannot be
    written. The heartbeat runs in a thread: no flood wait and no busy event loop stops it.
    """
    deadline = clock() + wait
    while True:
        holder, file = _try(folder, clock)
        if file is not None:
            break
        if clock() >= deadline:
            raise _locked(folder, holder)
        await sleep(_RETRY)
    with file:
        try:
            with _heartbeat(folder, clock, beat):
                yield
        finally:
            _unlock(file)


def _try(folder: Path, clock: Clock) -> tuple[Lease | None, BinaryIO | None]:
    """Try once to take the lock: return the lease in the way, or the locked file."""
    try:
        file = (folder / "lock").open("a+b")
    except OSError as error:
        raise unwritable(error, folder / "lock") from error
    locked = _lock(file)
    lease = read_lease(folder)
    if locked is False or (lease is not None and not _is_over(lease, proven=locked is True, now=clock())):
        file.close()
        return lease, None
    if lease is not None:
        logger.info("Process {} on {} left its lease behind; taking over.", lease.pid, lease.host)
    return None, file


def _lock(file: BinaryIO) -> bool | None:
    """Take the lock without waiting: True if taken, False if another process has it, None if the system has none."""
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (EACCES, EAGAIN, EDEADLK) else None
    return True


def _unlock(file: BinaryIO) -> None:
    """Release the system's lock. The file stays: removing it would let two processes lock two files of one name."""
    with suppress(OSError):
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_UN)


def _is_over(lease: Lease, *, proven: bool, now: float) -> bool:
    """Tell if ``lease`` is void. ``proven``: this process has the lock that the lease's process would have on this
    machine."""
    here = lease.host == socket.gethostname()
    if lease.boot == _boot():
        # This machine, though maybe another container of it, whose processes cannot be seen from here.
        if proven:
            return True
        if here:
            return not _is_running(lease)
    elif here:
        return True  # it was restarted since
    return abs(now - lease.heartbeat) > STALE


def _is_running(lease: Lease) -> bool:
    try:
        return abs(psutil.Process(lease.pid).create_time() - lease.process_started) < 2
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _boot() -> str:
    """Return an id of this machine since its start: Linux's boot id, elsewhere the minute of the start."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return f"{socket.gethostname()} {round(psutil.boot_time() / 60)}"


def read_lease(folder: Path) -> Lease | None:
    """Read the lease in ``folder``; None if there is none, or only half of one (while a sync tool writes it)."""
    try:
        return msgspec.json.decode((folder / "lease.json").read_bytes(), type=Lease)
    except (OSError, msgspec.DecodeError):
        return None


@contextmanager
def _heartbeat(folder: Path, clock: Clock, beat: float) -> Iterator[None]:
    """Renew a lease in ``folder`` until the end of the block, then remove it."""
    start = clock()
    lease = Lease(
        host=socket.gethostname(),
        pid=os.getpid(),
        boot=_boot(),
        process_started=psutil.Process().create_time(),
        started=start,
        heartbeat=start,
        token=token_hex(8),
    )
    try:
        _write_lease(folder, lease)
    except OSError as error:
        raise unwritable(error, folder / "lease.json") from error
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(beat):
            try:
                _write_lease(folder, msgspec.structs.replace(lease, heartbeat=clock()))
            except OSError as error:
                # A full disk ends the run where it writes notes, not here.
                logger.debug("The lease was not renewed: {}", error)

    caller = contextvars.copy_context()
    thread = threading.Thread(target=lambda: caller.run(run), name="tobs-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        found = read_lease(folder)
        if found is not None and found.token == lease.token:
            with suppress(OSError):
                (folder / "lease.json").unlink()


def _write_lease(folder: Path, lease: Lease) -> None:
    temp = folder / f"{TEMP_PREFIX}{token_hex(6)}-0"
    try:
        temp.write_bytes(msgspec.json.encode(lease))
        temp.replace(folder / "lease.json")
    finally:
        discard(temp)


def _locked(folder: Path, holder: Lease | None) -> VaultLocked:
    if holder is None:
        return VaultLocked(f"Another process is writing into this vault ({folder.parent}).", "Wait until it is done.")
    since = datetime.fromtimestamp(holder.started, UTC).strftime("%Y-%m-%d %H:%M:%S")
    remedy = f"Wait until it is done, or stop it (process {holder.pid})."
    if holder.host != socket.gethostname():
        remedy = f"Wait until it is done; if it is not running any more, try again in {STALE:.0f} s."
    return VaultLocked(f"Process {holder.pid} on {holder.host} is writing into this vault since {since} UTC.", remedy)
