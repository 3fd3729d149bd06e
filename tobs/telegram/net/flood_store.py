"""Storage of flood waits and learned paces: in memory, or in a file that all processes of a user share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
from loguru import logger
from msgspec import Struct

from tobs.model.clock import Clock
from tobs.telegram.net.session import Session

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MethodKey = tuple[str, int]
"""(method, dc); dc 0 is home."""

_FORGET_PACE_AFTER = 3600.0


def account_key(session: Session) -> str:
    """Return the key of an account on its server: by its user id, else by a digest of its auth key."""
    account = str(session.account.id) if session.account else sha256(session.key).hexdigest()[:16]
    return f"{session.server or 'telegram'}/{account}"


class Wait(Struct, frozen=True):
    """Wait until ``until`` (Unix time), at most ``seconds`` from now, so that a clock set back adds nothing."""

    until: float
    seconds: float

    def remaining(self, now: float) -> float:
        """Return the seconds that are left, 0 when it is over."""
        return max(0.0, min(self.until - now, self.seconds))


class Pace(Struct, frozen=True):
    """An interval of ``interval`` seconds between two requests, learned at ``at`` (Unix time)."""

    interval: float
    at: float


class _FloodRecords(Struct):
    waits: dict[str, Wait] = {}
    paces: dict[str, Pace] = {}


class FloodStore:
    """Waits and paces by key, for one process."""

    def __init__(self) -> None:
        self._records = _FloodRecords()

    def wait(self, key: MethodKey) -> Wait | None:
        """Return the wait of ``key``, over or not."""
        return self._records.waits.get(self._name(key))

    def pace(self, key: MethodKey) -> Pace | None:
        """Return the pace learned last for ``key``."""
        return self._records.paces.get(self._name(key))

    def put_wait(self, key: MethodKey, wait: Wait) -> None:
        """Store ``wait`` in place of an earlier one."""
        self._records.waits[self._name(key)] = wait

    def put_pace(self, key: MethodKey, pace: Pace) -> None:
        """Store ``pace`` in place of an earlier one."""
        self._records.paces[self._name(key)] = pace

    def _name(self, key: MethodKey) -> str:
        return f"{key[0]} {key[1]}"


class SharedFloodStore(FloodStore):
    """Waits and paces in the file ``path``, under ``account``. Without a usable file they stay in memory.

    Reading costs a ``stat`` while nothing changed. Writers lock a file beside it and replace the file as a whole.
    """

    def __init__(self, path: Path, account: str, *, clock: Clock) -> None:
        super().__init__()
        self._path = path
        self._account = account
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None

    def wait(self, key: MethodKey) -> Wait | None:
        self._refresh()
        return super().wait(key)

    def pace(self, key: MethodKey) -> Pace | None:
        self._refresh()
        return super().pace(key)

    def put_wait(self, key: MethodKey, wait: Wait) -> None:
        self._change(lambda: super(SharedFloodStore, self).put_wait(key, wait))

    def put_pace(self, key: MethodKey, pace: Pace) -> None:
        self._change(lambda: super(SharedFloodStore, self).put_pace(key, pace))

    def _name(self, key: MethodKey) -> str:
        return f"{self._account} {key[0]} {key[1]}"

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except OSError:
            return
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._seen:
            self._seen = stamp
            self._records = self._read()

    def _read(self) -> _FloodRecords:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_FloodRecords)
        except (OSError, msgspec.DecodeError):
            return _FloodRecords()

    def _change(self, change: Callable[[], None]) -> None:
        try:
            with self._locked():
                self._seen = None
                self._refresh()
                change()
                now = self._clock()
                records = self._records
                records.waits = {name: wait for name, wait in records.waits.items() if wait.until > now}
                records.paces = {
                    name: pace for name, pace in records.paces.items() if pace.at + _FORGET_PACE_AFTER > now
                }
                temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
                temporary.write_bytes(msgspec.json.encode(records))
                temporary.replace(self._path)
                status = self._path.stat()
                self._seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError as error:
            logger.warning("flood waits cannot be shared in {}: {}", self._path, error.strerror)
            change()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock for one small write; the system releases it when the process dies."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._path.with_name(f".{self._path.name}.lock").open("a+b") as file:
            if sys.platform == "win32":
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                if sys.platform == "win32":
                    file.seek(0)
                    msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
                else:
                    fcntl.flock(file, fcntl.LOCK_UN)
