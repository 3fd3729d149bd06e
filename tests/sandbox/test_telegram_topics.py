"""Forums, as tobs.telegram reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.telegram_room import Collected, room
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.sandbox.worlds.community import GUILD
from tobs.sandbox.worlds.threads import create_topic, thread_ids
from tobs.telegram.client.targets import linked_topic


async def test_more_topics_than_a_page_holds_are_all_listed(tmp_path: Path) -> None:
    async with serve(open_world("community"), SandboxOptions()) as sandbox:
        for number in range(240):
            create_topic(sandbox.world, GUILD, f"Topic {number}")
        async with room(sandbox, tmp_path) as opened:
            await opened.telegram.resolve("@garden_guild")
            topics = await opened.telegram.chat_extras.topics(GUILD)
            assert [topic.id for topic in topics] == sorted(sandbox.world.topics[GUILD])
            assert {topic.id: topic.title for topic in topics} == {
                id: topic.title for id, topic in sandbox.world.topics[GUILD].items()
            }
            assert opened.telegram.requests["messages.getForumTopics"] == 3
        assert sandbox.server.failures == []


async def test_a_topic_is_walked_with_a_request_for_a_hundred_of_its_messages(tmp_path: Path) -> None:
    async with serve(open_world("community"), SandboxOptions()) as sandbox:
        topic = min(id for id, topic in sandbox.world.topics[GUILD].items() if topic.title == "Seeds & bulbs")
        wanted = thread_ids(sandbox.world, GUILD, topic)
        async with room(sandbox, tmp_path, workers=1) as opened:
            await opened.telegram.resolve("@garden_guild")
            top = await opened.telegram.history_top(GUILD, thread=topic)
            assert (top.top, top.count) == (wanted[0], len(wanted))
            found = Collected()
            await opened.telegram.walk(GUILD, [(1, top.top)], found, count=top.count, thread=topic)
            assert sorted(found.messages) == sorted(wanted)
            assert {message.topic_id for message in found.messages.values()} == {topic}
            assert all(page.is_part for page in found.pages), "none settles the ids of other topics"
            assert opened.telegram.requests["messages.getReplies"] <= 2 + len(wanted) // 100 + 1
            assert opened.telegram.requests["messages.getHistory"] == 0


@pytest.mark.parametrize(
    ("target", "topic"),
    [
        ("https://t.me/garden_guild/5", 5),
        ("t.me/garden_guild/5/123", 5),
        ("https://t.me/c/1880000001/7/9", 7),
        ("t.me/c/1880000001/7", 7),
        ("t.me/garden_guild/99?thread=4", 4),
        ("https://t.me/garden_guild/99?single&topic=4#x", 4),
        ("t.me/garden_guild", 0),
        ("@garden_guild", 0),
        ("t.me/+AbCd/5", 5),
        ("-1001880000001", 0),
        ("t.me/c/1880000001", 0),
    ],
)
def test_the_topic_of_a_link_is_the_first_number_behind_its_chat(target: str, topic: int) -> None:
    assert linked_topic(target) == topic
