"""What was said, as a note shows it."""

from __future__ import annotations

from tobs.plugin import Passage, Result, Section, transcript


def test_a_pause_begins_a_paragraph() -> None:
    passages = (Passage(0, "One.", 2), Passage(2.1, " Two. ", 3), Passage(6, "Three.", 7), Passage(7, " "))
    assert transcript(passages, language="en") == Result(
        fields={"transcript_language": "en"},
        sections=(
            Section("Transcript", "One. Two.\n\nThree.", plain=True),
            Section("Transcript by time", folded=True, passages=passages[:3]),
        ),
    )


def test_where_ends_are_not_known_it_is_one_paragraph() -> None:
    assert transcript([Passage(0, "One."), Passage(60, "Two.")], times=False) == Result(
        sections=(Section("Transcript", "One. Two.", plain=True),)
    )


def test_nothing_said_is_no_result() -> None:
    assert transcript([Passage(0, "  ")]) is transcript([]) is None
