"""An export settles the ids of what was read, and nothing beyond."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

from tobs.model import Page, marked_channel
from tobs.sources.desktop import open_desktop

FIRST, SECOND = marked_channel(111), marked_channel(222)


def chat(title: str, bare: int, *ids: int) -> dict[str, Any]:
    messages = [
        {
            "id": one,
            "type": "message",
            "date": "2024-01-01T00:00:00",
            "date_unixtime": str(1_704_067_200 + one),
            "from": "Ines",
            "from_id": "user5",
            "text": f"words of {one}",
        }
        for one in ids
    ]
    return {"name": title, "type": "public_supergroup", "id": bare, "messages": messages}


async def test_of_a_chat_that_comes_twice_the_second_part_is_settled_when_it_was_read(tmp_path: Path) -> None:
    chats = [chat("First", 111, 1, 2, 3), chat("Second", 222, 1, 2), chat("First", 111, 50, 51)]
    (tmp_path / "result.json").write_text(json.dumps({"about": "", "chats": {"about": "", "list": chats}}))
    pages: list[Page] = []

    async def on_page(page: Page) -> None:
        pages.append(page)

    async with open_desktop(tmp_path, zone=UTC) as export, export.reading() as source:
        assert source.next_chat is not None and source.settled is not None
        steps = []
        while chat_id := await source.next_chat():
            steps.append((chat_id, list(source.settled(FIRST)), list(source.settled(SECOND))))
            await source.walk(chat_id, [(1, 100)], on_page)
        steps.append((0, list(source.settled(FIRST)), list(source.settled(SECOND))))
    assert steps == [
        (FIRST, [], []),
        (SECOND, [(1, 3)], []),
        (FIRST, [(1, 3)], [(1, 2)]),
        (0, [(1, 3), (50, 51)], [(1, 2)]),
    ]
    assert [message.id for page in pages for message in page.messages] == [1, 2, 3, 1, 2, 50, 51]
