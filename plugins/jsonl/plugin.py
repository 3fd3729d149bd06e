"""The plugin ``jsonl``: the messages a run brought in; a file of JSON Lines out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tobs.plugin import Brought, Export, Exported, Plugin


class JsonLinesConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``jsonl``."""

    whole: Annotated[bool, Meta(description="Also all that is known of the message, under message")] = False


class JsonLines(Plugin[JsonLinesConfig]):
    """Writes what each run brought into a file that other programs read: a line of JSON for each message."""

    name = "jsonl"
    version = "1"
    summary = "Writes what each run brought as JSON Lines, for other programs"
    opt_in = True
    bound = "io"
    time_limit = 3600.0

    def export(self, export: Export) -> Exported:
        """One file for the run, named by its id."""
        path = export.new_file(f"{export.run.run.run_id}.jsonl")
        with path.open("wb") as file:
            for brought in export.messages():
                file.write(msgspec.json.encode(self._line(brought)) + b"\n")
        return Exported(files=(path,))

    def _line(self, brought: Brought) -> dict[str, Any]:
        message = brought.message
        line: dict[str, Any] = {
            "came": brought.came,
            "chat_id": message.chat_id,
            "chat": brought.chat,
            "id": message.id,
            "date": datetime.fromtimestamp(message.date, UTC).isoformat(),
            "sender": brought.sender,
            "kind": message.kind,
            "text": message.text,
            "note": brought.note,
            "files": brought.files,
        }
        return {**line, "message": message} if self.config.whole else line
