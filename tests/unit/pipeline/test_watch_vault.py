"""Changes of files that a watch takes for the owner's."""

from __future__ import annotations

from pipeline_builders import attached, exported, file_of, message, note

from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.watch.vault_events import is_owners_move


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
