"""Which messages get a note, when, and which one: behind the watermark, in id order, once and for good."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    DAY,
    START,
    exported,
    key,
    message,
    named,
    note,
    photo,
    plan,
    record,
    settled,
    stale,
    workbench,
)

import tobs.pipeline.notes.planning as planning
from tobs.model import Action, Chat, Message, Person, RemoteFile, Topic
from tobs.model.events import WorkExpected
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.chat_folders import known_folder, open_chat, open_topics
from tobs.pipeline.notes.planning import Planned, albums, plan_messages, settled_to

ANNA, BORIS = Person(7, "Anna"), Person(8, "Boris", username="boris")
FORUM = Chat(-1000000000002, "supergroup", "Forum", is_forum=True, top=1000)


def planned(context: RunContext, chat: Chat = CHANNEL) -> list[int]:
    """The messages of a chat that are in a note."""
    ids = context.archive.messages.live_ids(ACCOUNT, chat.id, 1, 10_000)
    return [one for one in ids if context.archive.notes.id_of(ACCOUNT, chat.id, one)]


@pytest.fixture
def folder(context: RunContext) -> ChatFolder:
    return open_chat(context, CHANNEL)


@pytest.fixture
def expected(context: RunContext) -> list[int]:
    """How many notes were said to be planned."""
    counts: list[int] = []
    context.events.subscribe(lambda event: counts.append(event.notes) if isinstance(event, WorkExpected) else None)
    return counts


# the watermark


def test_a_message_above_a_gap_waits_until_the_gap_is_filled(context: RunContext, folder: ChatFolder) -> None:
    record(context, message(1), message(2), low=1, high=3)
    record(context, message(6), low=5, high=6)
    upto = settled_to(context, folder, final=False)
    assert upto == 3
    plan(context, folder, upto=upto, final=False)
    assert planned(context) == [1, 2]
    record(context, message(4), low=4, high=4)
    upto = settled_to(context, folder, final=False)
    assert upto == 6
    plan(context, folder, upto=upto, final=False)
    assert planned(context) == [1, 2, 4, 6]


def test_a_part_of_a_chat_is_planned_up_to_its_top_when_it_is_there(context: RunContext) -> None:
    part = open_chat(context, replace(CHANNEL, top=60), is_part=True)
    record(context, message(50), low=45, high=60)
    assert settled_to(context, part, final=False) == 0
    assert settled_to(context, part, final=True) == 60
    assert settled_to(context, replace(part, is_part=False), final=True) == 0


def test_nothing_to_be_planned_is_all_there_is(context: RunContext, expected: list[int], folder: ChatFolder) -> None:
    assert plan_messages(context, folder, upto=100, final=False) == Planned(0, is_all=True)
    record(context, message(1))
    settled(context)
    assert plan_messages(context, folder, upto=1, final=True) == Planned(1, is_all=True)
    assert sum(expected) == 1
    assert plan_messages(context, folder, upto=1, final=True) == Planned(0, is_all=True)
    assert sum(expected) == 1


def test_a_full_batch_is_not_taken_for_the_last(context: RunContext, folder: ChatFolder) -> None:
    context = replace(context, batch=3)
    record(context, *(message(number) for number in range(1, 7)))
    assert plan_messages(context, folder, upto=6, final=True) == Planned(3, is_all=False)
    assert plan_messages(context, folder, upto=6, final=True) == Planned(3, is_all=False)
    assert plan_messages(context, folder, upto=6, final=True) == Planned(0, is_all=True)


def test_the_note_of_the_chat_is_stale_when_messages_came(context: RunContext, folder: ChatFolder) -> None:
    settled(context)
    record(context, message(1))
    plan(context, folder)
    assert stale(context) >= {str(CHANNEL.id), f"{CHANNEL.id}/1"}


# albums


@given(st.lists(st.integers(0, 2), max_size=12))
def test_neighbours_of_one_album_are_together_and_everything_else_is_alone(of: list[int]) -> None:
    messages = [message(number, album_id=album) for number, album in enumerate(of, 1)]
    units = albums(messages)
    assert [one for unit in units for one in unit] == messages
    assert all(len({one.album_id for one in unit}) == 1 for unit in units)
    assert all(len(unit) == 1 for unit in units if not unit[0].album_id)
    borders = [(before[-1].album_id, after[0].album_id) for before, after in pairwise(units)]
    assert all(before != after or not before for before, after in borders)


def test_an_album_waits_for_its_neighbour_and_has_one_note(context: RunContext, folder: ChatFolder) -> None:
    record(context, message(1), message(2, album_id=9))
    assert plan_messages(context, folder, upto=2, final=False) == Planned(1, is_all=True)
    assert planned(context) == [1]
    record(context, message(3, album_id=9), message(4), low=3)
    plan(context, folder, final=False)
    assert planned(context) == [1, 2, 3, 4]
    album = note(context, 2)
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 3) == album.id
    assert context.archive.notes.by_tobs_id(f"{CHANNEL.id}/3") is None
    assert [one.block for one in context.archive.notes.stored([album.id])[album.id]] == [2, 2]


def test_a_part_of_an_album_that_comes_later_goes_into_its_note(
    context: RunContext, expected: list[int], folder: ChatFolder
) -> None:
    record(context, message(1, album_id=9))
    plan(context, folder)
    before = sum(expected)
    record(context, message(2, album_id=9), message(3), low=2)
    plan(context, folder)
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 2) == note(context, 1).id
    assert context.archive.notes.by_tobs_id(f"{CHANNEL.id}/2") is None
    assert sum(expected) == before + 1


# days and months


def daily(context: RunContext, layout: str = "day") -> tuple[RunContext, ChatFolder]:
    context = replace(context, layout=layout)  # type: ignore[arg-type]
    return context, open_chat(context, CHANNEL)


def on_day(number: int, day: int, **fields: object) -> Message:
    return message(number, date=START + day * DAY, **fields)


def test_a_day_has_its_note_when_a_later_one_has_begun(context: RunContext, expected: list[int]) -> None:
    context, folder = daily(context)
    record(context, on_day(1, 0), on_day(2, 0))
    assert plan_messages(context, folder, upto=2, final=False) == Planned(0, is_all=True)
    record(context, on_day(3, 0), on_day(4, 1), low=3)
    assert plan_messages(context, folder, upto=4, final=False) == Planned(3, is_all=True)
    assert planned(context) == [1, 2, 3]
    assert named(context, f"{CHANNEL.id}/2023-11-14").path == "Telegram/Observatory/2023/2023-11-14.md"
    assert context.archive.notes.by_tobs_id(f"{CHANNEL.id}/2023-11-15") is None
    assert plan_messages(context, folder, upto=4, final=True) == Planned(1, is_all=True)
    assert named(context, f"{CHANNEL.id}/2023-11-15").period == "2023-11-15"
    assert sum(expected) == 2


def test_a_month_is_one_note_and_a_later_message_of_it_goes_there(context: RunContext) -> None:
    context, folder = daily(context, "month")
    record(context, on_day(1, 0), on_day(2, 3), on_day(3, 20))
    plan(context, folder)
    row = named(context, f"{CHANNEL.id}/2023-11")
    assert [one.message.id for one in context.archive.notes.stored([row.id])[row.id]] == [1, 2]
    settled(context)
    record(context, on_day(4, 1), low=4)
    plan(context, folder)
    assert [one.message.id for one in context.archive.notes.stored([row.id])[row.id]] == [1, 2, 4]
    assert f"{CHANNEL.id}/2023-11" in stale(context)


def test_a_day_ends_at_midnight_in_the_time_zone_of_the_vault(context: RunContext) -> None:
    context, folder = daily(context)
    midnight = START - START % DAY + DAY
    record(context, message(1, date=midnight - 1), message(2, date=midnight))
    plan(context, folder)
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 1) == named(context, f"{CHANNEL.id}/2023-11-14").id
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 2) == named(context, f"{CHANNEL.id}/2023-11-15").id


def test_an_album_that_spans_midnight_is_in_one_note(context: RunContext) -> None:
    context, folder = daily(context)
    midnight = START - START % DAY + DAY
    record(context, message(1, date=midnight - 1, album_id=5), message(2, date=midnight, album_id=5))
    plan(context, folder)
    first = named(context, f"{CHANNEL.id}/2023-11-14").id
    assert [context.archive.notes.id_of(ACCOUNT, CHANNEL.id, one) for one in (1, 2)] == [first, first]
    record(context, message(3, date=midnight + 5, album_id=5), low=3)
    plan(context, folder)
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 3) == first
    assert [one.block for one in context.archive.notes.stored([first])[first]] == [1, 1, 1]


def test_a_day_with_very_many_messages_does_not_wait_for_its_end(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_LARGEST_PERIOD", 4)
    context, folder = daily(replace(context, batch=2))
    record(context, *(on_day(number, 0) for number in range(1, 7)), on_day(7, 1), on_day(8, 2))
    assert plan_messages(context, folder, upto=8, final=False) == Planned(4, is_all=False)
    assert planned(context) == [1, 2, 3, 4]
    assert plan_messages(context, folder, upto=8, final=False) == Planned(3, is_all=False)
    assert planned(context) == [1, 2, 3, 4, 5, 6, 7]


LATER = st.integers(0, 3)


@settings(max_examples=25)
@given(data=st.data(), layout=st.sampled_from(["message", "day", "month"]))
def test_notes_and_their_names_do_not_depend_on_how_the_messages_came(data: st.DataObject, layout: str) -> None:
    days = data.draw(st.lists(LATER, min_size=1, max_size=20))
    parts = st.sampled_from(["alone", "begins an album", "goes on with it"])
    kinds = data.draw(st.lists(parts, min_size=len(days), max_size=len(days)))
    messages, day, album = list[Message](), 0, 0
    for number, (later, kind) in enumerate(zip(days, kinds, strict=True), 1):
        day += later * 9
        goes_on = kind == "goes on with it" and number - album < 4
        album = 0 if kind == "alone" else album if goes_on else number
        messages.append(message(number, "same", date=START + day * DAY, album_id=album))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(messages)), max_size=4)) | {len(messages)})
    batch = data.draw(st.integers(5, 9))
    with TemporaryDirectory() as folder, workbench(Path(folder)) as context:
        found = _notes(replace(context, layout=layout, batch=100), messages, [len(messages)])  # type: ignore[arg-type]
    with TemporaryDirectory() as folder, workbench(Path(folder)) as context:
        assert _notes(replace(context, layout=layout, batch=batch), messages, cuts) == found  # type: ignore[arg-type]


def _notes(context: RunContext, messages: Sequence[Message], cuts: Sequence[int]) -> dict[str, tuple[str, list[int]]]:
    """Every message note's path and messages, when they came in pages that ended at ``cuts``."""
    folder, low = open_chat(context, CHANNEL), 1
    for high in cuts:
        record(context, *messages[low - 1 : high], low=low, high=high)
        plan(context, folder, upto=settled_to(context, folder, final=False), final=high == cuts[-1])
        low = high + 1
    rows = context.archive.notes.stale(ACCOUNT, CHANNEL.id, kinds=("message", "day", "month"), limit=1000)
    stored = context.archive.notes.stored([row.id for row in rows])
    assert len(planned(context)) == len(messages)
    return {row.tobs_id: (row.path, [one.message.id for one in stored[row.id]]) for row in rows}


