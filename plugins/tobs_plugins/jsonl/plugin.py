"""The plugin ``jsonl``: writes the messages of a run to a file of JSON Lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tobs.plugin import Export, Exported, NewMessage, Plugin


class JsonLinesConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``jsonl``."""

    whole: Annotated[bool, Meta(description="Also write the complete message, under message")] = False


class JsonLines(Plugin[JsonLinesConfig]):
    """Write the messages of each run to a file for other programs: a line of JSON for each message."""

    name = "jsonl"
    version = "1"
    summary = "Writes the messages of each run as JSON Lines, for other programs"
    opt_in = True
    bound = "io"
    time_limit = 3600.0

    def export(self, export: Export) -> Exported:
        """Write a file for the run, named by its id."""
        path = export.new_file(f"{export.run.run.run_id}.jsonl")
        with path.open("wb") as file:
            for line in export.messages():
                file.write(msgspec.json.encode(self._line(line)) + b"\n")
        return Exported(files=(path,))

    def _line(self, new: NewMessage) -> dict[str, Any]:
        message = new.message
        line: dict[str, Any] = {
            "came": new.came,
            "chat_id": message.chat_id,
            "chat": new.chat,
            "id": message.id,
            "date": datetime.fromtimestamp(message.date, UTC).isoformat(),
            "sender": new.sender,
            "kind": message.kind,
            "text": message.text,
            "note": new.note,
            "files": new.files,
        }
        return {**line, "message": message} if self.config.whole else line
