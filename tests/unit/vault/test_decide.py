"""The owner's words win: every case of a file against what the archive knows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.archive.notes import NoteState
from tobs.vault.decide import Decision, Known, Marks, decide, read_marks, text_hash

ID = "5/1"


def managed_hash(text: str) -> str:
    return text_hash(re.sub(r"^tobs_hash:.*\n", "", text, flags=re.MULTILINE))


def note(body: str, *, tobs_id: str = ID) -> str:
    bare = f'---\ntobs_id: "{tobs_id}"\n---\n{body}\n'
    return bare.replace("---\n", f'---\ntobs_hash: "{managed_hash(bare)}"\n', 1)


OLD, NEW = note("old"), note("new")
EDITED = OLD + "my own words\n"


def outcome(state: NoteState, found: str | bytes | None, *, base: str = "") -> Decision:
    known = Known(ID, state, text_hash(base) if base else "")
    return decide(known, found.encode() if isinstance(found, str) else found, NEW, managed_hash)


CREATED, UPDATED = Decision("created", NEW), Decision("updated", NEW)
UNCHANGED, PRESERVED, DELETED = Decision("unchanged"), Decision("preserved"), Decision("deleted")


@pytest.mark.parametrize(
    ("case", "state", "found", "base", "decision"),
    [
        ("a planned note is created", "planned", None, "", CREATED),
        ("a written note that is missing was deleted", "written", None, OLD, DELETED),
        ("a deleted note stays deleted", "deleted", None, OLD, DELETED),
        ("a note that says it already is not touched", "written", NEW, OLD, UNCHANGED),
        ("a planned note that is in place is adopted", "planned", NEW, "", UNCHANGED),
        ("a note as last written is brought up to date", "written", OLD, OLD, UPDATED),
        ("text without marks counts when it is what was written", "written", "plain", "plain", UPDATED),
        ("without a base the hash in the note speaks", "written", OLD, "", UPDATED),
        ("an older render of a run that was stopped is ours", "planned", OLD, "", UPDATED),
        ("an edited note is the owner's", "written", EDITED, OLD, PRESERVED),
        ("an edited note is the owner's without a base too", "planned", EDITED, "", PRESERVED),
        ("a foreign file is the owner's", "planned", "# Mine\n", "", PRESERVED),
        ("a copy of another note is not this one", "planned", note("old", tobs_id="5/2"), "", PRESERVED),
        ("an empty file is somebody's", "planned", "", "", PRESERVED),
        ("what is no text is somebody's", "written", b"\xff\xfe\x00", OLD, PRESERVED),
        ("a deleted note that is back and edited is the owner's", "deleted", EDITED, OLD, PRESERVED),
        ("a deleted note that is back as it was is ours again", "deleted", OLD, OLD, UPDATED),
    ],
)  # fmt: skip
def test_every_case(case: str, state: NoteState, found: str | bytes | None, base: str, decision: Decision) -> None:
    assert outcome(state, found, base=base) == decision, case


@pytest.mark.parametrize("base", [OLD, ""])
def test_line_ends_and_a_byte_order_mark_are_no_edit(base: str) -> None:
    assert outcome("written", b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode(), base=base) == UPDATED
    assert outcome("written", NEW.replace("\n", "\r\n"), base=base) == UNCHANGED


@given(st.text(), st.sampled_from(["planned", "written", "deleted"]))
def test_a_text_tobs_did_not_write_is_never_written_over(text: str, state: NoteState) -> None:
    assert outcome(state, text, base=OLD).text is None


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ('---\ntobs_id: "5/1"\ntobs_hash: "ab"\n---\n', Marks("5/1", "ab")),
        ("---\ntobs_id: -1000000000005/1\ntobs_hash: 'ab'\n---", Marks("-1000000000005/1", "ab")),
        ("---\ntags: []\n---\ntobs_id: 5/1\n", Marks()),
        ("---\ntobs_id: 5/1\ntobs_id: 5/2\n---\n", Marks()),
        ("no front matter\n---\ntobs_id: 5/1\n---\n", Marks()),
        ("---\ntobs_id: 5/1\n", Marks()),
    ],
)
def test_the_marks_are_read_from_front_matter_alone(text: str, marks: Marks) -> None:
    assert read_marks(text) == marks
