"""The owner's words win: every case of a file against what the archive knows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.model import NoteState
from tobs.vault.decide import Decision, KnownNote, MergeInput, NoteProperties, decide, read_properties, text_hash

ID = "5/1"


def managed_hash(text: str) -> str:
    return text_hash(re.sub(r"^tobs_hash:.*\n", "", text, flags=re.MULTILINE))


def note(body: str, *, tobs_id: str = ID) -> str:
    bare = f'---\ntobs_id: "{tobs_id}"\n---\n{body}\n'
    return bare.replace("---\n", f'---\ntobs_hash: "{managed_hash(bare)}"\n', 1)


OLD, NEW = note("old"), note("new")
EDITED = OLD + "\nmy own words\n"


def outcome(state: NoteState, found: str | bytes | None, *, base: str = "") -> Decision:
    known = KnownNote(ID, state, text_hash(base) if base else "")
    merging = MergeInput(
        lambda tobs_hash: base if base and tobs_hash in ("", read_properties(base).tobs_hash) else None, str
    )
    return decide(known, found.encode() if isinstance(found, str) else found, NEW, managed_hash, merging)


CREATED, UPDATED, MERGED = (
    Decision("created", NEW),
    Decision("updated", NEW),
    Decision("merged", NEW + "\nmy own words\n"),
)
UNCHANGED, ADOPTED = Decision("unchanged"), Decision("preserved")
PRESERVED, DELETED = Decision("preserved", is_base=False), Decision("deleted", is_base=False)


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
        ("what is new goes into an edited note", "written", EDITED, OLD, MERGED),
        ("an edited note without a base is the owner's from here on", "planned", EDITED, "", ADOPTED),
        ("a note whose marks tell of a text nobody kept too", "written", EDITED, note("other"), ADOPTED),
        ("a foreign file is the owner's", "planned", "# Mine\n", "", PRESERVED),
        ("a copy of another note is not this one", "planned", note("old", tobs_id="5/2"), "", PRESERVED),
        ("an empty file is somebody's", "planned", "", "", PRESERVED),
        ("what is no text is somebody's", "written", b"\xff\xfe\x00", OLD, PRESERVED),
        ("a deleted note that is back and edited is merged", "deleted", EDITED, OLD, MERGED),
        ("what a stopped run merged is not merged again", "written", MERGED.text, OLD, ADOPTED),
        ("a file without marks at the note's place is the owner's", "written", "# Mine\n", OLD, PRESERVED),
        ("another note at its place is left alone", "written", note("old", tobs_id="5/2"), OLD, PRESERVED),
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
        ('---\ntobs_id: "5/1"\ntobs_hash: "ab"\n---\n', NoteProperties("5/1", "ab")),
        ("---\ntobs_id: -1000000000005/1\ntobs_hash: 'ab'\n---", NoteProperties("-1000000000005/1", "ab")),
        ("---\ntags: []\n---\ntobs_id: 5/1\n", NoteProperties()),
        ("---\ntobs_id: 5/1\ntobs_id: 5/2\n---\n", NoteProperties()),
        ("no front matter\n---\ntobs_id: 5/1\n---\n", NoteProperties()),
        ("---\ntobs_id: 5/1\n", NoteProperties()),
    ],
)
def test_the_marks_are_read_from_front_matter_alone(text: str, marks: NoteProperties) -> None:
    assert read_properties(text) == marks


BROKEN = EDITED.replace("---\nold", "a: b: c\n---\nold")


@pytest.mark.parametrize(
    "found", [BROKEN, EDITED.replace("---\nold", "old"), EDITED.replace("---\nold", "a: 1\na: 2\n---\nold")]
)
def test_a_note_with_broken_front_matter_is_left_alone_and_told(found: str) -> None:
    decision = outcome("written", found, base=OLD)
    assert (decision.outcome, decision.text, decision.is_base) == ("preserved", None, False)
    assert "front matter" in decision.problem


def linked(found: str, new: str) -> Decision:
    """A note whose link led to `Telegram/A/1`, which is now at `Elsewhere/1`."""
    base = note("see [[Telegram/A/1|one]]\n\nand more")
    places = {"Telegram/A/1": "Elsewhere/1", "Elsewhere/1": "Elsewhere/1"}
    known = KnownNote(ID, "written", text_hash(base))
    return decide(known, found.encode(), new, managed_hash, MergeInput(lambda _: base, places.get))


@pytest.mark.parametrize("link", ["[[1|one]]", "[[Elsewhere/1|one]]"])
def test_links_that_obsidian_wrote_anew_are_nobodys_edit(link: str) -> None:
    found = note("see [[Telegram/A/1|one]]\n\nand more").replace("[[Telegram/A/1|one]]", link)
    new = note("see [[Elsewhere/1|one]]\n\nand more")
    assert linked(found, new) == Decision("unchanged", is_base=False)
    later = linked(found, note("see [[Elsewhere/1|one]]\n\nand news"))
    assert later.outcome == "updated"
    assert later.text is not None and f"see {link}\n\nand news\n" in later.text


def test_links_that_nobody_wrote_anew_are_mended_in_the_owners_note_too() -> None:
    found = note("see [[Telegram/A/1|one]]\n\nand more") + "\nmine: [[Telegram/A/1#part]]\n"
    decision = linked(found, note("see [[Elsewhere/1|one]]\n\nand more"))
    assert decision.outcome == "merged"
    assert decision.text is not None
    assert "see [[Elsewhere/1|one]]\n\nand more\n\nmine: [[Elsewhere/1#part]]\n" in decision.text