# people


def test_a_sender_has_a_note_from_their_first_message_on_and_it_is_stale_with_each_further_one(
    context: RunContext, folder: ChatFolder
) -> None:
    record(context, message(1, sender_id=7), people=(ANNA,))
    plan(context, folder)
    assert named(context, "person/7").path == "Telegram/People/Anna.md"
    settled(context)
    record(context, message(2, sender_id=7), low=2)
    plan(context, folder)
    assert "person/7" in stale(context)
    settled(context)
    record(context, message(3, sender_id=8), low=3, people=(BORIS,))
    plan(context, folder)
    assert "person/7" not in stale(context) and "person/8" in stale(context)


def test_no_note_for_the_chat_itself_for_nobody_and_for_the_unknown(context: RunContext, folder: ChatFolder) -> None:
    record(context, message(1, sender_id=CHANNEL.id), message(2, sender_id=0), message(3, sender_id=99))
    plan(context, folder)
    assert [context.archive.notes.by_tobs_id(f"person/{one}") for one in (CHANNEL.id, 0, 99)] == [None] * 3


def test_whoever_has_a_note_of_the_owners_gets_none(context: RunContext, folder: ChatFolder) -> None:
    context.archive.people.set_own_notes({"boris": "People/My Boris.md"})
    record(context, message(1, sender_id=8), message(2, sender_id=7), people=(ANNA, BORIS))
    plan(context, folder)
    assert context.archive.notes.by_tobs_id("person/8") is None
    assert context.archive.notes.by_tobs_id("person/7") is not None


