"""Find models on this computer only, so that nothing waits for a missing network.

A model is a folder of files in the format of CTranslate2. Sources: https://github.com/SYSTRAN/faster-whisper,
https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import json
from pathlib import Path

#: Without tokenizer.json faster-whisper uses the network, even for a local folder.
_FILES = ("config.json", "model.bin", "tokenizer.json")

#: Names whose repository is not called ``Systran/faster-whisper-NAME``.
_REPOSITORIES = {
    "large": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}


class NoModel(Exception):
    """There is no such model on this computer: ``what`` is missing, and ``remedy`` says how to get it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def find_model(name: str) -> Path:
    """Return the folder of the model called ``name``: a folder itself, a size (``small``), or a repository
    (``owner/name``) that was downloaded before. Raises NoModel; never uses the network."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _complete(folder, "name a folder with a model converted for CTranslate2")
    if _is_path(name):
        raise NoModel(
            f"the folder {folder}", "set the option model to the folder of a model, or to a name such as small"
        )
    fetch = f"download it once: python -m tobs_plugins.whisper {name}; or set the option model to the folder of one"
    cached = _cached(repository(name))
    if cached is None:
        raise NoModel(f"the model {name}", fetch)
    return _complete(cached, fetch)


def repository(name: str) -> str:
    """Return the repository of the model called ``name``."""
    return name if "/" in name else _REPOSITORIES.get(name, f"Systran/faster-whisper-{name}")


def download(name: str) -> str:
    """Download the model ``name`` into the cache of this computer and return its folder. Needs the network."""
    from faster_whisper import download_model

    return str(download_model(repository(name)))


def _cached(repository: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, "model.bin")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _complete(folder: Path, remedy: str) -> Path:
    missing = [name for name in _FILES if not _is_filled(folder / name)]
    if not missing and not any(_is_filled(path) for path in folder.glob("vocabulary.*")):
        missing = ["vocabulary.json"]
    if missing:
        raise NoModel(f"{missing[0]} in the model's folder {folder}", remedy)
    try:
        json.loads((folder / "config.json").read_bytes())
    except ValueError:
        raise NoModel(f"a config.json that can be read in {folder}", remedy) from None
    return folder


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _is_path(name: str) -> bool:
    return name.startswith(("/", "~", ".")) or "\\" in name or ":" in name or name.count("/") > 1
