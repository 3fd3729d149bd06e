"""Makes a Telegram Desktop export of files, to be served as a world: what a test wants to see fetched, bit by bit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_START = 1_700_000_000


def export_folder(folder: Path, files: Iterable[tuple[str, Mapping[str, Any]]]) -> Path:
    """A channel with a message for each of ``files``: a path in ``folder`` (it has to be there), and what the export
    says of it beside that (``media_type``, ``forwarded_from``, ...)."""
    messages = []
    for number, (path, more) in enumerate(files, 1):
        when = _START + 60 * number
        messages.append(
            {
                "id": number,
                "type": "message",
                "date": datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds").removesuffix("+00:00"),
                "date_unixtime": str(when),
                "from": "Files",
                "from_id": "channel88",
                "file": path,
                "file_name": Path(path).name,
                "text": "",
                "text_entities": [],
                **more,
            }
        )
    exported = {"name": "Files", "type": "public_channel", "id": 88, "messages": messages}
    (folder / "result.json").write_text(json.dumps(exported), encoding="utf-8")
    return folder
