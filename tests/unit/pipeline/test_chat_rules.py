"""Small rules about chats: which are followed, what their pictures are, which of their notes are made again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    DAY,
    START,
    attached,
    exported,
    file_of,
    key,
    message,
    note,
    nothing,
    photo,
    plan,
    record,
    settled,
    source,
    stale,
    write,
)

from tobs.errors import TransferFailed, UsageError
from tobs.media import MediaPolicy
from tobs.model import Chat, FileItem, Forward, Message, MessageKey, Reply, UpdateState
from tobs.pipeline.commands.import_html_chat import chat_of_html
from tobs.pipeline.commands.render import Scope, difference, mark_stale, restore
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.fetch.chat_details import fetch_picture
from tobs.pipeline.fetch.history import record_old_group
from tobs.pipeline.fetch.sync_state import follow
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.render_notes import note_locations
from tobs.pipeline.select.archived_chats import store_account
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.select.selection import Part
from tobs.pipeline.sync.comment_changes import _changed_groups, _with_new_comments, groups_of
from tobs.sources.desktop.ids import unknown_group
from tobs.telegram.sync.updates import PeerDialog

GROUP = Chat(-1000000000003, "supergroup", "Talk", top=900)
COMMENTED = replace(CHANNEL, linked_chat=GROUP.id)
OTHER = Chat(-1000000000009, "channel", "Planetarium", top=9)


# which chats are kept in step


def part(within: tuple[int, int] | None = None, chat: Chat = CHANNEL) -> Part:
    return Part(chat, source(nothing), within)


@pytest.mark.parametrize(
    ("filters", "followed"),
    [
        (Filters(), True),
        (Filters(since=5.0), True),
        (Filters(min_id=5), True),
        (Filters(until=5.0), False),
        (Filters(max_id=5), False),
        (Filters(types=frozenset({"photo"})), False),
    ],
)
def test_a_chat_is_followed_unless_newer_messages_were_not_wanted(
    context: RunContext, filters: Filters, followed: bool
) -> None:
    follow(context, [part()], filters)
    assert context.archive.updates.tracked(ACCOUNT) == ({CHANNEL.id: 1000} if followed else {})


def test_what_lies_below_a_part_of_a_chat_is_not_missed_by_a_sync(context: RunContext) -> None:
    follow(context, [part((900, 1000)), part(chat=OTHER)], Filters())
    record(context, low=900, high=1000)
    assert context.archive.ledgers.of(ACCOUNT, CHANNEL.id).never_fetched == 0
    assert context.archive.ledgers.of(ACCOUNT, OTHER.id).never_fetched == 9


def test_the_group_an_import_could_not_name_is_known_when_telegram_tells_it(context: RunContext) -> None:
    unknown = Chat(unknown_group(GROUP.id), "group", "Talk")
    context.archive.chats.put(ACCOUNT, unknown)
    record(context, message(1, chat=unknown), chat=unknown)
    record_old_group(context, GROUP)
    assert context.archive.messages.live_ids(ACCOUNT, unknown.id, 1, 9) == [1]
    record_old_group(context, replace(GROUP, migrated_from=-55))
    assert context.archive.messages.live_ids(ACCOUNT, -55, 1, 9) == [1]


# pictures


class Pictures:
    """Has the picture of every chat."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.fails: bool | None = None

    async def __call__(
        self,
        item: FileItem,
        key: MessageKey,
        part: Path,
        *,
        offset: int = 0,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        assert item.remote is not None
        self.asked.append(item.remote.id)
        if self.fails is not None:
            raise TransferFailed("It was not sent.", retryable=self.fails)
        return await asyncio.to_thread(part.write_bytes, b"%04d" % item.remote.id)


async def picture(context: RunContext, pictures: Pictures, chat: Chat, policy: MediaPolicy | None = None) -> str:
    """Fetch the picture of a chat; where it lies."""
    folder = open_chat(context, chat)
    async with ArchiveThread() as thread:
        await fetch_picture(context, thread, pictures, folder, policy or MediaPolicy())
    known = context.archive.files.picture(chat.id)
    file = context.archive.files.get(known[1]) if known is not None else None
    return file.path if file is not None else ""


async def test_a_picture_is_fetched_once_and_a_new_one_lies_beside_it(context: RunContext) -> None:
    pictures, chat = Pictures(), replace(CHANNEL, photo=photo(77), created=START)
    assert await picture(context, pictures, replace(CHANNEL, photo=None)) == ""
    path = context.root / await picture(context, pictures, chat)
    assert (path.name, path.read_bytes(), path.stat().st_mtime) == ("picture.jpg", b"0077", START)
    await picture(context, pictures, chat)
    assert pictures.asked == [77]
    assert (await picture(context, pictures, replace(chat, photo=photo(78)))).endswith("picture 2.jpg")
    assert pictures.asked == [77, 78] and list(context.staging.iterdir()) == []


async def test_a_picture_that_a_message_set_is_not_fetched_again(context: RunContext) -> None:
    pictures = Pictures()
    record(context, message(1, media=photo(77)))
    (row,) = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5)
    file = attached(context, "media/1.jpg", b"jpeg")
    context.archive.media.staged(row.key, file.sha256, 4)
    context.archive.media.attached([row.id])
    assert await picture(context, pictures, replace(CHANNEL, photo=photo(77))) == "media/1.jpg" and pictures.asked == []


