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

import tobs.pipeline.plan as planning
from tobs.model import Action, Chat, Message, Person, RemoteFile, Topic
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.plan import (
    Planned,
    albums,
    known_place,
    open_chat,
    open_topics,
    plan_messages,
    settled_to,
)

ANNA, BORIS = Person(7, "Anna"), Person(8, "Boris", username="boris")
FORUM = Chat(-1000000000002, "supergroup", "Forum", is_forum=True, top=1000)


def planned(desk: Desk, chat: Chat = CHANNEL) -> list[int]:
    """The messages of a chat that are in a note."""
    ids = desk.archive.messages.live_ids(ACCOUNT, chat.id, 1, 10_000)
    return [one for one in ids if desk.archive.notes.id_of(ACCOUNT, chat.id, one)]


@pytest.fixture
def place(desk: Desk) -> ChatPlace:
    return open_chat(desk, CHANNEL)


# the watermark


def test_a_message_above_a_gap_waits_until_the_gap_is_filled(desk: Desk, place: ChatPlace) -> None:
    record(desk, message(1), message(2), low=1, high=3)
    record(desk, message(6), low=5, high=6)
    upto = settled_to(desk, place, final=False)
    assert upto == 3
    plan(desk, place, upto=upto, final=False)
    assert planned(desk) == [1, 2]
    record(desk, message(4), low=4, high=4)
    upto = settled_to(desk, place, final=False)
    assert upto == 6
    plan(desk, place, upto=upto, final=False)
    assert planned(desk) == [1, 2, 4, 6]


def test_a_part_of_a_chat_is_planned_up_to_its_top_when_it_is_there(desk: Desk) -> None:
    part = open_chat(desk, replace(CHANNEL, top=60), is_part=True)
    record(desk, message(50), low=45, high=60)
    assert settled_to(desk, part, final=False) == 0
    assert settled_to(desk, part, final=True) == 60
    assert settled_to(desk, replace(part, is_part=False), final=True) == 0


def test_nothing_to_be_planned_is_all_there_is(desk: Desk, place: ChatPlace) -> None:
    assert plan_messages(desk, place, upto=100, final=False) == Planned(0, is_all=True)
    record(desk, message(1))
    settled(desk)
    assert plan_messages(desk, place, upto=1, final=True) == Planned(1, is_all=True)
    assert desk.reporter.expected_notes == 1
    assert plan_messages(desk, place, upto=1, final=True) == Planned(0, is_all=True)
    assert desk.reporter.expected_notes == 1


def test_a_full_batch_is_not_taken_for_the_last(desk: Desk, place: ChatPlace) -> None:
    desk = replace(desk, batch=3)
    record(desk, *(message(number) for number in range(1, 7)))
    assert plan_messages(desk, place, upto=6, final=True) == Planned(3, is_all=False)
    assert plan_messages(desk, place, upto=6, final=True) == Planned(3, is_all=False)
    assert plan_messages(desk, place, upto=6, final=True) == Planned(0, is_all=True)


def test_the_note_of_the_chat_is_stale_when_messages_came(desk: Desk, place: ChatPlace) -> None:
    settled(desk)
    record(desk, message(1))
    plan(desk, place)
    assert stale(desk) >= {str(CHANNEL.id), f"{CHANNEL.id}/1"}


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


def test_an_album_waits_for_its_neighbour_and_has_one_note(desk: Desk, place: ChatPlace) -> None:
    record(desk, message(1), message(2, album_id=9))
    assert plan_messages(desk, place, upto=2, final=False) == Planned(1, is_all=True)
    assert planned(desk) == [1]
    record(desk, message(3, album_id=9), message(4), low=3)
    plan(desk, place, final=False)
    assert planned(desk) == [1, 2, 3, 4]
    album = note(desk, 2)
    assert desk.archive.notes.id_of(ACCOUNT, CHANNEL.id, 3) == album.id
    assert desk.archive.notes.by_tobs_id(f"{CHANNEL.id}/3") is None
    assert [one.block for one in desk.archive.notes.stored([album.id])[album.id]] == [2, 2]


