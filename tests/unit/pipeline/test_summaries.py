"""Notes about chats, topics, people and audio: what they count and show."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    DAY,
    START,
    attached,
    document,
    exported,
    file_of,
    key,
    message,
    named,
    photo,
    plan,
    record,
    write,
)

from tobs.archive import MediaDecision, SyncStart, record_page
from tobs.model import Action, Chat, FileItem, Message, Page, Person, RemoteFile, Topic, stories_of
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.chat_folders import open_chat, open_topics

GROUP = Chat(-55, "group", "Old club", top=5)
GROWN = Chat(-1000000000003, "supergroup", "Club", migrated_from=-55, top=5)
YEAR = 366 * DAY


def text(context: RunContext, tobs_id: str) -> str:
    return file_of(context, named(context, tobs_id)).read_text()


def properties(context: RunContext, tobs_id: str) -> dict[str, Any]:
    import yaml

    found = yaml.safe_load(text(context, tobs_id).removeprefix("---\n").partition("\n---\n")[0])
    assert isinstance(found, dict)
    return found


async def test_a_chat_counts_its_messages_and_files_by_year(context: RunContext) -> None:
    messages = [message(1), message(2, media=photo()), message(3, date=START + YEAR)]
    await exported(context, *messages, wanted=False)
    assert properties(context, str(CHANNEL.id))["messages"] == 3
    first, last = (context.archive.notes.locations([key(one)])[key(one)].path.removesuffix(".md") for one in (1, 3))
    body = text(context, str(CHANNEL.id))
    assert "Channel, 3 messages, 1 file" in body
    assert f"| [[{first}\\|2023]] | 2 | 1 |\n| [[{last}\\|2024]] | 1 | 0 |" in body
    assert f"First message: [[{first}|" in body and f"Last message: [[{last}|" in body


async def test_a_chat_and_the_group_it_grew_from_are_counted_as_one(context: RunContext) -> None:
    folder = open_chat(context, GROWN)
    group = open_chat(context, replace(GROUP, migrated_to=GROWN.id), parent=folder)
    record(context, message(1, chat=GROUP, date=START - YEAR), message(2, chat=GROUP), chat=GROUP, high=5)
    plan(context, group)
    await exported(context, message(3, chat=GROWN, date=START + YEAR), chat=GROWN)
    await write(context, folder, group)
    assert properties(context, str(GROWN.id))["messages"] == 3
    body = text(context, str(GROWN.id))
    assert all(year in body for year in ("2022", "2023", "2024"))
    index = text(context, "index")
    assert "Club" in index and "Old club" not in index and "3" in index


async def test_a_chat_shows_what_it_was_called_what_is_pinned_and_how_many_stories_it_has(context: RunContext) -> None:
    open_chat(context, replace(CHANNEL, title="First"))
    renamed = Action("chat_edit_title", {"title": "Second"})
    peer = stories_of(CHANNEL.id)
    story = Message(chat_id=peer, id=1, date=START, text="seen from the roof")
    record_page(context.archive, ACCOUNT, Page(peer, 1, 1, (story,), raw=b"", layer=229), _want)
    chat = replace(CHANNEL, pinned=(1,))
    await exported(context, message(1), message(2, pinned=True), message(3, kind="service", action=renamed), chat=chat)
    found, body = properties(context, str(CHANNEL.id)), text(context, str(CHANNEL.id))
    assert {"First", "Second"} <= set(found["aliases"])
    for number in (1, 2):
        path = context.archive.notes.locations([key(number)])[key(number)].path.removesuffix(".md")
        assert f"[[{path}" in body
    assert found.get("stories", 1) == 1


def _want(message: Message, item: FileItem) -> MediaDecision:
    return MediaDecision("wanted")


async def test_the_picture_of_a_chat_is_shown_while_it_is_the_present_one(context: RunContext) -> None:
    chat = replace(CHANNEL, photo=photo(77))
    assert chat.photo is not None and chat.photo.remote is not None
    file = attached(context, "Telegram/Observatory/media/picture.jpg", b"jpeg")
    context.archive.files.set_picture(CHANNEL.id, chat.photo.remote.key, file.sha256)
    await exported(context, message(1), chat=chat)
    assert "picture.jpg" in text(context, str(CHANNEL.id))
    await exported(context, message(2), chat=replace(chat, photo=photo(78)), low=2)
    assert "picture.jpg" not in text(context, str(CHANNEL.id))


async def test_a_lost_picture_is_not_shown(context: RunContext) -> None:
    remote = RemoteFile("photo", 77, 1, b"", 2, "y")
    file = attached(context, "picture.jpg", b"jpeg")
    context.archive.files.set_picture(CHANNEL.id, remote.key, file.sha256)
    context.archive.files.set_lost(file.sha256, lost=True)
    await exported(context, message(1), chat=replace(CHANNEL, photo=replace(photo(), remote=remote)))
    assert "picture.jpg" not in text(context, str(CHANNEL.id))


async def test_what_the_last_sync_changed_is_told_where_that_is_wanted(context: RunContext) -> None:
    await exported(context, message(1), message(2), message(3))
    context.archive.digests.begin(ACCOUNT, CHANNEL.id, SyncStart(context.archive.messages.last_row() + 1, -1.0))
    record(context, message(2, "edited"), message(4), high=0)
    context.archive.messages.mark_deleted([key(3)])
    folder = open_chat(context, CHANNEL)
    plan(context, folder)
    digest = replace(
        context,
        render_context=replace(context.render_context, options=replace(context.render_context.options, digest=True)),
    )
    context.archive.notes.mark_stale([folder.note_id])
    await write(context, folder)
    assert "words of 2" not in text(context, str(CHANNEL.id))
    context.archive.notes.mark_stale([folder.note_id])
    await write(digest, folder)
    body = text(context, str(CHANNEL.id))
    assert "edited" in body and context.archive.notes.locations([key(4)])[key(4)].path.removesuffix(".md") in body


async def test_a_forum_lists_its_topics_and_a_topic_what_it_was_called(context: RunContext) -> None:
    forum = replace(GROWN, is_forum=True, migrated_from=0, title="Forum")
    folder = open_chat(context, forum)
    open_topics(context, forum, [Topic(1, "General"), Topic(4, "Green tea", created=START)])
    began = Action("topic_create", {"title": "Tea"})
    record(
        context,
        message(4, chat=forum, topic_id=4, kind="service", action=began),
        message(5, chat=forum, topic_id=4),
        message(6, chat=forum),
        chat=forum,
    )
    plan(context, folder)
    await write(context, folder)
    body = text(context, str(forum.id))
    assert "Green tea" in body and "General" in body
    found = properties(context, f"{forum.id}/topic/4")
    assert found["messages"] == 2 and "Tea" in found["aliases"]
    assert properties(context, f"{forum.id}/topic/1")["messages"] == 1


async def test_a_person_counts_messages_in_all_chats(context: RunContext) -> None:
    other = replace(GROWN, migrated_from=0, title="Talk")
    anna = Person(7, "Anna", username="anna")
    await exported(context, message(1, sender_id=7), message(2, sender_id=7), people=(Person(7, "Anne"),))
    await exported(context, message(1, chat=other, sender_id=7), chat=other, people=(anna,))
    found = properties(context, "person/7")
    assert found["messages"] == 3 and "Anne" in found["aliases"]
    body = text(context, "person/7")
    assert "Telegram/Observatory/Observatory" in body and "Telegram/Talk/Talk" in body


async def test_who_one_talks_with_has_the_bio_of_the_chat(context: RunContext) -> None:
    private = Chat(7, "private", "Anna", about="Rings bells.", top=5)
    await exported(context, message(1, chat=private, sender_id=7), chat=private, people=(Person(7, "Anna"),))
    record(context, message(2, sender_id=7), people=(Person(7, "Anna"),))
    folder = open_chat(context, CHANNEL)
    plan(context, folder)
    await write(context, folder)
    assert "Rings bells." in text(context, "person/7")


@pytest.mark.parametrize("lost", [False, True])
async def test_an_audio_note_tells_what_the_file_says_and_which_messages_carry_it(
    context: RunContext, lost: bool
) -> None:
    song = document(7, "song.mp3", mime="audio/mpeg", kind="audio", title="Fade", performer="They", duration=60)
    await exported(context, message(1, media=song), message(2, media=song))
    file = attached(context, "Telegram/Observatory/media/song.mp3", b"song")
    for row in context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5):
        context.archive.media.staged(row.key, file.sha256, 4)
    context.archive.media.attached([row.id for row in context.archive.media.attachable(ACCOUNT, CHANNEL.id, 5)])
    context.archive.files.set_plugin_fields(file.sha256, {"tags": {"title": "Rise", "album": "Sky", "mood": "calm"}})
    context.archive.files.set_lost(file.sha256, lost=lost)
    row = context.archive.notes.claim(
        f"audio/{file.sha256}", "audio", account=ACCOUNT, chat_id=0, message_id=0, candidates=["Telegram/Audio/a.md"]
    )
    await write(context, open_chat(context, CHANNEL))
    found, body = properties(context, row.tobs_id), text(context, row.tobs_id)
    assert (found["title"], found["performer"], found["album"], found["duration"]) == ("Rise", "They", "Sky", 60)
    assert ("song.mp3]]" in body) != lost
    for number in (1, 2):
        assert context.archive.notes.locations([key(number)])[key(number)].path.removesuffix(".md") in body
