"""Missing notes, and how many are too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tobs.errors import VaultError
from tobs.vault.missing import missing_notes, require_few_missing
from tobs.vault.writer import NoteFile, write_batch


def test_notes_that_are_gone_are_found_with_or_without_their_folder(tmp_path: Path) -> None:
    write_batch(tmp_path, [NoteFile("T/a/1.md", ""), NoteFile("T/a/2.md", ""), NoteFile("ä.md", "")])
    paths = ["T/a/1.md", "T/a/2.md", "T/a/3.md", "T/gone/4.md", "ä.md", "T/a/1.md/5.md"]
    assert missing_notes(tmp_path, paths) == {"T/a/3.md", "T/gone/4.md", "T/a/1.md/5.md"}


def test_a_name_kept_in_another_form_is_no_missing_note(tmp_path: Path) -> None:
    (tmp_path / "Cafe\u0301.md").write_text("as macOS writes it")
    assert missing_notes(tmp_path, ["Café.md"]) == set()


@pytest.mark.parametrize(("written", "missing"), [(0, 0), (1, 1), (3, 1), (1000, 20), (40, 2)])
def test_some_missing_notes_are_the_owners_wish(written: int, missing: int) -> None:
    require_few_missing(written, missing, accept=False)


@pytest.mark.parametrize(("written", "missing"), [(1000, 21), (100_000, 21), (39, 2), (300, 16), (2, 2)])
def test_many_missing_notes_stop_the_run_unless_accepted(written: int, missing: int) -> None:
    with pytest.raises(VaultError, match="--accept-missing") as caught:
        require_few_missing(written, missing, accept=False)
    assert caught.value.exit_code == 5
    require_few_missing(written, missing, accept=True)
