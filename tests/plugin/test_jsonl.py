"""``jsonl``: what a run brought, a line for each message."""

from __future__ import annotations

import json
from pathlib import Path

from tobs.model import Message
from tobs.plugin import Export, FinishedRun, NewMessage, Run
from tobs.plugin.new_messages import write_messages
from tobs_plugins.jsonl import JsonLines, JsonLinesConfig

MESSAGES = [
    NewMessage(
        "new",
        Message(chat_id=-5, id=1, date=0, text="two\nlines — 😀"),
        "Chat",
        "Ada",
        "Telegram/Chat/1.md",
        ("media/a.jpg",),
    ),
    NewMessage("deleted", Message(chat_id=-5, id=2, date=86_400, text="gone")),
]


def lines(folder: Path, config: JsonLinesConfig) -> list[dict[str, object]]:
    source = folder / "brought"
    with source.open("wb") as file:
        write_messages(file, MESSAGES)
    export = Export(FinishedRun(Run("r7", "sync"), ok=True), len(MESSAGES), source, folder / "made", folder)
    (path,) = JsonLines(config).export(export).files
    assert path.name == "r7.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_message_is_a_line(tmp_path: Path) -> None:
    first, second = lines(tmp_path, JsonLinesConfig())
    assert first == {
        "came": "new",
        "chat_id": -5,
        "chat": "Chat",
        "id": 1,
        "date": "1970-01-01T00:00:00+00:00",
        "sender": "Ada",
        "kind": "message",
        "text": "two\nlines — 😀",
        "note": "Telegram/Chat/1.md",
        "files": ["media/a.jpg"],
    }
    assert (second["came"], second["date"], second["note"], second["files"]) == (
        "deleted",
        "1970-01-02T00:00:00+00:00",
        "",
        [],
    )


def test_the_whole_message_is_there_when_asked_for(tmp_path: Path) -> None:
    first, _ = lines(tmp_path, JsonLinesConfig(whole=True))
    assert first["message"] == {"chat_id": -5, "id": 1, "date": 0, "text": "two\nlines — 😀"}