GROUP = Chat(-1000000000003, "supergroup", "Talk", top=1000)


def test_a_channel_that_writes_in_its_group_has_its_one_note(context: RunContext, folder: ChatFolder) -> None:
    group = open_chat(context, GROUP)
    writer = Person(CHANNEL.id, "Observatory")
    record(context, message(1, chat=GROUP, sender_id=CHANNEL.id), chat=GROUP, people=(writer,))
    plan(context, group)
    assert context.archive.notes.by_tobs_id(f"person/{CHANNEL.id}") is None


def test_a_channel_that_wrote_before_it_came_itself_keeps_the_note_it_has(context: RunContext) -> None:
    group = open_chat(context, GROUP)
    writer = Person(CHANNEL.id, "Observatory")
    record(context, message(1, chat=GROUP, sender_id=CHANNEL.id), chat=GROUP, people=(writer,))
    plan(context, group)
    assert named(context, f"person/{CHANNEL.id}").path == "Telegram/People/Observatory.md"
    open_chat(context, CHANNEL)
    settled(context)
    record(context, message(2, chat=GROUP, sender_id=CHANNEL.id), chat=GROUP, low=2)
    plan(context, group)
    assert f"person/{CHANNEL.id}" in stale(context)


# chats


def test_a_chat_keeps_note_folder_and_layout_whatever_it_is_called_later(context: RunContext) -> None:
    first = open_chat(context, CHANNEL)
    assert (first.folder, first.filed_under, first.layout) == ("Telegram/Observatory", CHANNEL.id, "message")
    later = open_chat(replace(context, layout="day"), replace(CHANNEL, title="Planetarium"))
    assert (later.note_id, later.folder, later.layout) == (first.note_id, first.folder, "message")
    assert named(context, str(CHANNEL.id)).path == "Telegram/Observatory/Observatory.md"


