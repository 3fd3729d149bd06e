"""What a watch takes for the owner's doing, and files dropped into the inbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pipeline_builders import ACCOUNT, attached, exported, file_of, message, named, note

from tobs.errors import TransferFailed
from tobs.model import MessageKey
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.watch.inbox import SETTLED, clear_inbox, import_inbox
from tobs.pipeline.watch.vault_events import is_owners_move
from tobs.sources.inbox import INBOX, inbox_source
from tobs.vault.inbox import INBOX_FOLDER

NOW = 1_700_000_000.0


def moved(context: RunContext, *paths: str) -> bool:
    return is_owners_move(context.archive, context.root, paths)


async def test_only_what_is_gone_or_lies_where_it_was_not_is_the_owners_doing(context: RunContext) -> None:
    await exported(context, message(1), message(2))
    file = attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    path = note(context, 1).path
    text = file_of(context, note(context, 1)).read_text()
    assert not moved(context, path, file.path)
    (context.root / "mine.md").write_text("My own words.")
    (context.root / "mine.jpg").write_bytes(b"jpeg")
    (context.root / "Folder").mkdir()
    assert not moved(context, "mine.md", "mine.jpg", "Folder", "gone.md", "gone.jpg")
    assert moved(context, "gone folder")
    (context.root / "copy.md").write_text(text)
    assert moved(context, "copy.md")
    (context.root / path).unlink()
    assert moved(context, path) and moved(context, "mine.md", path)
    (context.root / file.path).unlink()
    assert moved(context, file.path)


def dropped(context: RunContext, name: str, data: bytes = b"data", *, age: float = 10.0) -> Path:
    path = context.root / INBOX_FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (NOW - age, NOW - age))
    return path


def names(context: RunContext) -> list[str]:
    keys = [MessageKey.of(ACCOUNT, INBOX, one) for one in context.archive.messages.live_ids(ACCOUNT, INBOX, 1, 100)]
    found = [context.archive.messages.get(key) for key in keys]
    return [one.media.name for one in found if one is not None and one.media is not None]  # type: ignore[union-attr]


def test_files_that_lie_still_are_recorded_once(context: RunContext, report: ReportBuilder) -> None:
    assert import_inbox(context, NOW) == ([], False)
    assert context.archive.notes.by_tobs_id(str(INBOX)) is None
    dropped(context, "a.pdf")
    dropped(context, "b.mp3", age=SETTLED)
    dropped(context, "new.pdf", age=SETTLED / 2)
    for hidden in (".hidden", "note.md", "empty.pdf"):
        dropped(context, hidden, b"" if hidden == "empty.pdf" else b"x")
    found, more = import_inbox(context, NOW)
    assert ([file.name for file in found], more) == (["a.pdf", "b.mp3"], True)
    assert names(context) == ["a.pdf", "b.mp3"] and report.report.messages.new == 2
    assert named(context, str(INBOX)).path == f"{INBOX_FOLDER}/Inbox.md"
    found, more = import_inbox(context, NOW + 5)
    assert names(context) == ["a.pdf", "b.mp3", "new.pdf"] and not more
    assert report.report.messages.new == 3
    # The same name with another content is another file.
    dropped(context, "a.pdf", b"other data")
    import_inbox(context, NOW)
    assert names(context)[-1] == "a.pdf" and len(names(context)) == 4


def test_a_file_goes_when_it_has_its_place_and_was_not_changed_since(context: RunContext) -> None:
    clear_inbox(context)
    path = dropped(context, "a.pdf")
    import_inbox(context, NOW)
    clear_inbox(context)
    assert path.exists()
    (row,) = context.archive.media.wanted(ACCOUNT, INBOX, 5)
    context.archive.media.staged(row.key, "ab" * 32, 4)
    context.archive.media.attached([row.id])
    other = dropped(context, "b.pdf")
    clear_inbox(context)
    assert not path.exists() and other.exists()
    dropped(context, "a.pdf", b"changed")
    clear_inbox(context)
    assert path.exists()


async def test_a_dropped_file_is_fetched_by_its_name_alone(context: RunContext) -> None:
    dropped(context, "a.pdf", b"paper")
    import_inbox(context, NOW)
    (row,) = context.archive.media.wanted(ACCOUNT, INBOX, 5)
    source, part = inbox_source(context.root / INBOX_FOLDER), context.staging / "a.part"
    assert await source.fetch_file(row.item, row.message_key, part) == 5 and part.read_bytes() == b"paper"
    (context.root / INBOX_FOLDER / "a.pdf").unlink()
    with pytest.raises(TransferFailed, match="not in the inbox any more") as caught:
        await source.fetch_file(row.item, row.message_key, part)
    assert not caught.value.retryable