def test_a_part_of_an_album_that_comes_later_goes_into_its_note(desk: Desk, place: ChatPlace) -> None:
    record(desk, message(1, album_id=9))
    plan(desk, place)
    expected = desk.reporter.expected_notes
    record(desk, message(2, album_id=9), message(3), low=2)
    plan(desk, place)
    assert desk.archive.notes.id_of(ACCOUNT, CHANNEL.id, 2) == note(desk, 1).id
    assert desk.archive.notes.by_tobs_id(f"{CHANNEL.id}/2") is None
    assert desk.reporter.expected_notes == expected + 1


# days and months


def daily(desk: Desk, layout: str = "day") -> tuple[Desk, ChatPlace]:
    desk = replace(desk, layout=layout)  # type: ignore[arg-type]
    return desk, open_chat(desk, CHANNEL)


def on_day(number: int, day: int, **fields: object) -> Message:
    return message(number, date=START + day * DAY, **fields)


def test_a_day_has_its_note_when_a_later_one_has_begun(desk: Desk) -> None:
    desk, place = daily(desk)
    record(desk, on_day(1, 0), on_day(2, 0))
    assert plan_messages(desk, place, upto=2, final=False) == Planned(0, is_all=True)
    record(desk, on_day(3, 0), on_day(4, 1), low=3)
    assert plan_messages(desk, place, upto=4, final=False) == Planned(3, is_all=True)
    assert planned(desk) == [1, 2, 3]
    assert named(desk, f"{CHANNEL.id}/2023-11-14").path == "Telegram/Observatory/2023/2023-11-14.md"
    assert desk.archive.notes.by_tobs_id(f"{CHANNEL.id}/2023-11-15") is None
    assert plan_messages(desk, place, upto=4, final=True) == Planned(1, is_all=True)
    assert named(desk, f"{CHANNEL.id}/2023-11-15").period == "2023-11-15"
    assert desk.reporter.expected_notes == 2


def test_a_month_is_one_note_and_a_later_message_of_it_goes_there(desk: Desk) -> None:
    desk, place = daily(desk, "month")
    record(desk, on_day(1, 0), on_day(2, 3), on_day(3, 20))
    plan(desk, place)
    row = named(desk, f"{CHANNEL.id}/2023-11")
    assert [one.message.id for one in desk.archive.notes.stored([row.id])[row.id]] == [1, 2]
    settled(desk)
    record(desk, on_day(4, 1), low=4)
    plan(desk, place)
    assert [one.message.id for one in desk.archive.notes.stored([row.id])[row.id]] == [1, 2, 4]
    assert f"{CHANNEL.id}/2023-11" in stale(desk)


def test_a_day_ends_at_midnight_in_the_time_zone_of_the_vault(desk: Desk) -> None:
    desk, place = daily(desk)
    midnight = START - START % DAY + DAY
    record(desk, message(1, date=midnight - 1), message(2, date=midnight))
    plan(desk, place)
    assert desk.archive.notes.id_of(ACCOUNT, CHANNEL.id, 1) == named(desk, f"{CHANNEL.id}/2023-11-14").id
    assert desk.archive.notes.id_of(ACCOUNT, CHANNEL.id, 2) == named(desk, f"{CHANNEL.id}/2023-11-15").id


def test_an_album_that_spans_midnight_is_in_one_note(desk: Desk) -> None:
    desk, place = daily(desk)
    midnight = START - START % DAY + DAY
    record(desk, message(1, date=midnight - 1, album_id=5), message(2, date=midnight, album_id=5))
    plan(desk, place)
    first = named(desk, f"{CHANNEL.id}/2023-11-14").id
    assert [desk.archive.notes.id_of(ACCOUNT, CHANNEL.id, one) for one in (1, 2)] == [first, first]
    record(desk, message(3, date=midnight + 5, album_id=5), low=3)
    plan(desk, place)
    assert desk.archive.notes.id_of(ACCOUNT, CHANNEL.id, 3) == first
    assert [one.block for one in desk.archive.notes.stored([first])[first]] == [1, 1, 1]


def test_a_day_with_very_many_messages_does_not_wait_for_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_LARGEST_PERIOD", 4)
    desk, place = daily(replace(desk, batch=2))
    record(desk, *(on_day(number, 0) for number in range(1, 7)), on_day(7, 1), on_day(8, 2))
    assert plan_messages(desk, place, upto=8, final=False) == Planned(4, is_all=False)
    assert planned(desk) == [1, 2, 3, 4]
    assert plan_messages(desk, place, upto=8, final=False) == Planned(3, is_all=False)
    assert planned(desk) == [1, 2, 3, 4, 5, 6, 7]


