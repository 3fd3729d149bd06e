"""The yardstick: stock Telethon asking for the history of one channel, page by page, and doing nothing with it."""

from __future__ import annotations

import asyncio
import sys
import time

from telethon import TelegramClient, functions
from telethon.crypto import rsa
from telethon.sessions import MemorySession

from tests.e2e.harness import Served


async def bare_rate(served: Served, *, clients: int = 1) -> float:
    """Messages per second of ``clients`` stock clients, each walking its share of the ids of the first target."""
    rsa.add_key(served.server_key(), old=False)
    connected = [await _client(served) for _ in range(clients)]
    peer = await connected[0].get_input_entity(served.target)
    newest = await connected[0](_page(peer, 0, 1))
    top = newest.messages[0].id
    share = -(-top // clients)
    started = time.perf_counter()
    counts = await asyncio.gather(
        *(
            _walk(client, peer, low=number * share, high=min(top, (number + 1) * share))
            for number, client in enumerate(connected)
        )
    )
    took = time.perf_counter() - started
    for client in connected:
        await client.disconnect()
    return sum(counts) / took


async def _client(served: Served) -> TelegramClient:
    TelegramClient._config = None
    host, _, port = served.ready["server"].partition(":")
    session = MemorySession()
    session.set_dc(served.ready["dc"], host, int(port))
    client = TelegramClient(session, served.ready["api_id"], served.ready["api_hash"])
    await client.connect()
    await client.send_code_request(served.ready["phone"])
    await client.sign_in(served.ready["phone"], served.ready["code"])
    return client


async def _walk(client: TelegramClient, peer: object, *, low: int, high: int) -> int:
    """The messages with ``low < id <= high``, newest first."""
    count, offset = 0, high + 1
    while True:
        page = await client(_page(peer, offset, 100, min_id=low))
        if not page.messages:
            return count
        count += len(page.messages)
        offset = page.messages[-1].id


def _page(peer: object, offset: int, limit: int, *, min_id: int = 0) -> functions.messages.GetHistoryRequest:
    return functions.messages.GetHistoryRequest(peer, offset, None, 0, limit, 0, min_id, 0)


if __name__ == "__main__":
    sys.exit("run it with: make bench")
