"""When a watch looks, what wakes it, and what it takes for the owner's doing."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import TLObject, types

from tobs.model import COMMON, marked_channel
from tobs.pipeline.watch.change_queue import ChangeQueue, PendingWork
from tobs.pipeline.watch.schedule import RequestSchedule, Schedule, read_quiet
from tobs.pipeline.watch.status import WatchStatus, is_paused, read_status, set_paused, write_status
from tobs.pipeline.watch.vault_events import classify
from tobs.telegram.sync.updates import PushedUpdate, read_update

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = read_quiet("23:00-07:00")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("now", "quiet"),
    [("2024-05-01T22:59", False), ("2024-05-01T23:00", True), ("2024-05-02T06:59", True), ("2024-05-02T07:00", False)],
)
def test_quiet_hours_may_span_midnight(now: str, quiet: bool) -> None:
    assert Schedule(900, BERLIN, NIGHT).is_quiet(at(now)) is quiet
    assert Schedule(900, BERLIN).is_quiet(at(now)) is False


def test_the_next_look_is_after_the_quiet_hours() -> None:
    schedule = Schedule(900, BERLIN, NIGHT)
    assert schedule.next(at("2024-05-01T12:00"), at("2024-05-01T12:05")) == at("2024-05-01T12:15")
    assert schedule.next(at("2024-05-01T22:55"), at("2024-05-01T22:56")) == at("2024-05-02T07:00")
    assert schedule.next(at("2024-05-02T01:00"), at("2024-05-02T01:01")) == at("2024-05-02T07:00")
    assert read_quiet("12:30-13:00") == (time(12, 30), time(13)) and read_quiet("") is None


@given(
    last=st.floats(0, 2e9),
    now=st.floats(0, 2e9),
    every=st.floats(1, 1e6),
    quiet=st.sampled_from([None, NIGHT, read_quiet("12:30-13:00")]),
)
def test_the_next_look_is_never_past_and_never_in_quiet_hours_whatever_the_clock_does(
    last: float, now: float, every: float, quiet: tuple[time, time] | None
) -> None:
    schedule = Schedule(every, BERLIN, quiet)
    found = schedule.next(last, now)
    assert now <= found <= now + every + 2 * 86_400
    assert not schedule.is_quiet(found)


def test_a_pause_comes_before_a_flood_wait_and_that_before_quiet_hours(tmp_path: Path) -> None:
    (tmp_path / ".tobs").mkdir()
    now = [at("2024-05-01T23:30")]
    schedule = RequestSchedule(tmp_path, Schedule(900, BERLIN, NIGHT), lambda: now[0])
    assert schedule.rest_reason() == "quiet"
    assert schedule.wake_at(now[0], None) == at("2024-05-02T07:00")
    schedule.wait_out(60)
    schedule.wait_out(5)  # a shorter wait does not end the longer one
    assert schedule.rest_reason() == "waiting"
    assert schedule.wake_at(now[0], None) == now[0] + 60
    set_paused(tmp_path, paused=True)
    assert schedule.rest_reason() == "paused"
    set_paused(tmp_path, paused=False)
    now[0] += 60
    assert schedule.rest_reason() == "quiet"


def test_a_watch_wakes_for_the_earlier_of_the_schedule_and_a_channel_to_poll(tmp_path: Path) -> None:
    now = [at("2024-05-01T12:05")]
    schedule = RequestSchedule(tmp_path, Schedule(900, BERLIN, NIGHT), lambda: now[0])
    last = at("2024-05-01T12:00")
    assert schedule.rest_reason() is None and not schedule.is_poll_due(last)
    assert schedule.wake_at(last, None) == at("2024-05-01T12:15")
    assert schedule.wake_at(last, at("2024-05-01T12:07")) == at("2024-05-01T12:07")
    assert schedule.wake_at(last, at("2024-05-01T12:20")) == at("2024-05-01T12:15")
    now[0] = at("2024-05-01T12:15")
    assert schedule.is_poll_due(last)


def test_a_queue_keeps_what_concerns_telegram_while_it_is_left_alone() -> None:
    queue = ChangeQueue()
    queue.pushed(PushedUpdate(frozenset({5}), counted=((5, 1),)))
    queue.pushed(PushedUpdate(frozenset({5, 6})))
    queue.changed({"a.md"})
    assert queue.event.is_set()
    resting = queue.take(with_telegram=False)
    assert resting == PendingWork(files={"a.md"}) and not queue.event.is_set()
    due = queue.take()
    assert due.boxes == {5, 6} and due.counted == {(5, 1)} and not due.files
    assert queue.take() == PendingWork()


def test_what_could_not_be_done_waits_for_the_next_time_and_wakes_nobody() -> None:
    queue = ChangeQueue()
    queue.pushed(PushedUpdate(frozenset({5}), everything=True))
    queue.put_back(queue.take())
    assert not queue.event.is_set()
    again = queue.take()
    assert again.boxes == {5} and again.everything


def test_counters_alone_do_not_ring() -> None:
    queue = ChangeQueue()
    queue.pushed(PushedUpdate(counted=((5, 1),)))
    assert not queue.event.is_set() and queue.take().counted == {(5, 1)}


def test_pushes_name_the_box_they_are_about() -> None:
    channel = marked_channel(9)
    message = types.Message(id=1, peer_id=types.PeerChannel(9), date=None, message="")
    reactions = types.UpdateMessageReactions(types.PeerChannel(9), 4, types.MessageReactions([]))
    both = [
        types.UpdateNewChannelMessage(message, 5, 1),
        types.UpdateDeleteMessages([3], 7, 1),
        reactions,
        types.UpdateUserTyping(5, types.SendMessageTypingAction()),
    ]
    assert read_update(types.Updates(both, [], [], None, 0)) == PushedUpdate(
        frozenset({channel, COMMON}), ((channel, 4),)
    )
    short = types.UpdateShortMessage(1, 5, "hello", 8, 1, None)
    assert read_update(short) == PushedUpdate(frozenset({COMMON}))
    assert read_update(types.UpdateShort(types.UpdateEditChannelMessage(message, 6, 1), None)).boxes == {channel}
    assert read_update(types.UpdatesTooLong()).everything
    assert read_update(types.UpdateShort(types.UpdateConfig(), None)) == PushedUpdate()


def test_each_short_form_of_a_message_names_the_common_box() -> None:
    common = PushedUpdate(frozenset({COMMON}))
    assert read_update(types.UpdateShortMessage(1, 5, "hello", 8, 1, None)) == common
    assert read_update(types.UpdateShortChatMessage(1, 5, 6, "hello", 8, 1, None)) == common
    assert read_update(types.UpdateShortSentMessage(1, 8, 1, None)) == common
    combined = types.UpdatesCombined([types.UpdateNewMessage(MESSAGE, 8, 1)], [], [], None, 1, 2)
    assert read_update(combined) == common


CHANNEL = types.PeerChannel(9)
MESSAGE = types.Message(id=1, peer_id=CHANNEL, date=None, message="")


@pytest.mark.parametrize(
    ("update", "box"),
    [
        (types.UpdateNewMessage(MESSAGE, 8, 1), COMMON),
        (types.UpdateEditMessage(MESSAGE, 8, 1), COMMON),
        (types.UpdateDeleteMessages([3], 7, 1), COMMON),
        (types.UpdatePinnedMessages(CHANNEL, [3], 7, 1), COMMON),
        (types.UpdateNewChannelMessage(MESSAGE, 5, 1), marked_channel(9)),
        (types.UpdateEditChannelMessage(MESSAGE, 5, 1), marked_channel(9)),
        (types.UpdateDeleteChannelMessages(9, [3], 5, 1), marked_channel(9)),
        (types.UpdatePinnedChannelMessages(9, [3], 5, 1), marked_channel(9)),
        (types.UpdateChannelTooLong(9), marked_channel(9)),
        (types.UpdateChannel(9), marked_channel(9)),
        (types.UpdateUserTyping(5, types.SendMessageTypingAction()), None),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, TLObject) else None,
)
def test_every_update_about_messages_names_its_box(update: TLObject, box: int | None) -> None:
    found = read_update(types.UpdateShort(update, None))
    assert (found.boxes, found.counted, found.everything) == ({box} - {None}, (), False)


@pytest.mark.parametrize(
    "update", [types.UpdateChannelMessageViews(9, 4, 100), types.UpdateChannelMessageForwards(9, 4, 100)]
)
def test_counters_of_a_post_name_the_post(update: TLObject) -> None:
    assert read_update(types.UpdateShort(update, None)) == PushedUpdate(counted=((marked_channel(9), 4),))


def test_a_push_that_says_too_much_happened_wakes_the_watch_to_ask_about_everything() -> None:
    changes = ChangeQueue()
    changes.pushed(read_update(types.UpdatesTooLong()))
    assert changes.event.is_set()
    due = changes.take()
    assert due == PendingWork(everything=True)


def test_hidden_files_are_nothing_but_what_notes_are_made_by() -> None:
    changes = classify(
        [
            "Telegram/A/note.md",
            ".obsidian/workspace.json",
            ".tobs/archive.db-wal",
            ".tobs/templates/message.md.j2",
            ".tobs/config.toml",
            ".trash/gone.md",
            "Telegram/A/.tobs-1234567890ab-0",
        ]
    )
    assert changes.files == {"Telegram/A/note.md"}
    assert changes.sources == {".tobs/templates/message.md.j2", ".tobs/config.toml"}


def test_status_and_pause_are_read_from_outside(tmp_path: Path) -> None:
    (tmp_path / ".tobs").mkdir()
    assert read_status(tmp_path) is None and not is_paused(tmp_path)
    write_status(tmp_path, WatchStatus(5, "2024-01-01T00:00:00+00:00", "watching", problems=["one"]))
    found = read_status(tmp_path)
    assert found is not None and (found.pid, found.state, found.problems) == (5, "watching", ["one"])
    set_paused(tmp_path, paused=True)
    set_paused(tmp_path, paused=True)
    assert is_paused(tmp_path)
    set_paused(tmp_path, paused=False)
    set_paused(tmp_path, paused=False)
    assert not is_paused(tmp_path)


def test_a_watch_wakes_for_the_first_of_its_schedule_and_its_polls(tmp_path: Path) -> None:
    (tmp_path / ".tobs").mkdir()
    now = [at("2024-05-01T12:00")]
    last = now[0]
    schedule = RequestSchedule(tmp_path, Schedule(900, BERLIN, NIGHT), lambda: now[0])
    assert schedule.rest_reason() is None and not schedule.is_poll_due(last)
    assert schedule.wake_at(last, None) == schedule.wake_at(last, last + 1000) == last + 900
    assert schedule.wake_at(last, last + 30) == last + 30
    now[0] += 900
    assert schedule.is_poll_due(last)
    # A flood wait: the longest one counts, and nothing is asked until it is over.
    schedule.wait_out(60)
    schedule.wait_out(30)
    assert schedule.rest_reason() == "waiting" and schedule.wake_at(last, last + 30) == now[0] + 60
    now[0] += 60
    assert schedule.rest_reason() is None
    set_paused(tmp_path, paused=True)
    assert schedule.rest_reason() == "paused" and schedule.wake_at(last, last + 30) == now[0] + 900
    set_paused(tmp_path, paused=False)
    now[0] = at("2024-05-01T23:30")
    assert schedule.rest_reason() == "quiet" and schedule.wake_at(last, last + 30) == at("2024-05-02T07:00")