LATER = st.integers(0, 3)


@settings(max_examples=25)
@given(data=st.data(), layout=st.sampled_from(["message", "day", "month"]))
def test_notes_and_their_names_do_not_depend_on_how_the_messages_came(data: st.DataObject, layout: str) -> None:
    days = data.draw(st.lists(LATER, min_size=1, max_size=20))
    album = data.draw(st.lists(st.sampled_from([0, 0, 1, 2]), min_size=len(days), max_size=len(days)))
    messages, day = list[Message](), 0
    for number, (later, of) in enumerate(zip(days, album, strict=True), 1):
        day += later * 9
        messages.append(message(number, "same", date=START + day * DAY, album_id=of and of + 10 * (number // 4)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(messages)), max_size=4)) | {len(messages)})
    batch = data.draw(st.integers(5, 9))
    with TemporaryDirectory() as folder, workbench(Path(folder)) as desk:
        found = _notes(replace(desk, layout=layout, batch=100), messages, [len(messages)])  # type: ignore[arg-type]
    with TemporaryDirectory() as folder, workbench(Path(folder)) as desk:
        assert _notes(replace(desk, layout=layout, batch=batch), messages, cuts) == found  # type: ignore[arg-type]


def _notes(desk: Desk, messages: Sequence[Message], cuts: Sequence[int]) -> dict[str, tuple[str, list[int]]]:
    """Every message note's path and messages, when they came in pages that ended at ``cuts``."""
    place, low = open_chat(desk, CHANNEL), 1
    for high in cuts:
        record(desk, *messages[low - 1 : high], low=low, high=high)
        plan(desk, place, upto=settled_to(desk, place, final=False), final=high == cuts[-1])
        low = high + 1
    rows = desk.archive.notes.stale(ACCOUNT, CHANNEL.id, kinds=("message", "day", "month"), limit=1000)
    stored = desk.archive.notes.stored([row.id for row in rows])
    assert len(planned(desk)) == len(messages)
    return {row.tobs_id: (row.path, [one.message.id for one in stored[row.id]]) for row in rows}


# people


def test_a_sender_has_a_note_from_their_first_message_on_and_it_is_stale_with_each_further_one(
    desk: Desk, place: ChatPlace
) -> None:
    record(desk, message(1, sender_id=7), people=(ANNA,))
    plan(desk, place)
    assert named(desk, "person/7").path == "Telegram/People/Anna.md"
    settled(desk)
    record(desk, message(2, sender_id=7), low=2)
    plan(desk, place)
    assert "person/7" in stale(desk)
    settled(desk)
    record(desk, message(3, sender_id=8), low=3, people=(BORIS,))
    plan(desk, place)
    assert "person/7" not in stale(desk) and "person/8" in stale(desk)


def test_no_note_for_the_chat_itself_for_nobody_and_for_the_unknown(desk: Desk, place: ChatPlace) -> None:
    record(desk, message(1, sender_id=CHANNEL.id), message(2, sender_id=0), message(3, sender_id=99))
    plan(desk, place)
    assert [desk.archive.notes.by_tobs_id(f"person/{one}") for one in (CHANNEL.id, 0, 99)] == [None] * 3


def test_whoever_has_a_note_of_the_owners_gets_none(desk: Desk, place: ChatPlace) -> None:
    desk.archive.people.set_own_notes({"boris": "People/My Boris.md"})
    record(desk, message(1, sender_id=8), message(2, sender_id=7), people=(ANNA, BORIS))
    plan(desk, place)
    assert desk.archive.notes.by_tobs_id("person/8") is None
    assert desk.archive.notes.by_tobs_id("person/7") is not None


GROUP = Chat(-1000000000003, "supergroup", "Talk", top=1000)


def test_a_channel_that_writes_in_its_group_has_its_one_note(desk: Desk, place: ChatPlace) -> None:
    group = open_chat(desk, GROUP)
    writer = Person(CHANNEL.id, "Observatory")
    record(desk, message(1, chat=GROUP, sender_id=CHANNEL.id), chat=GROUP, people=(writer,))
    plan(desk, group)
    assert desk.archive.notes.by_tobs_id(f"person/{CHANNEL.id}") is None


def test_a_channel_that_wrote_before_it_came_itself_keeps_the_note_it_has(desk: Desk) -> None:
    group = open_chat(desk, GROUP)
    writer = Person(CHANNEL.id, "Observatory")
    record(desk, message(1, chat=GROUP, sender_id=CHANNEL.id), chat=GROUP, people=(writer,))
    plan(desk, group)
    assert named(desk, f"person/{CHANNEL.id}").path == "Telegram/People/Observatory.md"
    open_chat(desk, CHANNEL)
    settled(desk)
    record(desk, message(2, chat=GROUP, sender_id=CHANNEL.id), chat=GROUP, low=2)
    plan(desk, group)
    assert f"person/{CHANNEL.id}" in stale(desk)


# chats


def test_a_chat_keeps_note_folder_and_layout_whatever_it_is_called_later(desk: Desk) -> None:
    first = open_chat(desk, CHANNEL)
    assert (first.folder, first.home, first.layout) == ("Telegram/Observatory", CHANNEL.id, "message")
    later = open_chat(replace(desk, layout="day"), replace(CHANNEL, title="Planetarium"))
    assert (later.note_id, later.folder, later.layout) == (first.note_id, first.folder, "message")
    assert named(desk, str(CHANNEL.id)).path == "Telegram/Observatory/Observatory.md"


def test_two_chats_of_one_title_have_two_folders(desk: Desk) -> None:
    first, second = open_chat(desk, CHANNEL), open_chat(desk, replace(CHANNEL, id=-1000000000009))
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
def test_what_the_note_of_a_chat_shows_makes_it_stale_when_it_changes(desk: Desk, change: dict[str, object]) -> None:
    chat = replace(CHANNEL, photo=photo())
    open_chat(desk, chat)
    settled(desk)
    open_chat(desk, chat)
    assert stale(desk) == set()
    open_chat(desk, replace(chat, **change))
    assert stale(desk) == {str(CHANNEL.id)}


def test_counters_of_a_chat_do_not_make_its_note_stale(desk: Desk) -> None:
    open_chat(desk, CHANNEL)
    settled(desk)
    open_chat(desk, replace(CHANNEL, members=99, top=2000, count=7))
    assert stale(desk) == set()


def test_a_large_chat_is_laid_out_by_days_and_a_small_one_by_messages(desk: Desk) -> None:
    desk = replace(desk, layout="auto")
    assert open_chat(desk, replace(CHANNEL, count=2000)).layout == "message"
    large = replace(CHANNEL, id=-1000000000009, title="Large", count=1_000_000)
    assert open_chat(desk, large).layout == "day"
    small = replace(CHANNEL, id=-1000000000010, title="Small")
    assert open_chat(desk, small, messages=1_000_000).layout == "day"
    assert open_chat(desk, large, messages=1).layout == "day"


def test_a_chat_inside_another_one_has_no_note_and_lies_in_its_folder(desk: Desk, place: ChatPlace) -> None:
    group = Chat(-55, "group", "Old group", top=9)
    guest = open_chat(desk, group, inside=place, is_part=True)
    assert (guest.chat, guest.note_id, guest.folder) == (group, place.note_id, place.folder)
    assert (guest.home, guest.layout, guest.is_part) == (CHANNEL.id, "message", True)
    assert desk.archive.notes.by_tobs_id("-55") is None
    assert desk.archive.chats.get(ACCOUNT, -55) == group


def test_a_group_that_grew_hands_its_note_folder_and_layout_over(desk: Desk) -> None:
    old, new = Chat(-55, "group", "Club", top=9), replace(GROUP, title="Club", migrated_from=-55)
    before = open_chat(replace(desk, layout="month"), old)
    desk.archive.meta.set("folder/-55", "Mine/Club")
    after = open_chat(desk, new)
    assert (after.note_id, after.folder, after.layout) == (before.note_id, "Mine/Club", "month")
    assert desk.archive.notes.by_tobs_id("-55") is None and desk.archive.meta.get("folder/-55") is None
    assert named(desk, f"{GROUP.id}/base").id and desk.archive.notes.by_tobs_id("-55/base") is None
    # Once it has its own, nothing is taken over again.
    again = open_chat(desk, new)
    assert (again.note_id, again.folder) == (after.note_id, "Mine/Club")


def test_a_group_that_grew_and_was_not_here_before_gets_a_note_like_any_other(desk: Desk) -> None:
    place = open_chat(desk, replace(GROUP, migrated_from=-55))
    assert place.folder == "Telegram/Talk"


# places that are known


def test_the_place_of_a_chat_is_found_again_without_telegram(desk: Desk) -> None:
    opened = open_chat(replace(desk, layout="day"), CHANNEL)
    assert known_place(desk, CHANNEL) == opened


def test_a_chat_without_a_note_has_a_place_without_a_folder(desk: Desk) -> None:
    found = known_place(desk, CHANNEL)
    assert (found.note_id, found.folder, found.home, found.is_guest) == (0, "", CHANNEL.id, False)


def test_the_group_a_chat_grew_from_is_filed_with_it(desk: Desk) -> None:
    grown = open_chat(desk, replace(GROUP, migrated_from=-55))
    old = Chat(-55, "group", "Talk", migrated_to=GROUP.id)
    open_chat(desk, old, inside=grown)
    record(desk, message(4, chat=old), chat=old)
    found = known_place(desk, old)
    assert (found.note_id, found.folder, found.home, found.is_guest) == (grown.note_id, grown.folder, GROUP.id, False)
    assert found.chat.top == 4


def test_a_group_of_which_only_comments_are_here_is_a_guest_of_its_channel(desk: Desk, place: ChatPlace) -> None:
    desk.archive.chats.put(ACCOUNT, GROUP)
    desk.archive.comments.set_cursor(CHANNEL.id, GROUP.id, 5)
    desk.archive.comments.add_threads(GROUP.id, {3: (CHANNEL.id, 1)})
    found = known_place(desk, GROUP)
    assert (found.note_id, found.folder, found.home, found.is_guest) == (place.note_id, place.folder, GROUP.id, True)
    channel = replace(GROUP, kind="channel")
    assert not known_place(desk, channel).is_guest


# topics


def test_messages_of_a_forum_are_filed_in_their_topics(desk: Desk) -> None:
    forum = open_chat(desk, FORUM)
    open_topics(desk, FORUM, [Topic(1, "General"), Topic(4, "Tea", created=START)])
    started = Action("topic_create", {"title": "Coffee"})
    record(
        desk,
        message(2, chat=FORUM),
        message(5, chat=FORUM, topic_id=4),
        message(6, chat=FORUM, topic_id=6, kind="service", action=started),
        chat=FORUM,
    )
    plan(desk, forum)
    assert note(desk, 2, FORUM).path.startswith("Telegram/Forum/Topics/General/2023/")
    assert note(desk, 5, FORUM).path.startswith("Telegram/Forum/Topics/Tea/2023/")
    assert note(desk, 6, FORUM).path.startswith("Telegram/Forum/Topics/Coffee/")
    assert named(desk, f"{FORUM.id}/topic/4").path == "Telegram/Forum/Topics/Tea/Tea.md"
    settled(desk)
    record(desk, message(7, chat=FORUM, topic_id=4), chat=FORUM, low=7)
    plan(desk, forum)
    assert stale(desk) >= {f"{FORUM.id}/topic/4", str(FORUM.id)}
    assert f"{FORUM.id}/topic/6" not in stale(desk)


def test_a_topic_that_telegram_lists_no_more_has_a_name_all_the_same(desk: Desk) -> None:
    forum = open_chat(desk, FORUM)
    record(desk, message(5, chat=FORUM, topic_id=4), chat=FORUM)
    plan(desk, forum)
    assert named(desk, f"{FORUM.id}/topic/4").path == "Telegram/Forum/Topics/Topic 4/Topic 4.md"


def test_the_note_of_a_forum_is_stale_when_its_topics_are_other_ones(desk: Desk) -> None:
    open_chat(desk, FORUM)
    open_topics(desk, FORUM, [Topic(4, "Tea")])
    settled(desk)
    open_topics(desk, FORUM, [Topic(4, "Tea")])
    assert stale(desk) == set()
    open_topics(desk, FORUM, [Topic(4, "Green tea")])
    assert str(FORUM.id) in stale(desk)


async def test_a_message_note_is_named_after_its_first_words(desk: Desk) -> None:
    await exported(desk, message(1, "Ring the bell at noon, and then go home."))
    assert note(desk, 1).path.rpartition("/")[2].startswith("2023-11-14 1 Ring the bell at noon")
    assert desk.archive.notes.paths_of([key(1)])[key(1)] == note(desk, 1).path