def test_two_chats_of_one_title_have_two_folders(context: RunContext) -> None:
    first, second = open_chat(context, CHANNEL), open_chat(context, replace(CHANNEL, id=-1000000000009))
    assert first.folder != second.folder and second.folder.startswith("Telegram/Observatory")


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Planetarium"},
        {"username": "stars"},
        {"about": "We look up."},
        {"pinned": (4,)},
        {"linked_chat": -5},
        {"photo": replace(photo(), remote=RemoteFile("photo", 6, 1, b"", 2, "y"))},
    ],
)
def test_what_the_note_of_a_chat_shows_makes_it_stale_when_it_changes(
    context: RunContext, change: dict[str, object]
) -> None:
    chat = replace(CHANNEL, photo=photo())
    open_chat(context, chat)
    settled(context)
    open_chat(context, chat)
    assert stale(context) == set()
    open_chat(context, replace(chat, **change))
    assert stale(context) == {str(CHANNEL.id)}


def test_counters_of_a_chat_do_not_make_its_note_stale(context: RunContext) -> None:
    open_chat(context, CHANNEL)
    settled(context)
    open_chat(context, replace(CHANNEL, members=99, top=2000, count=7))
    assert stale(context) == set()


def test_a_large_chat_is_laid_out_by_days_and_a_small_one_by_messages(context: RunContext) -> None:
    context = replace(context, layout="auto")
    assert open_chat(context, replace(CHANNEL, count=2000)).layout == "message"
    large = replace(CHANNEL, id=-1000000000009, title="Large", count=1_000_000)
    assert open_chat(context, large).layout == "day"
    small = replace(CHANNEL, id=-1000000000010, title="Small")
    assert open_chat(context, small, messages=1_000_000).layout == "day"
    assert open_chat(context, large, messages=1).layout == "day"


def test_a_chat_inside_another_one_has_no_note_and_lies_in_its_folder(context: RunContext, folder: ChatFolder) -> None:
    group = Chat(-55, "group", "Old group", top=9)
    guest = open_chat(context, group, parent=folder, is_part=True)
    assert (guest.chat, guest.note_id, guest.folder) == (group, folder.note_id, folder.folder)
    assert (guest.filed_under, guest.layout, guest.is_part) == (CHANNEL.id, "message", True)
    assert context.archive.notes.by_tobs_id("-55") is None
    assert context.archive.chats.get(ACCOUNT, -55) == group


def test_a_group_that_grew_hands_its_note_folder_and_layout_over(context: RunContext) -> None:
    old, new = Chat(-55, "group", "Club", top=9), replace(GROUP, title="Club", migrated_from=-55)
    before = open_chat(replace(context, layout="month"), old)
    context.archive.meta.set("folder/-55", "Mine/Club")
    after = open_chat(context, new)
    assert (after.note_id, after.folder, after.layout) == (before.note_id, "Mine/Club", "month")
    assert context.archive.notes.by_tobs_id("-55") is None and context.archive.meta.get("folder/-55") is None
    assert named(context, f"{GROUP.id}/base").id and context.archive.notes.by_tobs_id("-55/base") is None
    # Once it has its own, nothing is taken over again.
    again = open_chat(context, new)
    assert (again.note_id, again.folder) == (after.note_id, "Mine/Club")


