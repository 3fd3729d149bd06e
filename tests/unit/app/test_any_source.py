"""A source that somebody adds: one module, one line in the registry. Its messages go through the same stages."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tobs.app.context import AppContext, open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.archive import open_archive
from tobs.errors import TargetNotFound
from tobs.model import Chat, FileItem, Message, Page
from tobs.model.requests import ImportPlanRequest, ImportRequest
from tobs.sources import Gap, Source, SourceConfig, SourceType
from tobs.sources.registry import SOURCES, continuing
from tobs.sources.source import copied_files

MESSAGES = [
    {"id": 1, "date": 1_700_000_000, "text": "The lamp is lit."},
    {"id": 2, "date": 1_700_000_060, "text": "Fog until noon."},
    {"id": 3, "date": 1_700_000_120, "text": "The chart of the bay.", "file": "chart.txt"},
]


# The module of the source


@asynccontextmanager
async def open_list(config: SourceConfig) -> AsyncIterator[Source]:
    """Messages of one chat from a JSON list; its files lie beside it."""
    assert config.path is not None
    path, rows = config.path, json.loads(config.path.read_text())
    chat = Chat(77, "private", "Lighthouse", top=rows[-1]["id"], count=len(rows))

    async def resolve(target: str, *, join: bool = False) -> Sequence[Chat]:
        if target in ("", chat.title):
            return [chat]
        raise TargetNotFound(f"'{target}' is not in the list.")

    async def describe(chat_id: int) -> Chat:
        return chat

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        for low, high in gaps:
            messages = tuple(message(row) for row in rows if low <= row["id"] <= high)
            await on_page(Page(chat_id, low, high, messages))

    def copy(name: str, part: Path) -> int:
        shutil.copyfile(path.with_name(name), part)
        return part.stat().st_size

    yield Source(name="list", resolve=resolve, describe=describe, walk=walk, fetch_file=copied_files(copy))


def message(row: dict[str, object]) -> Message:
    """A row of the list as a message."""
    name = str(row.get("file", ""))
    media = FileItem("document", mime="text/plain", name=name, path=name) if name else None
    return Message(
        chat_id=77, id=int(str(row["id"])), date=int(str(row["date"])), text=str(row["text"]), sender_id=77, media=media
    )


LIST_SOURCE = SourceType(name="list", open=open_list, reads=lambda path: path.name.endswith(".list.json"))


# What it does


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The list, in a registry that has the source."""
    monkeypatch.setitem(SOURCES, LIST_SOURCE.name, LIST_SOURCE)  # the one line
    path = tmp_path / "light.list.json"
    path.write_text(json.dumps(MESSAGES))
    (tmp_path / "chart.txt").write_text("Here be rocks.")
    return path


def app(tmp_path: Path) -> AppContext:
    """A vault that is not there yet."""
    return open_app_context({"vault": str(tmp_path / "vault"), "timezone": "UTC"}, cwd=tmp_path, home=tmp_path / "home")


def test_a_source_of_one_module_is_imported_through_the_same_stages(listed: Path, tmp_path: Path) -> None:
    report = asyncio.run(execute(ImportRequest(path=str(listed)), app(tmp_path), Events()))
    assert (report.messages.new, report.media.downloaded, report.problems) == (3, 1, [])
    notes = {note.name: note.read_text() for note in (tmp_path / "vault/Telegram/Lighthouse").rglob("20*.md")}
    assert len(notes) == 3
    for row, text in zip(MESSAGES, (notes[name] for name in sorted(notes)), strict=True):
        assert str(row["text"]) in text
    [chart] = (tmp_path / "vault").rglob("*chart*.txt")
    assert chart.read_text() == "Here be rocks."
    with open_archive(tmp_path / "vault/.tobs/archive.db", clock=lambda: 0.0, read_only=True) as archive:
        assert archive.chats.sources(0) == {77: "list"}
        assert archive.coverage.gaps(0, 77, 1, 3) == []


def test_a_second_import_brings_what_is_new_alone(listed: Path, tmp_path: Path) -> None:
    asyncio.run(execute(ImportRequest(path=str(listed)), app(tmp_path), Events()))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "vault/Telegram").rglob("20*.md")}
    listed.write_text(json.dumps([*MESSAGES, {"id": 4, "date": 1_700_000_180, "text": "A sail."}]))
    [item] = asyncio.run(execute(ImportPlanRequest(path=str(listed)), app(tmp_path), Events())).items
    assert (item.title, item.messages, item.new, item.files) == ("Lighthouse", 4, 1, {"document": {"here": 1}})
    report = asyncio.run(execute(ImportRequest(path=str(listed)), app(tmp_path), Events()))
    assert report.messages.new == 1
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())


def test_what_is_to_come_in_a_chat_is_told_by_the_registry(listed: Path) -> None:
    assert {name: continuing(name).name for name in SOURCES} == {
        "telegram": "telegram",
        "desktop": "telegram",
        "inbox": "inbox",
        "list": "",
    }
    assert continuing("of a later version").name == ""
