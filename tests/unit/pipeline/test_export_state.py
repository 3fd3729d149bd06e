"""Which stages of an export a recorded page wakes."""

from __future__ import annotations

from tobs.archive import Recorded
from tobs.pipeline.session.chat_stages import _State

TEXTS, FILES, KNOWN_FILES = Recorded(100, 0, 0), Recorded(100, 0, 0, wanted=1), Recorded(100, 0, 0, reused=1)


def woken(state: _State, page: Recorded) -> tuple[bool, bool]:
    state.for_plan.clear()
    state.for_media.clear()
    state.recorded(page)
    return state.for_plan.is_set(), state.for_media.is_set()


def test_a_chat_of_texts_asks_for_no_files_until_it_is_fetched() -> None:
    state = _State(has_files=False)
    assert woken(state, TEXTS) == (True, False)
    assert not state.is_fetched
    state.fetched()
    assert state.is_fetched and state.for_media.is_set()


def test_once_there_was_a_file_every_page_may_be_the_one_it_waited_for() -> None:
    for first in (FILES, KNOWN_FILES):
        state = _State(has_files=False)
        assert woken(state, first) == (True, True)
        assert woken(state, TEXTS) == (True, True)


def test_files_of_an_earlier_run_are_looked_after_from_the_first_page_on() -> None:
    assert woken(_State(has_files=True), TEXTS) == (True, True)
