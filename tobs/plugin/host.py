"""The host calls plugins in worker processes for files, messages and runs. A plugin can fail, never the run (invariant
8).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from loguru import logger
from msgspec import Struct

from tobs.errors import PluginError
from tobs.plugin.api import (
    Command,
    Enrichment,
    Export,
    Exported,
    FinishedRun,
    Item,
    MessageItem,
    RenderedNote,
    Result,
    Run,
)
from tobs.plugin.process import WorkerLost, WorkerProcess
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import Answer, Call
from tobs.plugin.validation import (
    InvalidResult,
    validated_body,
    validated_enrichment,
    validated_export,
    validated_result,
    validated_text,
)

T = TypeVar("T")


class HostLimits(Struct, frozen=True):
    """Limits of the host.

    ``cpu`` and ``io`` are worker processes at the same time, of plugins bound by the CPU and of those bound by disk or
    network; ``failures`` in a row switch a plugin off for the run; ``start`` is the time in seconds a worker process
    may take to become ready.
    """

    cpu: int = 2
    io: int = 8
    failures: int = 5
    start: float = 60.0


_DEFAULT_LIMITS = HostLimits()


class PluginFailure(Struct, frozen=True):
    """A failure of a plugin for an item, and the reason. The item continues without it."""

    plugin: str
    item: str
    reason: str


class Done(Struct, Generic[T], frozen=True):
    """A successful call; ``result`` is None if the plugin returned nothing."""

    result: T | None = None


class Skipped(Struct, frozen=True):
    """A call that was not made, because the plugin is off for the run."""

    reason: str


Reply = Done[T] | PluginFailure | Skipped

#: Function that decodes and checks the bytes of an answer; raises InvalidResult.
_Check = Callable[[bytes, Call], T]


class Host:
    """The worker processes of a run. An async context manager that ends every process on exit.

    ``env`` is the environment of worker processes (without the variables of tobs). With ``strict`` the first failure of
    a plugin is raised as a PluginError instead of becoming a reply.
    """

    def __init__(self, *, env: Mapping[str, str], limits: HostLimits = _DEFAULT_LIMITS, strict: bool = False) -> None:
        self._env = env
        self._limits = limits
        self._strict = strict
        self._slots = {
            "cpu": asyncio.Semaphore(limits.cpu),
            "io": asyncio.Semaphore(limits.io),
            "network": asyncio.Semaphore(limits.io),
        }
        # Semaphores of plugins that limit their processes, by plugin name.
        self._own_slots: dict[str, asyncio.Semaphore] = {}
        # Idle processes by plugin name and configuration.
        self._idle: dict[tuple[str, str], list[WorkerProcess]] = {}
        self._in_a_row: dict[str, int] = {}
        self._off: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        workers = [worker for idle in self._idle.values() for worker in idle]
        self._idle.clear()
        await asyncio.gather(*(worker.close() for worker in workers))

    @property
    def off(self) -> Mapping[str, str]:
        """Return the plugins that are off for the run, with the reasons."""
        return self._off

    async def run(self, processor: Processor, items: Sequence[Item]) -> list[Reply[Result]]:
        """Let ``processor`` process files; returns a reply per item, in their order.

        Raises PluginError if the host is strict and the plugin fails; so do the other calls.
        """
        return await self._call(processor, items, validated_result)

    async def enrich(self, processor: Processor, items: Sequence[MessageItem]) -> list[Reply[Enrichment]]:
        """Call ``processor`` for messages; returns a reply per item, in their order."""
        return await self._call(processor, items, lambda body, _: validated_enrichment(body))

    async def post_render(self, processor: Processor, notes: Sequence[RenderedNote]) -> list[Reply[str]]:
        """Let ``processor`` change rendered notes; returns a reply with the body per note, in their order."""
        return await self._call(processor, notes, validated_body)

    async def notify(self, processor: Processor, run: Run | FinishedRun) -> Reply[None]:
        """Notify ``processor`` of the start or end of a run."""
        (reply,) = await self._call(processor, [run], lambda _, __: None)
        return reply

    async def export(self, processor: Processor, export: Export) -> Reply[Exported]:
        """Let ``processor`` export the messages of a run."""
        (reply,) = await self._call(processor, [export], validated_export)
        return reply

    async def command(self, processor: Processor, arguments: Sequence[str], vault: Path) -> Reply[str]:
        """Run the command of ``processor`` and return its output."""
        (reply,) = await self._call(processor, [Command(vault, tuple(arguments))], lambda body, _: validated_text(body))
        return reply

    async def _call(self, processor: Processor, calls: Sequence[Call], check: _Check[T]) -> list[Reply[T]]:
        task = _Task(processor, calls, check)
        most = self._limits.cpu if processor.plugin.bound == "cpu" else self._limits.io
        lanes = min(most, math.ceil(len(calls) / processor.plugin.batch))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane(task))
        except* PluginError as errors:
            raise errors.exceptions[0] from None
        return [reply or Skipped(self._off.get(processor.name, "")) for reply in task.replies]

    async def _lane(self, task: _Task[T]) -> None:
        """Process batches of the task until it is empty or the plugin is off."""
        plugin = task.processor.plugin
        async with self._own_slot(task.processor), self._slots[plugin.bound]:
            while task.todo and plugin.name not in self._off:
                unanswered = deque(task.todo.popleft() for _ in range(min(plugin.batch, len(task.todo))))
                try:
                    await self._batch(task, unanswered)
                except WorkerLost as error:
                    failed = unanswered.popleft()
                    task.replies[failed] = self._failed(task.processor, task.calls[failed], str(error))
                    task.todo.extendleft(reversed(unanswered))

    def _own_slot(self, processor: Processor) -> asyncio.Semaphore | contextlib.nullcontext[None]:
        if not processor.plugin.processes:
            return contextlib.nullcontext()
        return self._own_slots.setdefault(processor.name, asyncio.Semaphore(processor.plugin.processes))

    async def _batch(self, task: _Task[T], unanswered: deque[int]) -> None:
        """Let a worker process answer the calls in ``unanswered``. Raises WorkerLost with the rest left there."""
        processor = task.processor
        worker = await self._worker(processor)
        try:
            await worker.send([task.calls[index] for index in unanswered])
            while unanswered:
                answer = await worker.answer(limit=processor.plugin.time_limit)
                index = unanswered.popleft()
                task.replies[index] = self._reply(processor, task.calls[index], answer, task.check)
                if processor.name in self._off:
                    return await worker.kill()
        except BaseException:
            # WorkerLost, a strict host, Ctrl-C: its remaining answers have no receiver.
            await worker.kill()
            raise
        self._idle.setdefault((processor.name, processor.digest), []).append(worker)

    async def _worker(self, processor: Processor) -> WorkerProcess:
        if idle := self._idle.get((processor.name, processor.digest)):
            return idle.pop()
        try:
            return await WorkerProcess.start(processor.name, processor.opening, env=self._env, limit=self._limits.start)
        except WorkerLost as error:
            # It would fail in the same way for every item.
            self._switch_off(processor.name, str(error))
            raise

    def _reply(self, processor: Processor, call: Call, answer: Answer, check: _Check[T]) -> Reply[T]:
        if answer.unreadable:
            self._in_a_row[processor.name] = 0
            return self._failure(processor, call, answer.failure)
        if answer.failure:
            return self._failed(processor, call, answer.failure)
        try:
            result = check(answer.result, call) if answer.result else None
        except InvalidResult as error:
            return self._failed(processor, call, str(error))
        self._in_a_row[processor.name] = 0
        return Done(result)

    def _failed(self, processor: Processor, call: Call, reason: str) -> PluginFailure:
        """Record a failure caused by the plugin; too many in a row switch it off."""
        count = self._in_a_row.get(processor.name, 0) + 1
        self._in_a_row[processor.name] = count
        if count >= self._limits.failures:
            self._switch_off(processor.name, f"it failed {count} times in a row, the last time: {reason}")
        return self._failure(processor, call, reason)

    def _failure(self, processor: Processor, call: Call, reason: str) -> PluginFailure:
        label = _label(call)
        logger.info("plugin {} failed on {}: {}", processor.name, label, reason)
        if self._strict:
            raise PluginError(
                f"Plugin {processor.name} failed on {label}: {reason}.", "Without --strict the run goes on."
            )
        return PluginFailure(processor.name, label, reason)

    def _switch_off(self, name: str, reason: str) -> None:
        if name not in self._off:
            self._off[name] = reason
            logger.warning("plugin {} is off for this run: {}", name, reason)


class _Task(Generic[T]):
    """Calls to a plugin and the replies so far; ``todo`` are the indexes of calls that no lane has taken."""

    def __init__(self, processor: Processor, calls: Sequence[Call], check: _Check[T]) -> None:
        self.processor = processor
        self.calls = calls
        self.check = check
        self.todo = deque(range(len(calls)))
        self.replies: list[Reply[T] | None] = [None] * len(calls)


def _label(call: Call) -> str:
    """Return the name of a call in reports."""
    match call:
        case Item():
            return call.label or call.path.name
        case MessageItem():
            return call.label or f"message {call.message.id}"
        case RenderedNote():
            return call.path
        case Run():
            return "the start of the run"
        case FinishedRun():
            return "the end of the run"
        case Export():
            return "the export of the run"
        case Command():
            return "its command"
