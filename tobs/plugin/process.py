"""The host's end of a worker process: start it, send calls, end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import msgspec
from loguru import logger

from tobs.plugin.protocol import MAX_FRAME, Answer, Batch, Call, Opened, Opening, decoder, frame

#: Bytes of standard error that are stored to explain the end of a worker.
_STDERR_TAIL = 2_000

_answers = decoder(Answer)
_openeds = decoder(Opened)


class WorkerLost(Exception):
    """Raised if the worker process is gone: it crashed, was killed for exceeding its time limit, or did not start."""


class WorkerProcess:
    """A worker process from start to end. Must not be used by two tasks at the same time."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._name = name
        self._stderr_tail = b""
        self._stderr = asyncio.create_task(self._drain())

    @classmethod
    async def start(cls, name: str, opening: Opening, *, env: Mapping[str, str], limit: float) -> WorkerProcess:
        """Start a process for plugin ``name`` and wait at most ``limit`` seconds until it is ready.

        Raises WorkerLost. The environment is passed without the variables of tobs, because some are secrets.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                # -P: a file in the working directory (it may be a vault) must never be imported.
                *(sys.executable, "-P", "-m", "tobs.plugin.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={key: value for key, value in env.items() if not key.upper().startswith("TOBS_")},
                # Its own session: the host handles Ctrl-C, and a kill reaches the children of the plugin.
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerLost(f"did not start: {error.strerror}") from error
        worker = cls(process, name)
        try:
            await worker._send(frame(opening))
            opened: Opened = _openeds.decode(await worker._receive(limit, "did not start in time"))
        except BaseException:
            await worker.kill()
            raise
        if opened.failure:
            await worker.kill()
            raise WorkerLost(f"did not start: {opened.failure}")
        return worker

    async def send(self, calls: Sequence[Call]) -> None:
        """Send ``calls``; their answers must be read with ``answer``. Raises WorkerLost."""
        await self._send(frame(Batch(tuple(calls))))

    async def answer(self, *, limit: float) -> Answer:
        """Read the answer to the next call, which may take ``limit`` seconds. Raises WorkerLost if the process
        is gone.
        """
        body = await self._receive(limit, f"took longer than its limit of {limit:g} s")
        try:
            answer: Answer = _answers.decode(body)
        except msgspec.MsgspecError:
            await self.kill()
            raise WorkerLost("its process answered what tobs does not understand") from None
        return answer

    async def close(self) -> None:
        """Let the process end by itself, or kill it after a short time."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """Kill the process and everything it started."""
        if sys.platform == "win32":
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        ended = asyncio.create_task(self._process.wait())
        await asyncio.wait([ended], timeout=1)
        await asyncio.wait([self._stderr], timeout=0.2)
        # A child that left the group may keep the pipes open, and asyncio would wait for them forever.
        for task in (ended, self._stderr):
            task.cancel()
        self._process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way

    async def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            await self._lost()

    async def _receive(self, limit: float, late: str) -> bytes:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(limit):
                length = int.from_bytes(await self._process.stdout.readexactly(4), "big")
                if length <= MAX_FRAME:
                    return await self._process.stdout.readexactly(length)
        except TimeoutError:
            await self.kill()
            raise WorkerLost(late) from None
        except asyncio.IncompleteReadError:
            return await self._lost()
        await self.kill()
        raise WorkerLost(f"returned a result of {length} bytes; {MAX_FRAME} are allowed")

    async def _lost(self) -> bytes:
        """Raise WorkerLost with the way the process ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._process.wait()  # its own exit code says more than that of our kill
        await self.kill()
        code = self._process.returncode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        lines = self._stderr_tail.decode(errors="replace").strip().splitlines()
        raise WorkerLost(f"its process {how}" + (f" ({lines[-1][:200]})" if lines else ""))

    async def _drain(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(4096):
            logger.debug("plugin {} wrote {} bytes to standard error", self._name, len(chunk))
            self._stderr_tail = (self._stderr_tail + chunk)[-_STDERR_TAIL:]
