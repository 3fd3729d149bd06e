"""The worker pool: several connections walk the shards of one chat at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from tobs.model import Page
from tobs.telegram.client.shards import Shard, ShardQueue

Fetch = Callable[[Shard, int], Awaitable[Page]]
"""(shard, worker) -> the page at the shard's cursor; never beyond the shard's ``high`` when the answer is there."""
OnPage = Callable[[Page], Awaitable[None]]


async def walk_shards(shards: Iterable[Shard], workers: int, fetch: Fetch, on_page: OnPage) -> None:
    """Walk every shard to its end. The first error ends all workers and is raised.

    ``on_page`` is awaited page by page by each worker: while it waits, that worker fetches nothing.
    """
    queue = ShardQueue(shards)

    async def work(worker: int) -> None:
        while (shard := queue.take()) is not None:
            while not shard.done:
                page = await fetch(shard, worker)
                shard.settled(page.high)
                await on_page(page)
            queue.finish(shard)

    tasks = [asyncio.create_task(work(worker), name=f"worker {worker}") for worker in range(max(1, workers))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
