"""Planning: whatever is behind the watermark gets its note, however many batches that takes."""

from __future__ import annotations

from tobs.archive import MediaDecision, record_page
from tobs.model import Chat, Message, Page
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.planning import Planned, plan_messages

CHAT = Chat(-1001, "channel", "Observatory", "observatory", top=350)


def recorded(context: RunContext) -> None:
    """350 messages, every tenth and the one after it an album."""
    messages = [
        Message(
            chat_id=CHAT.id,
            id=number,
            date=1_700_000_000,
            text=f"{number}",
            album_id=(number // 10) * (number % 10 < 2),
        )
        for number in range(350, 0, -1)
    ]
    page = Page(CHAT.id, 1, 350, tuple(messages), raw=b"", layer=229)
    record_page(context.archive, 1, page, lambda message, index: MediaDecision("wanted", "", 0))


def test_a_batch_with_albums_is_not_taken_for_the_last_one(context: RunContext) -> None:
    place = open_chat(context, CHAT)
    recorded(context)
    batches = [plan_messages(context, place, upto=350, final=False)]
    while not batches[-1].is_all:
        batches.append(plan_messages(context, place, upto=350, final=False))
    assert all(batch.units < context.batch for batch in batches) and len(batches) == 4
    # Message 350 is the first of an album that may go on.
    assert context.archive.messages.unplanned_dates(1, CHAT.id, 350) is not None
    assert plan_messages(context, place, upto=350, final=True) == Planned(1, is_all=True)
    assert context.archive.messages.unplanned_dates(1, CHAT.id, 350) is None
