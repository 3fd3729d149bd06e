"""Changes of a box in the archive: with the state they lead to, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from archive_builders import ACCOUNT, CHANNEL, PRIVATE, message, page, want_all

from tobs.archive import Archive, deleted_keys, record_changes, record_page
from tobs.model import COMMON, Changes, Message, MessageKey, Page, Person, Pins, UpdateState

STATE = UpdateState(50, 1_700_000_000)


def key(message_id: int, chat_id: int = CHANNEL) -> MessageKey:
    return MessageKey.of(ACCOUNT, chat_id, message_id)


def changed(*messages: Message, box: int = CHANNEL, **more: Any) -> Changes:
    """A part of a difference with messages of one chat."""
    people = more.pop("people", ())
    pages = (page(messages, low=1, high=0, people=people),) if messages else ()
    return Changes(box=box, state=STATE, pages=pages, people=people, **more)


@pytest.fixture
def followed(archive: Archive) -> Archive:
    """An archive with messages 1 to 100 of a channel, kept in step."""
    record_page(archive, ACCOUNT, page([message(1), message(2), message(90)]), want_all)
    archive.updates.begin(ACCOUNT, CHANNEL, UpdateState(10))
    archive.updates.track(ACCOUNT, CHANNEL, 100)
    return archive


def test_changes_and_the_state_they_lead_to_are_one(followed: Archive) -> None:
    changes = changed(message(2, "edited", edited=5), message(103))
    found = record_changes(followed, ACCOUNT, changes, want_all, tops=followed.updates.tracked(ACCOUNT))
    assert (found[CHANNEL].new, found[CHANNEL].edited) == (1, 1)
    assert followed.messages.get(key(2)) == message(2, "edited", edited=5)
    assert followed.updates.state(ACCOUNT, CHANNEL) == STATE
    assert followed.coverage.covered(ACCOUNT, CHANNEL) == [(1, 103)], "ids below a new one are settled by it"
    assert followed.updates.tracked(ACCOUNT) == {CHANNEL: 103}


def test_what_fails_keeps_the_older_state(followed: Archive) -> None:
    wrong = Page(CHANNEL, 1, 0, (message(104, chat_id=PRIVATE),))
    broken = Changes(box=CHANNEL, state=STATE, pages=(*changed(message(103)).pages, wrong))
    with pytest.raises(ValueError, match="104"):
        record_changes(followed, ACCOUNT, broken, want_all, tops={CHANNEL: 100})
    assert followed.messages.get(key(103)) is None
    assert followed.updates.state(ACCOUNT, CHANNEL) == UpdateState(10)


def test_without_keeping_the_state_the_same_part_is_asked_for_again(followed: Archive) -> None:
    tops = followed.updates.tracked(ACCOUNT)
    for _ in range(2):
        record_changes(followed, ACCOUNT, changed(message(103)), want_all, tops=tops, keep_state=False)
    assert followed.updates.state(ACCOUNT, CHANNEL) == UpdateState(10)
    assert followed.messages.count(ACCOUNT, CHANNEL) == 4


def test_an_edit_of_what_was_never_fetched_is_left_to_the_export(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1)], low=1, high=10), want_all)
    archive.updates.track(ACCOUNT, CHANNEL, 100)
    edits = changed(message(5, "of a settled id"), message(50, "of an unknown one"))
    record_changes(archive, ACCOUNT, edits, want_all, tops={CHANNEL: 100})
    assert archive.messages.get(key(50)) is None
    assert archive.messages.get(key(5)) is not None
    assert archive.coverage.covered(ACCOUNT, CHANNEL) == [(1, 10)]


def test_chats_that_are_not_in_the_vault_leave_nothing_there(archive: Archive) -> None:
    stranger = Person(99, "Stranger")
    archive.people.see([Person(5, "Old name")])
    brought = changed(message(7, chat_id=PRIVATE), box=COMMON, people=(stranger, Person(5, "New name")))
    assert record_changes(archive, ACCOUNT, brought, want_all, tops={}) == {}
    assert archive.messages.get(key(7, PRIVATE)) is None
    assert archive.people.get(99) is None
    assert archive.people.get(5) == Person(5, "New name")
    assert archive.updates.state(ACCOUNT, COMMON) == STATE


def test_deleted_ids_of_private_chats_find_their_chat(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(7, chat_id=PRIVATE)]), want_all)
    record_page(archive, ACCOUNT, page([message(7)]), want_all)
    gone = Changes(box=COMMON, state=STATE, deleted=(7, 8))
    assert deleted_keys(archive, ACCOUNT, gone, [PRIVATE]) == [key(7, PRIVATE)]
    assert deleted_keys(archive, ACCOUNT, gone, []) == []
    record_changes(archive, ACCOUNT, gone, want_all, tops={}, deleted=[key(7, PRIVATE)])
    assert deleted_keys(archive, ACCOUNT, gone, [PRIVATE]) == [], "what is deleted already is not deleted again"
    assert archive.messages.get(key(7)) == message(7)


def test_a_pin_is_no_edit(followed: Archive) -> None:
    pins = Changes(box=CHANNEL, state=STATE, pins=(Pins(CHANNEL, (2, 555), True),))
    record_changes(followed, ACCOUNT, pins, want_all, tops={CHANNEL: 100})
    assert followed.messages.get(key(2)) == message(2, pinned=True)
    assert followed.messages.versions(key(2)) == []
    assert record_page(followed, ACCOUNT, page([message(2, pinned=True)]), want_all).edited == 0


def test_an_earlier_state_is_not_given_up(archive: Archive) -> None:
    archive.updates.begin(ACCOUNT, COMMON, UpdateState(10))
    archive.updates.begin(ACCOUNT, COMMON, UpdateState(20))
    assert archive.updates.state(ACCOUNT, COMMON) == UpdateState(10)
    assert archive.updates.state(ACCOUNT + 1, COMMON) is None
    archive.updates.track(ACCOUNT, PRIVATE, 5)
    assert archive.updates.tracked(ACCOUNT + 1) == {}