@pytest.mark.parametrize(
    ("policy", "fetched"),
    [
        (MediaPolicy(frozenset({"photo"})), True),
        (MediaPolicy(frozenset({"voice"})), False),
        (MediaPolicy(max_size=3), False),
        (MediaPolicy(max_size=4), True),
    ],
)
async def test_a_picture_is_fetched_where_photos_are_wanted(
    context: RunContext, policy: MediaPolicy, fetched: bool
) -> None:
    assert bool(await picture(context, Pictures(), replace(CHANNEL, photo=photo(77)), policy)) is fetched


@pytest.mark.parametrize("retryable", [True, False])
async def test_a_picture_that_does_not_come_is_told_when_it_may_come_later(
    context: RunContext, report: ReportBuilder, retryable: bool
) -> None:
    pictures = Pictures()
    pictures.fails = retryable
    assert await picture(context, pictures, replace(CHANNEL, photo=photo(77))) == ""
    assert [one.item for one in report.report.problems] == (["picture of Observatory"] if retryable else [])


# which notes are made again


async def two_chats(context: RunContext) -> list[str]:
    await exported(context, *(message(number, date=START + number * DAY) for number in (1, 2, 3)))
    await exported(context, message(1, chat=OTHER), chat=OTHER)
    settled(context)
    return [f"{CHANNEL.id}/{number}" for number in (1, 2, 3)]


async def test_all_notes_those_of_a_chat_or_of_a_time_are_made_again(context: RunContext) -> None:
    notes, folder = await two_chats(context), open_chat(context, CHANNEL)
    mark_stale(context, Scope([folder]))
    assert stale(context) > {*notes, f"{OTHER.id}/1", "index"}
    settled(context)
    mark_stale(context, Scope([folder], named=True))
    assert stale(context) & {*notes, f"{OTHER.id}/1"} == set(notes)
    settled(context)
    mark_stale(context, Scope([folder], since=START + 2 * DAY))
    assert stale(context) & set(notes) == set(notes[1:])
    settled(context)
    mark_stale(context, Scope([folder], until=START + 2 * DAY))
    assert stale(context) & set(notes) == set(notes[:1])
    settled(context)
    mark_stale(context, Scope([folder], named=True, since=START + 2 * DAY, until=START + 3 * DAY))
    assert stale(context) & {*notes, f"{OTHER.id}/1"} == {notes[1]}


@pytest.mark.parametrize("named", [True, False])
async def test_deleted_notes_and_files_are_wanted_back_for_all_or_some_chats(context: RunContext, named: bool) -> None:
    await two_chats(context)
    rows = note(context, 1), note(context, 1, OTHER)
    files = attached(context, "a.jpg", b"one"), context.archive.files.claim("cd" * 32, key(1, OTHER), ["b.jpg"], size=3)
    context.archive.notes.mark_deleted([row.id for row in rows])
    for file in files:
        context.archive.files.set_lost(file.sha256, lost=True)
    restore(context, Scope([open_chat(context, CHANNEL)], named=named))
    states = note(context, 1).state, note(context, 1, OTHER).state
    assert states == ("planned", "deleted" if named else "planned")
    left = [context.archive.files.get(file.sha256) is not None for file in files]
    assert left == [False, named]


def test_a_diff_begins_with_nothing_for_a_new_note_and_ends_with_a_line(context: RunContext) -> None:
    assert difference("a.md", "", "one") == "--- /dev/null\n+++ a.md\n@@ -0,0 +1 @@\n+one\n"
    assert difference("a.md", "one\n", "two\n") == "--- a.md\n+++ a.md\n@@ -1 +1 @@\n-one\n+two\n"


# comments


def commented(context: RunContext) -> None:
    """A channel whose comments are kept, and its discussion group."""
    context.archive.comments.set_wanted(CHANNEL.id, wanted=True)
    open_chat(context, COMMENTED)
    context.archive.chats.put(ACCOUNT, GROUP)