def test_a_group_that_grew_and_was_not_here_before_gets_a_note_like_any_other(context: RunContext) -> None:
    folder = open_chat(context, replace(GROUP, migrated_from=-55))
    assert folder.folder == "Telegram/Talk"


# places that are known


def test_the_place_of_a_chat_is_found_again_without_telegram(context: RunContext) -> None:
    opened = open_chat(replace(context, layout="day"), CHANNEL)
    assert known_folder(context, CHANNEL) == opened


def test_a_chat_without_a_note_has_a_place_without_a_folder(context: RunContext) -> None:
    found = known_folder(context, CHANNEL)
    assert (found.note_id, found.folder, found.filed_under, found.is_filed_elsewhere) == (0, "", CHANNEL.id, False)


def test_the_group_a_chat_grew_from_is_filed_with_it(context: RunContext) -> None:
    grown = open_chat(context, replace(GROUP, migrated_from=-55))
    old = Chat(-55, "group", "Talk", migrated_to=GROUP.id)
    open_chat(context, old, parent=grown)
    record(context, message(4, chat=old), chat=old)
    found = known_folder(context, old)
    assert (found.note_id, found.folder) == (grown.note_id, grown.folder)
    assert (found.filed_under, found.is_filed_elsewhere) == (GROUP.id, False)
    assert found.chat.top == 4


def test_a_group_of_which_only_comments_are_here_is_a_guest_of_its_channel(
    context: RunContext, folder: ChatFolder
) -> None:
    context.archive.chats.put(ACCOUNT, GROUP)
    context.archive.comments.set_cursor(CHANNEL.id, GROUP.id, 5)
    context.archive.comments.add_threads(GROUP.id, {3: (CHANNEL.id, 1)})
    found = known_folder(context, GROUP)
    assert (found.note_id, found.folder) == (folder.note_id, folder.folder)
    assert (found.filed_under, found.is_filed_elsewhere) == (GROUP.id, True)
    channel = replace(GROUP, kind="channel")
    assert not known_folder(context, channel).is_filed_elsewhere


# topics


def test_messages_of_a_forum_are_filed_in_their_topics(context: RunContext) -> None:
    forum = open_chat(context, FORUM)
    open_topics(context, FORUM, [Topic(1, "General"), Topic(4, "Tea", created=START)])
    started = Action("topic_create", {"title": "Coffee"})
    record(
        context,
        message(2, chat=FORUM),
        message(5, chat=FORUM, topic_id=4),
        message(6, chat=FORUM, topic_id=6, kind="service", action=started),
        chat=FORUM,
    )
    plan(context, forum)
    assert note(context, 2, FORUM).path.startswith("Telegram/Forum/Topics/General/2023/")
    assert note(context, 5, FORUM).path.startswith("Telegram/Forum/Topics/Tea/2023/")
    assert note(context, 6, FORUM).path.startswith("Telegram/Forum/Topics/Coffee/")
    assert named(context, f"{FORUM.id}/topic/4").path == "Telegram/Forum/Topics/Tea/Tea.md"
    settled(context)
    record(context, message(7, chat=FORUM, topic_id=4), chat=FORUM, low=7)
    plan(context, forum)
    assert stale(context) >= {f"{FORUM.id}/topic/4", str(FORUM.id)}
    assert f"{FORUM.id}/topic/6" not in stale(context)


def test_a_topic_that_telegram_lists_no_more_has_a_name_all_the_same(context: RunContext) -> None:
    forum = open_chat(context, FORUM)
    record(context, message(5, chat=FORUM, topic_id=4), chat=FORUM)
    plan(context, forum)
    assert named(context, f"{FORUM.id}/topic/4").path == "Telegram/Forum/Topics/Topic 4/Topic 4.md"


def test_the_note_of_a_forum_is_stale_when_its_topics_are_other_ones(context: RunContext) -> None:
    open_chat(context, FORUM)
    open_topics(context, FORUM, [Topic(4, "Tea")])
    settled(context)
    open_topics(context, FORUM, [Topic(4, "Tea")])
    assert stale(context) == set()
    open_topics(context, FORUM, [Topic(4, "Green tea")])
    assert str(FORUM.id) in stale(context)


async def test_a_message_note_is_named_after_its_first_words(context: RunContext) -> None:
    await exported(context, message(1, "Ring the changes at noon, and then go home."))
    assert note(context, 1).path.rpartition("/")[2].startswith("2023-11-14 1 Ring the changes at noon")
    assert context.archive.notes.locations([key(1)])[key(1)].path == note(context, 1).path
