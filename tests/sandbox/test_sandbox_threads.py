"""Topics, replies and comments, requested by two independent client libraries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telethon import errors
from telethon.tl import functions, types
from telethon.utils import get_peer_id

from tests.sandbox.conftest import telethon_client
from tests.sandbox.test_sandbox_kurigram import kurigram_client, log_in
from tobs.model import bare_id
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.worlds.community import ADA, ALMANAC, CIRCLE, GUILD, HIDDEN, ME, POST, TOPICS
from tobs.sandbox.worlds.threads import create_topic, discussion, edit_topic, thread_ids


@pytest.fixture
async def community() -> AsyncIterator[Sandbox]:
    async with serve(open_world("community"), SandboxOptions()) as running:
        yield running
        assert running.server.failures == []


def titles() -> list[str]:
    return sorted(["General", *(title for title, _ in TOPICS)])


async def test_telethon_lists_topics_page_by_page(community: Sandbox) -> None:
    async with telethon_client(community) as client:
        peer = await client.get_input_entity("@garden_guild")
        found: list[types.ForumTopic] = []
        offset = 0
        while True:
            page = await client(functions.messages.GetForumTopicsRequest(peer, None, 0, offset, 3))
            assert page.count == len(TOPICS) + 1
            assert {message.id for message in page.messages} == {topic.top_message for topic in page.topics}
            if not page.topics:
                break
            found += page.topics
            offset = found[-1].id
        assert sorted(topic.title for topic in found) == titles()
        assert found[0].pinned, "the pinned ones come first"
        pinned = sum(1 for topic in found if topic.pinned)
        tops = [topic.top_message for topic in found[pinned:]]
        assert tops == sorted(tops, reverse=True), "then by the newest message"
        again = await client(functions.messages.GetForumTopicsByIDRequest(peer, [found[0].id, 999]))
        assert again.topics[0].title == found[0].title and isinstance(again.topics[1], types.ForumTopicDeleted)


async def test_telethon_reads_a_topic_and_nothing_of_the_others(community: Sandbox) -> None:
    world = community.world
    topic = next(id for id, topic in world.topics[GUILD].items() if topic.title == "Seeds & bulbs")
    async with telethon_client(community) as client:
        messages = [message async for message in client.iter_messages("@garden_guild", reply_to=topic)]
        assert [message.id for message in messages] == thread_ids(world, GUILD, topic)
        assert len(messages) > 100, "more than a page"
        assert all(message.reply_to.forum_topic for message in messages)
        general = [message.id async for message in client.iter_messages("@garden_guild", reply_to=1)]
        assert general == thread_ids(world, GUILD, 1) and not set(general) & {message.id for message in messages}


async def test_what_is_no_forum_has_no_topics(community: Sandbox) -> None:
    async with telethon_client(community) as client:
        with pytest.raises(errors.ChannelForumMissingError):
            await client(functions.messages.GetForumTopicsRequest("me", None, 0, 0, 10))


async def test_kurigram_lists_topics_and_sees_what_becomes_of_them(community: Sandbox) -> None:
    world = community.world
    made = create_topic(world, GUILD, "Bees")
    edit_topic(world, GUILD, made, closed=True)
    edit_topic(world, GUILD, made, title="Bees and wasps")
    async with kurigram_client(community) as client:
        await log_in(client, community)
        topics = {topic.id: topic async for topic in client.get_forum_topics("garden_guild")}
        assert sorted(topic.title for topic in topics.values()) == sorted([*titles(), "Bees and wasps"])
        assert topics[made].is_closed
        newest = [message async for message in client.get_chat_history("garden_guild", limit=3)]
        assert newest[0].forum_topic_edited.title == "Bees and wasps"
        assert newest[1].forum_topic_closed and newest[2].forum_topic_created.title == "Bees"


async def test_telethon_reads_the_comments_of_posts_and_where_they_are_discussed(community: Sandbox) -> None:
    world = community.world
    async with telethon_client(community) as client:
        for name, channel in (("@garden_post", POST), ("@garden_almanac", ALMANAC)):
            group, root = discussion(world, channel, 5)
            comments = [message async for message in client.iter_messages(name, reply_to=5)]
            assert [message.id for message in comments] == thread_ids(world, group, root)
            assert {message.chat_id for message in comments} == {group}
            post = await client.get_messages(name, ids=5)
            assert (post.replies.replies, post.replies.max_id) == (len(comments), comments[0].id)
            told = await client(functions.messages.GetDiscussionMessageRequest(name, 5))
            assert (told.messages[0].id, told.max_id) == (root, comments[0].id)
            views = await client(functions.messages.GetMessagesViewsRequest(name, [5, 6], increment=False))
            assert views.views[0].replies.replies == len(comments)
        with pytest.raises(errors.ChannelPrivateError):
            await client.get_messages(types.PeerChannel(bare_id(CIRCLE)), limit=1)


async def test_kurigram_reads_the_comments_of_a_post(community: Sandbox) -> None:
    async with kurigram_client(community) as client:
        await log_in(client, community)
        replies = [message async for message in client.get_discussion_replies("garden_post", 2)]
        assert [message.id for message in replies] == thread_ids(community.world, *discussion(community.world, POST, 2))
        assert (await client.get_discussion_message("garden_post", 2)).forward_origin.message_id == 2


async def test_telethon_lists_sub_dialogs_reads_one_and_sees_the_tags(community: Sandbox) -> None:
    async with telethon_client(community) as client:
        dialogs = await client(functions.messages.GetSavedDialogsRequest(None, 0, "me", 2, 0))
        assert dialogs.count == 4 and len(dialogs.dialogs) == 2
        rest = await client(
            functions.messages.GetSavedDialogsRequest(None, dialogs.dialogs[-1].top_message, "me", 9, 0)
        )
        sources = [get_peer_id(dialog.peer) for dialog in (*dialogs.dialogs, *rest.dialogs)]
        assert sorted(sources) == sorted([ME, ADA, POST, HIDDEN])
        ada = await client.get_input_entity(types.PeerUser(ADA))
        page = await client(functions.messages.GetSavedHistoryRequest(ada, 0, None, 0, 100, 0, 0, 0))
        assert {get_peer_id(message.saved_peer_id) for message in page.messages} == {ADA}
        assert len(page.messages) == 10
        tags = await client(functions.messages.GetSavedReactionTagsRequest(0))
        assert {tag.reaction.emoticon: (tag.count, tag.title) for tag in tags.tags} == {
            "📌": (8, "to do: soon"),
            "❤": (6, None),
        }


async def test_telethon_and_kurigram_see_the_stories_of_a_peer(community: Sandbox) -> None:
    stories = community.world.stories
    async with telethon_client(community) as client:
        ada = await client.get_input_entity("@ada_north_garden")
        pinned = await client(functions.stories.GetPinnedStoriesRequest(ada, 0, 100))
        assert [story.id for story in pinned.stories] == [3, 1] and pinned.count == 2
        below = await client(functions.stories.GetPinnedStoriesRequest(ada, 3, 100))
        assert [story.id for story in below.stories] == [1]
        picture = await client.download_media(pinned.stories[0].media, bytes)
        blob = community.world.files.open("photo", stories[ADA][3].media.photo.id, "x")
        assert picture == blob.read(0, blob.size)
        with pytest.raises(errors.PeerIdInvalidError):
            await client(functions.stories.GetStoriesArchiveRequest(ada, 0, 100))
    async with kurigram_client(community) as client:
        await log_in(client, community)
        own = [story.id async for story in client.get_archived_stories("me")]
        assert own == sorted(stories[ME], reverse=True)
