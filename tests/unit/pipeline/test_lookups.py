"""What a batch of notes asks the archive for is asked once."""

from __future__ import annotations

from tobs.archive import MediaDecision, record_page
from tobs.model import Chat, Message, MessageKey, Page, Reply
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.lookups import Lookups
from tobs.pipeline.notes.planning import Planned, plan_messages

CHAT = Chat(-1001, "channel", "Observatory", "observatory", top=60)


def answering(number: int) -> Message:
    """A message that answers the one before it; every tenth one answers what is not there."""
    target = 900 + number if number % 10 == 1 else number - 1
    return Message(chat_id=CHAT.id, id=number, date=1_700_000_000, text=f"{number}", reply=Reply(message_id=target))


def test_where_answered_messages_are_is_asked_once_for_all_notes_of_a_batch(context: RunContext) -> None:
    place = open_chat(context, CHAT)
    page = Page(CHAT.id, 1, 60, tuple(answering(number) for number in range(60, 0, -1)), raw=b"", layer=229)
    record_page(context.archive, 1, page, lambda message, index: MediaDecision("wanted", "", 0))
    assert plan_messages(context, place, upto=60, final=True) == Planned(60, is_all=True)
    rows = context.archive.notes.stale(1, CHAT.id, kinds=("message",))
    stored = context.archive.notes.stored([row.id for row in rows])
    asked: list[str] = []
    context.archive.notes._database._connection.set_trace_callback(asked.append)
    lookups = Lookups(context.render_context, [one for messages in stored.values() for one in messages])
    for number in range(1, 61):
        lookups.begin()
        target = answering(number).reply
        assert target is not None
        path = lookups.links.message(CHAT.id, target.message_id)
        there = target.message_id in range(1, 61)
        assert (path is not None) == there, number
        assert [(link.message_id, link.resolved) for link in lookups.requested()[0]] == [(target.message_id, there)]
    assert sum("message_rows" in statement for statement in asked) == 1
    shown = context.archive.notes.locations([MessageKey.of(1, CHAT.id, 5)])
    assert [f"{one.path.removesuffix('.md')}" for one in shown.values()] == [lookups.links.message(CHAT.id, 5)]
