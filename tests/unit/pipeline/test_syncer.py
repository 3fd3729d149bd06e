"""Changes that Telegram reports of a box: recorded part by part, deletions believed only when they are few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from msgspec.structs import replace
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    exported,
    file_of,
    key,
    message,
    note,
    photo,
    plan,
    record,
    settled,
    stale,
)

from tobs.media import MediaPolicy
from tobs.model import COMMON, Changes, Chat, Message, MessageKey, Page, Pins, Reply, UpdateState
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.fetch.mass_deletion import by_chat, refusal
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.sync.rescan import _record_part as record_rescanned
from tobs.pipeline.sync.run import move_deleted_to_trash, open_archived_chat
from tobs.pipeline.sync.syncer import PendingChanges, Syncer, boxes_of, is_renamed
from tobs.pipeline.sync.tracked_chats import _chats_of_vault
from tobs.sources.inbox import INBOX
from tobs.telegram.facade import Telegram

GROUP = Chat(-55, "group", "Club", top=900)
CHATS = {CHANNEL.id: CHANNEL}
NEW_STATE = UpdateState(50)


def syncer_of(context: RunContext, *, accept: bool = False) -> Syncer:
    """A syncer for what needs neither Telegram nor its own thread."""
    return Syncer(context, cast(ArchiveThread, None), cast(Telegram, None), MediaPolicy(), accept_deletions=accept)


def followed(context: RunContext, *messages: Message, chat: Chat = CHANNEL) -> None:
    """A chat that was exported and is kept in step."""
    folder = open_chat(context, chat)
    record(context, *messages, chat=chat)
    plan(context, folder)
    context.archive.updates.track(ACCOUNT, chat.id, max((one.id for one in messages), default=0))
    context.archive.updates.put(ACCOUNT, chat.id if chat.id < -1000 else COMMON, UpdateState(10))
    settled(context)


def changes(*messages: Message, box: int = CHANNEL.id, **more: object) -> Changes:
    pages = (Page(messages[0].chat_id, 1, 0, messages, raw=b"", layer=229),) if messages else ()
    return Changes(**{"box": box, "state": NEW_STATE, "pages": pages, **more})  # type: ignore[arg-type]


def state(context: RunContext, box: int = CHANNEL.id) -> UpdateState | None:
    return context.archive.updates.state(ACCOUNT, box)


def live(context: RunContext, chat: Chat = CHANNEL) -> list[int]:
    return context.archive.messages.live_ids(ACCOUNT, chat.id, 1, 10_000)


def part(syncer: Syncer, told: Changes, *, held: bool = False, known_only: bool = False) -> Sequence[MessageKey]:
    return syncer._record_part(told, CHATS, is_held=held, known_only=known_only)


# parts of a difference


def test_new_and_edited_messages_are_recorded_and_the_state_goes_on(context: RunContext, report: ReportBuilder) -> None:
    followed(context, message(1), message(2))
    syncer = syncer_of(context)
    assert part(syncer, changes(message(2, "edited"), message(3))) == []
    assert live(context) == [1, 2, 3] and state(context) == NEW_STATE
    counts = report.report.messages
    assert (counts.new, counts.edited) == (1, 1)
    assert syncer.pending.changed == {CHANNEL.id} and syncer.pending.about == set()
    assert context.archive.updates.with_pending(ACCOUNT) == {CHANNEL.id}
    assert f"{CHANNEL.id}/2" in stale(context)


def test_a_part_with_nothing_new_changes_nothing(context: RunContext) -> None:
    followed(context, message(1))
    syncer = syncer_of(context)
    part(syncer, changes(message(1)))
    assert syncer.pending.changed == set() and context.archive.updates.with_pending(ACCOUNT) == set()


def test_deletions_are_answered_and_marked_later_and_the_state_waits_for_them(context: RunContext) -> None:
    followed(context, message(1), message(2))
    syncer = syncer_of(context)
    assert part(syncer, changes(message(3), deleted=(2, 99))) == [key(2)]
    assert live(context) == [1, 2, 3] and state(context) == UpdateState(10)
    assert part(syncer, changes(message(4)), held=True) == [] and state(context) == UpdateState(10)


def test_of_a_chat_that_is_not_kept_in_step_nothing_is_taken(context: RunContext) -> None:
    followed(context, message(1))
    other = replace(CHANNEL, id=-1000000000009)
    part(syncer_of(context), changes(message(5, chat=other), box=other.id))
    assert live(context, other) == []


def test_of_comments_only_edits_of_what_is_here_are_taken(context: RunContext) -> None:
    followed(context, message(1), message(2))
    part(syncer_of(context), changes(message(2, "edited"), message(9)), known_only=True)
    found = context.archive.messages.get(key(2))
    assert live(context) == [1, 2] and found is not None and found.text == "edited"


@pytest.mark.parametrize(
    ("told", "about"),
    [
        ({"changed_chats": frozenset({CHANNEL.id})}, True),
        ({"changed_chats": frozenset({-99})}, False),
        ({"chats": (replace(CHANNEL, title="Planetarium"),)}, True),
        ({"chats": (replace(CHANNEL, username="stars"),)}, True),
        ({"chats": (replace(CHANNEL, members=99),)}, False),
        ({"chats": (replace(CHANNEL, id=-99, title="Other"),)}, False),
    ],
)
def test_a_chat_that_says_something_new_about_itself_is_asked_about(
    context: RunContext, told: dict[str, object], about: bool
) -> None:
    followed(context, message(1))
    syncer = syncer_of(context)
    part(syncer, changes(**told))  # type: ignore[arg-type]
    assert syncer.pending.about == ({CHANNEL.id} if about else set())
    assert context.archive.updates.with_pending(ACCOUNT, about=True) == syncer.pending.about


def test_pins_are_taken_over(context: RunContext) -> None:
    followed(context, message(1), message(2))
    part(syncer_of(context), changes(pins=(Pins(CHANNEL.id, (2,), True),)))
    assert context.archive.summaries.pinned(ACCOUNT, CHANNEL.id) == [2]


def test_messages_that_cannot_be_read_are_told_for_the_chats_of_the_vault(
    context: RunContext, report: ReportBuilder
) -> None:
    followed(context, message(1))
    pages = tuple(Page(one, 1, 0, (), raw=b"", layer=229, unreadable=((5, "odd"),)) for one in (CHANNEL.id, -99))
    part(syncer_of(context), changes(pages=pages))
    assert report.report.messages.skipped == 1
    (problem,) = report.report.problems
    assert (problem.item, problem.retryable) == ("message 5 of Observatory", False)


# deletions


def deleted(context: RunContext, syncer: Syncer, *numbers: int, chat: Chat = CHANNEL, end: bool = True) -> None:
    keys = [key(number, chat) for number in numbers]
    syncer.delete(keys, {chat.id: chat}, Changes(box=chat.id, state=NEW_STATE) if end else None)


def test_a_few_deletions_are_marked_with_the_state_that_follows(context: RunContext, report: ReportBuilder) -> None:
    followed(context, *(message(number) for number in range(1, 101)))
    syncer = syncer_of(context)
    deleted(context, syncer, 3, 4, 5)
    assert len(live(context)) == 97 and state(context) == NEW_STATE
    assert report.report.messages.deleted == 3 and syncer.pending.refused == {}
    assert syncer.pending.changed == {CHANNEL.id}
    assert {f"{CHANNEL.id}/3", f"{CHANNEL.id}/5"} <= stale(context)


def test_much_deleted_at_once_is_not_taken_over_and_asked_for_again(context: RunContext, report: ReportBuilder) -> None:
    followed(context, *(message(number) for number in range(1, 101)))
    syncer = syncer_of(context)
    deleted(context, syncer, *range(1, 8))
    assert len(live(context)) == 100 and state(context) == UpdateState(10)
    assert report.report.messages.deleted == 0 and syncer.pending.changed == set()
    assert syncer.pending.refused == {CHANNEL.id: "7 of 100 messages of Observatory"}
    error = refusal(syncer.pending.refused.values())
    assert "7 of 100 messages of Observatory" in error.message and "--accept-deletions" in error.remedy


def test_much_deleted_at_once_is_taken_over_when_it_is_accepted(context: RunContext, report: ReportBuilder) -> None:
    followed(context, *(message(number) for number in range(1, 101)))
    syncer = syncer_of(context, accept=True)
    deleted(context, syncer, *range(1, 51))
    assert len(live(context)) == 50 and report.report.messages.deleted == 50 and syncer.pending.refused == {}


def test_a_chat_that_lost_too_much_does_not_keep_others_from_their_deletions(context: RunContext) -> None:
    followed(context, *(message(number) for number in range(1, 101)))
    followed(context, *(message(number, chat=GROUP) for number in range(201, 301)), chat=GROUP)
    syncer = syncer_of(context)
    keys = [*(key(number) for number in range(1, 30)), key(201, GROUP)]
    syncer.delete(keys, CHATS | {GROUP.id: GROUP}, Changes(box=COMMON, state=NEW_STATE))
    assert len(live(context)) == 100 and len(live(context, GROUP)) == 99
    assert set(syncer.pending.refused) == {CHANNEL.id} and state(context, COMMON) == UpdateState(10)
    assert by_chat(keys) == {CHANNEL.id: 29, GROUP.id: 1}


def test_deletions_found_by_looking_change_no_state(context: RunContext) -> None:
    followed(context, *(message(number) for number in range(1, 11)))
    deleted(context, syncer_of(context), 3, end=False)
    assert 3 not in live(context) and state(context) == UpdateState(10)


def test_the_first_change_of_a_run_begins_what_the_chat_says_is_new(context: RunContext) -> None:
    followed(context, message(1))
    syncer = syncer_of(context)
    syncer._sync_start = syncer._new_sync_start()
    part(syncer, changes(message(2)))
    part(syncer, changes(message(3)))
    assert context.archive.digests.of(ACCOUNT, CHANNEL.id).new == (2, 3)


def test_what_a_page_does_not_hold_of_its_ids_is_gone(context: RunContext, report: ReportBuilder) -> None:
    followed(context, *(message(number) for number in range(1, 11)))
    changed: list[int] = []
    page = Page(CHANNEL.id, 3, 8, (message(3), message(5, "edited"), message(8)), raw=b"", unreadable=((4, "odd"),))
    decide = syncer_of(context)._decide
    gone = record_rescanned(context, page, decide, changed.extend)
    assert gone == [key(6), key(7)] and changed == [CHANNEL.id]
    assert report.report.messages.edited == 1 and len(live(context)) == 10


def test_pending_changes_of_two_steps_add_up() -> None:
    first = PendingChanges({1}, {2}, {3: "much"}, {4: [(1, 2)]}, {5}, {6: 7})
    first.add(PendingChanges({8}, {9}, {}, {10: [(3, 4)]}, {11}))
    assert (first.changed, first.about, first.commented) == ({1, 8}, {2, 9}, {5, 11})
    assert first.gaps == {4: [(1, 2)], 10: [(3, 4)]}


def test_chats_are_asked_about_by_their_box() -> None:
    private = Chat(7, "private", "Anna")
    chats = {one.id: one for one in (CHANNEL, GROUP, private)}
    assert boxes_of(chats) == {CHANNEL.id: {CHANNEL.id: CHANNEL}, COMMON: {GROUP.id: GROUP, 7: private}}
    assert is_renamed(CHANNEL, replace(CHANNEL, title="x")) and not is_renamed(CHANNEL, replace(CHANNEL, top=9))


# chats of the vault


def test_a_sync_is_about_chats_that_have_a_note_or_are_followed(context: RunContext) -> None:
    open_chat(context, CHANNEL)
    context.archive.chats.put(ACCOUNT, GROUP)
    inbox = Chat(INBOX, "saved", "Inbox")
    open_chat(context, inbox)
    context.archive.chats.set_source(ACCOUNT, INBOX, "inbox")
    assert set(_chats_of_vault(context.archive, ACCOUNT)) == {CHANNEL.id}
    context.archive.updates.track(ACCOUNT, GROUP.id, 5)
    assert set(_chats_of_vault(context.archive, ACCOUNT)) == {CHANNEL.id, GROUP.id}


def test_a_chat_of_the_vault_is_opened_with_what_is_known_now(context: RunContext) -> None:
    open_chat(context, replace(CHANNEL, top=2, count=2))
    record(context, message(1), message(2), message(3))
    settled(context)
    found = open_archived_chat(context, CHANNEL.id, None, is_changed=False)
    assert found is not None and (found.chat.top, found.chat.count, found.is_part) == (3, 2, False)
    assert stale(context) == set()
    open_archived_chat(context, CHANNEL.id, None, is_changed=True)
    assert stale(context) == {str(CHANNEL.id)}
    assert open_archived_chat(context, GROUP.id, None, is_changed=True) is None
    context.archive.chats.put(ACCOUNT, GROUP)
    assert open_archived_chat(context, GROUP.id, None, is_changed=True) is None


def test_a_chat_whose_export_was_stopped_halfway_is_a_part(context: RunContext) -> None:
    open_chat(context, replace(CHANNEL, top=9))
    record(context, message(5), low=5)
    found = open_archived_chat(context, CHANNEL.id, None, is_changed=False)
    assert found is not None and found.is_part


def test_a_group_that_grew_is_opened_in_the_folder_of_what_it_became(context: RunContext) -> None:
    grown = Chat(-1000000000003, "supergroup", "Club", migrated_from=GROUP.id)
    parent = open_chat(context, grown)
    context.archive.chats.put(ACCOUNT, replace(GROUP, migrated_to=grown.id))
    record(context, message(1, chat=GROUP), chat=GROUP)
    found = open_archived_chat(context, GROUP.id, None, is_changed=False)
    assert found is not None and (found.folder, found.filed_under) == (parent.folder, grown.id)


# the trash


async def test_notes_whose_messages_are_all_deleted_go_to_the_trash_and_links_there_are_stale(
    context: RunContext, report: ReportBuilder
) -> None:
    context.archive.runs.start("1", "sync", [])
    await exported(context, message(1), message(2), message(3, reply=Reply(message_id=2)))
    await exported(context, message(4, media=photo(), album_id=7), message(5, media=photo(6), album_id=7), low=4)
    context.archive.messages.mark_deleted([key(2), key(4)])
    assert f"{CHANNEL.id}/3" not in stale(context)
    assert move_deleted_to_trash(context) == 1
    assert not file_of(context, note(context, 2)).exists() and file_of(context, note(context, 4)).exists()
    assert note(context, 2).state == "deleted" and f"{CHANNEL.id}/3" in stale(context)
    assert report.report.notes.deleted == 1
    assert move_deleted_to_trash(context) == 0


async def test_a_note_with_words_of_the_owner_does_not_go_to_the_trash(context: RunContext) -> None:
    await exported(context, message(1), message(2))
    path = file_of(context, note(context, 2))
    path.write_text(path.read_text() + "\nMine.\n")
    context.archive.messages.mark_deleted([key(2)])
    assert move_deleted_to_trash(context) == 0 and path.exists()
