"""The JSON of an export as dictionaries, with the errors of real exports repaired."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tobs.errors import UsageError

Json = dict[str, Any]

_BROKEN_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")


def read_chats(path: Path) -> tuple[Path, Json, list[Json]]:
    """Return the export's folder, its ``personal_information`` and its chats; raise ``UsageError``."""
    file = path / "result.json" if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Give a result.json or its folder.") from error
    whole = _parse(data, file)
    if isinstance(whole, list):  # an excerpt of an export: only its messages
        return file.parent, {}, [{"name": file.stem, "type": "public_channel", "id": 1, "messages": whole}]
    if "messages" in whole:
        return file.parent, {}, [whole]
    lists = [whole[key]["list"] for key in ("chats", "left_chats") if isinstance(whole.get(key), dict)]
    if not lists:
        raise UsageError(f"{file} is not a Telegram Desktop export: it has no messages.")
    chats = [chat for chats in lists for chat in chats]
    return file.parent, whole.get("personal_information") or {}, chats


def _parse(data: bytes, file: Path) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_object)
    except ValueError:
        pass  # control characters come as \x1F, which JSON does not know
    try:
        return json.loads(_BROKEN_ESCAPE.sub(rb"\1\\u00\2", data), object_pairs_hook=_object)
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}.", "Give a Telegram Desktop export.") from error


def _object(pairs: list[tuple[str, Any]]) -> Json:
    """Make an object; if ``text`` occurs twice, the first one is the action's and is stored as ``action_text``."""
    found: Json = {}
    for key, value in pairs:
        if key == "text" and "text" in found:
            found["action_text"] = found["text"]
        found[key] = value
    return found


def is_missing(path: Any) -> bool:
    """Return True if a path of the export is a reason instead of a file, ``(File not included. …)``."""
    return not isinstance(path, str) or path.startswith("(") or not path
