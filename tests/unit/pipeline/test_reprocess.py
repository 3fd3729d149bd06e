"""Attached files once more through the chain, where they lie."""

from __future__ import annotations

import pytest
from pipeline_builders import ACCOUNT, CHANNEL, attached, document, exported, message, note, stale
from test_chat_stages import stages

from tobs.archive import FileRow
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.reprocess import Reprocessing


async def with_files(context: RunContext, *data: bytes) -> tuple[ChatFolder, list[FileRow]]:
    """A chat whose messages have a file each, which lies in the vault."""
    items = [document(number, f"{number}.txt") for number in range(1, len(data) + 1)]
    folder = await exported(context, *(message(number, media=item) for number, item in enumerate(items, 1)))
    files = [attached(context, f"Files/{number}.txt", one, number) for number, one in enumerate(data, 1)]
    rows = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 500)
    for row, file in zip(sorted(rows, key=lambda row: row.message_id), files, strict=True):
        context.archive.media.staged(row.key, file.sha256, file.size)
        context.archive.media.attached([row.id])
    return folder, files


async def reprocessed(context: RunContext, folder: ChatFolder) -> None:
    async with stages(context, plugins=["Words"]) as running:
        again = Reprocessing(context, running.archive_thread, running.chain, None)
        await again.run(folder)
        again.report_missing()


async def test_a_new_plugin_sees_every_file_and_its_notes_are_made_again(context: RunContext) -> None:
    folder, files = await with_files(context, *(b"text %d" % number for number in range(105)))
    await reprocessed(context, folder)
    found = [context.archive.files.get(file.sha256) for file in files]
    assert [file and file.plugin_fields for file in found] == [
        {"words": {"letters": len(b"text %d" % n)}} for n in range(105)
    ]
    assert f"{CHANNEL.id}/105" in stale(context) and note(context, 1).state == "written"


async def test_files_that_are_gone_are_told_and_a_failure_keeps_what_was_known(
    context: RunContext, report: ReportBuilder
) -> None:
    folder, files = await with_files(context, b"0003", b"gone", b"text")
    context.archive.files.set_plugin_fields(files[0].sha256, {"words": {"letters": 7}})
    (context.root / files[1].path).unlink()
    await reprocessed(context, folder)
    kept = context.archive.files.get(files[0].sha256)
    assert kept is not None and kept.plugin_fields == {"words": {"letters": 7, "failures": ["words"]}}
    problems = {one.what: one.item for one in report.report.problems}
    assert problems == {"plugin words": "1.txt of message 1 in Observatory", "media": "1 files"}


@pytest.mark.parametrize("count", [0, 1])
async def test_nothing_is_told_where_nothing_is_missing(context: RunContext, report: ReportBuilder, count: int) -> None:
    folder, _ = await with_files(context, *[b"text"] * count)
    await reprocessed(context, folder)
    assert report.report.problems == []
