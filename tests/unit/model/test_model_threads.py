"""Ids of stories, threads of messages: what must never be taken for something else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tobs.model import (
    Forward,
    Message,
    MessageKey,
    Reply,
    copied_post,
    marked_channel,
    marked_group,
    marked_user,
    message_name,
    stories_of,
    story_peer,
    thread_root,
)

PEERS = st.one_of(
    st.integers(1, 1 << 40).map(marked_user),
    st.integers(1, 1 << 40).map(marked_group),
    st.integers(1, 1 << 40).map(marked_channel),
)


@given(PEERS, PEERS, st.integers(1, 1 << 31), st.integers(0, 1 << 40))
def test_no_story_has_the_key_or_the_name_of_a_message(peer: int, other: int, number: int, account: int) -> None:
    assert story_peer(stories_of(peer)) == peer and story_peer(other) == 0
    assert (stories_of(peer) == stories_of(other)) == (peer == other)
    assert MessageKey.of(account, stories_of(peer), number) != MessageKey.of(account, other, number)
    assert message_name(stories_of(peer), number) == f"{peer}/story/{number}" != message_name(other, number)


def said(**more: object) -> Message:
    return Message(**{"chat_id": marked_channel(9), "id": 30, "date": 0, **more})


def test_a_comment_is_in_the_thread_of_the_copy_it_answers_directly_or_not() -> None:
    assert thread_root(said(reply=Reply(7))) == 7
    assert thread_root(said(reply=Reply(20, thread_id=7))) == 7
    assert thread_root(said()) == 0
    assert thread_root(said(reply=Reply(7, chat_id=marked_channel(5)))) == 0, "it answers what is in another chat"


def test_only_what_telegram_copied_by_itself_is_the_copy_of_a_post() -> None:
    channel = marked_channel(5)
    forward = Forward(from_id=channel, chat_id=channel, message_id=3)
    assert copied_post(said(forward=forward, saved_from=channel)) == (channel, 3)
    assert copied_post(said(forward=forward)) is None, "somebody forwarded it"
    assert copied_post(said(forward=Forward(from_id=8, message_id=3), saved_from=8)) is None, "it is of a person"
