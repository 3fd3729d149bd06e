"""Runs processors over items in worker processes. A plugin can fail, never the run (invariant 8)."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from loguru import logger
from msgspec import Struct

from tobs.errors import PluginError
from tobs.plugin.api import Item, Result
from tobs.plugin.checks import BadResult, checked_result
from tobs.plugin.process import WorkerLost, WorkerProcess
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import Answer


class HostLimits(Struct, frozen=True):
    """What the host may use. ``cpu`` and ``io``: worker processes at a time of plugins bound by the CPU, and of
    those bound by disk or network; ``failures`` in a row after which a plugin is off for the run; ``start``:
    seconds a worker process may take until it is ready."""

    cpu: int = 2
    io: int = 8
    failures: int = 5
    start: float = 60.0


_DEFAULT_LIMITS = HostLimits()


class PluginFailure(Struct, frozen=True):
    """A plugin did not do its work on an item, and why. The item went on without it."""

    plugin: str
    item: str
    reason: str


class Done(Struct, frozen=True):
    """The plugin did its work; ``result`` is None when it kept the item as it is."""

    result: Result | None = None


class Skipped(Struct, frozen=True):
    """The plugin was not asked, because it is off for the run."""

    reason: str


Reply = Done | PluginFailure | Skipped


class Host:
    """The worker processes of a run. An async context manager: at its end every process is gone.

    ``env`` is the environment worker processes get (without tobs's own variables). With ``strict`` the first
    failure of a plugin is raised as a PluginError instead of becoming a reply.
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
        # Of plugins that want few processes, by name.
        self._own_slots: dict[str, asyncio.Semaphore] = {}
        # By name and configuration: a process is made for one of them.
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
        """The plugins that are off for the run, each with the reason."""
        return self._off

    async def run(self, processor: Processor, items: Sequence[Item]) -> list[Reply]:
        """Let ``processor`` work on ``items``; one reply an item, in their order.

        Raises PluginError when the host is strict and the plugin fails.
        """
        replies: list[Reply | None] = [None] * len(items)
        todo = deque(range(len(items)))
        most = self._limits.cpu if processor.plugin.bound == "cpu" else self._limits.io
        lanes = min(most, math.ceil(len(items) / processor.plugin.batch))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane(processor, items, todo, replies))
        except* PluginError as errors:
            raise errors.exceptions[0] from None
        return [reply or Skipped(self._off.get(processor.name, "")) for reply in replies]

    async def _lane(
        self, processor: Processor, items: Sequence[Item], todo: deque[int], replies: list[Reply | None]
    ) -> None:
        """Take batches from ``todo`` until it is empty or the plugin is off."""
        async with self._own_slot(processor), self._slots[processor.plugin.bound]:
            while todo and processor.name not in self._off:
                batch = [todo.popleft() for _ in range(min(processor.plugin.batch, len(todo)))]
                unanswered = deque(batch)
                try:
                    await self._batch(processor, items, unanswered, replies)
                except WorkerLost as error:
                    guilty = unanswered.popleft()
                    replies[guilty] = self._failed(processor, items[guilty], str(error))
                    todo.extendleft(reversed(unanswered))

    def _own_slot(self, processor: Processor) -> asyncio.Semaphore | contextlib.nullcontext[None]:
        if not processor.plugin.processes:
            return contextlib.nullcontext()
        return self._own_slots.setdefault(processor.name, asyncio.Semaphore(processor.plugin.processes))

    async def _batch(
        self, processor: Processor, items: Sequence[Item], unanswered: deque[int], replies: list[Reply | None]
    ) -> None:
        """Have a worker process answer the items in ``unanswered``. Raises WorkerLost with the rest left there."""
        worker = await self._worker(processor)
        try:
            await worker.send([items[index] for index in unanswered])
            while unanswered:
                answer = await worker.answer(limit=processor.plugin.time_limit)
                index = unanswered.popleft()
                replies[index] = self._reply(processor, items[index], answer)
                if processor.name in self._off:
                    return await worker.kill()
        except BaseException:
            # WorkerLost, a strict host, Ctrl-C: what it would still answer belongs to nobody.
            await worker.kill()
            raise
        self._idle.setdefault((processor.name, processor.digest), []).append(worker)

    async def _worker(self, processor: Processor) -> WorkerProcess:
        if idle := self._idle.get((processor.name, processor.digest)):
            return idle.pop()
        try:
            return await WorkerProcess.start(processor.name, processor.opening, env=self._env, limit=self._limits.start)
        except WorkerLost as error:
            # It would fail the same way for every item; asking once is enough.
            self._switch_off(processor.name, str(error))
            raise

    def _reply(self, processor: Processor, item: Item, answer: Answer) -> Reply:
        if answer.unreadable:
            self._in_a_row[processor.name] = 0
            return self._tell(processor, item, answer.failure)
        if answer.failure:
            return self._failed(processor, item, answer.failure)
        try:
            result = checked_result(answer.result, item) if answer.result else None
        except BadResult as error:
            return self._failed(processor, item, str(error))
        self._in_a_row[processor.name] = 0
        return Done(result)

    def _failed(self, processor: Processor, item: Item, reason: str) -> PluginFailure:
        """A failure that speaks against the plugin: after too many in a row it is off."""
        count = self._in_a_row.get(processor.name, 0) + 1
        self._in_a_row[processor.name] = count
        if count >= self._limits.failures:
            self._switch_off(processor.name, f"it failed {count} times in a row, the last time: {reason}")
        return self._tell(processor, item, reason)

    def _tell(self, processor: Processor, item: Item, reason: str) -> PluginFailure:
        logger.info("plugin {} failed on {}: {}", processor.name, item.label or item.path.name, reason)
        if self._strict:
            raise PluginError(
                f"Plugin {processor.name} failed on {item.label or item.path.name}: {reason}.",
                "Without --strict the run goes on.",
            )
        return PluginFailure(processor.name, item.label or item.path.name, reason)

    def _switch_off(self, name: str, reason: str) -> None:
        if name not in self._off:
            self._off[name] = reason
            logger.warning("plugin {} is off for this run: {}", name, reason)