def test_comments_are_asked_about_where_they_are_kept_and_the_group_has_news(context: RunContext) -> None:
    assert groups_of(context, [COMMENTED, OTHER]) == {}
    commented(context)
    assert groups_of(context, [COMMENTED, CHANNEL, OTHER, GROUP]) == {GROUP.id: CHANNEL.id}
    assert groups_of(context, [replace(COMMENTED, kind="supergroup")]) == {}
    context.archive.comments.set_cursor(CHANNEL.id, GROUP.id, 50)
    channels = {CHANNEL.id: GROUP.id}
    assert _with_new_comments(context, channels, {}) == {CHANNEL.id}
    assert _with_new_comments(context, channels, {GROUP.id: 50}) == set() and _with_new_comments(
        context, channels, {GROUP.id: 51}
    ) == {CHANNEL.id}


def test_a_group_is_asked_what_happened_when_its_state_moved_and_it_is_not_followed_itself(context: RunContext) -> None:
    listed = [PeerDialog(GROUP, 50, 7)]
    assert _changed_groups(context, listed) == [GROUP]
    context.archive.updates.put(ACCOUNT, GROUP.id, UpdateState(7))
    assert _changed_groups(context, listed) == []
    context.archive.updates.put(ACCOUNT, GROUP.id, UpdateState(6))
    assert _changed_groups(context, listed) == [GROUP]
    context.archive.updates.track(ACCOUNT, GROUP.id, 50)
    assert _changed_groups(context, listed) == []


def copy_of(number: int, post: int) -> Message:
    """The copy of a post that Telegram puts into the discussion group."""
    forward = Forward(START, chat_id=CHANNEL.id, message_id=post, from_id=CHANNEL.id)
    return message(number, f"post {post}", chat=GROUP, forward=forward, saved_from=CHANNEL.id, sender_id=CHANNEL.id)


@pytest.mark.parametrize("wanted", [True, False])
async def test_comments_are_filed_under_their_posts_where_they_are_kept(context: RunContext, wanted: bool) -> None:
    commented(context)
    context.archive.comments.set_wanted(CHANNEL.id, wanted=wanted)
    channel = await exported(context, message(7, "post 7"), chat=COMMENTED)
    group = open_chat(context, GROUP)
    context.archive.comments.add_threads(GROUP.id, {10: (CHANNEL.id, 7)})
    answer = message(11, "a comment", chat=GROUP, reply=Reply(message_id=10))
    record(context, message(9, "talk", chat=GROUP), copy_of(10, 7), answer, chat=GROUP)
    settled(context)
    plan(context, group)
    path = note(context, 11, GROUP).path
    assert note(context, 9, GROUP).path.startswith(f"{group.folder}/2023/")
    assert path.startswith(f"{channel.folder}/Comments/7/" if wanted else f"{group.folder}/2023/")
    assert f"{CHANNEL.id}/7" in stale(context)
    await write(context, channel, group)
    assert ("post:" in file_of(context, note(context, 11, GROUP)).read_text()) is wanted


# chats of imported pages


def test_an_export_in_html_is_of_the_chat_that_is_named_or_has_its_title(context: RunContext) -> None:
    def found(title: str, asked: str = "") -> Chat:
        return chat_of_html(title, asked, archive_path=context.archive.path, account_name="default")

    store_account(context.archive, "default", ACCOUNT)
    open_chat(context, CHANNEL)
    open_chat(context, OTHER)
    assert found("Observatory") == CHANNEL and found("Anything", "planet") == OTHER
    assert found("Anything", str(OTHER.id)) == OTHER
    assert found("New", "-1000000000077") == Chat(-1000000000077, "supergroup", "New")
    assert (found("New", "-77").kind, found("New", "77").kind) == ("group", "private")
    for title, asked in (("Unknown", ""), ("Observatory", "nothing like it"), ("Observatory", "e")):
        with pytest.raises(UsageError, match="does not say which chat it is"):
            found(title, asked)
    nowhere = chat_of_html("New", "77", archive_path=context.root / "none.db", account_name="default")
    assert nowhere == Chat(77, "private", "New")


def test_a_link_leads_to_where_the_note_or_file_is_now(context: RunContext) -> None:
    row = context.archive.notes.claim(
        "-5/1", "message", account=ACCOUNT, chat_id=-5, message_id=1, candidates=["Telegram/A/one.md"]
    )
    attached(context, "media/1.jpg", b"jpeg")
    assert note_locations(context.render_context, "Telegram/A/one") == "Telegram/A/one"
    context.archive.notes.moved(row.id, "Mine/Kept.md")
    assert note_locations(context.render_context, "Telegram/A/one") == "Mine/Kept"
    assert note_locations(context.render_context, "media/1.jpg") == "media/1.jpg"
    assert note_locations(context.render_context, "nowhere") is None
