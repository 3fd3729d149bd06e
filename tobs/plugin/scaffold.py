"""Scaffold for ``tobs plugins new``: a working plugin with a test, as a starting point for a new one."""

from __future__ import annotations

import re
from pathlib import Path

from tobs.errors import UsageError, VaultUnwritable

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PLUGIN = '''\
"""{title}: a plugin of tobs."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from tobs.plugin import Item, Plugin, Result


class {cls}Config(Struct, frozen=True):
    """The options, set under [plugins.{name}] in config.toml."""

    unit: Annotated[str, Meta(description="Unit of the size: kB or MB")] = "kB"


class {cls}(Plugin[{cls}Config]):
    """Write the size of a file. Replace this by your own findings."""

    name = "{name}"
    version = "1"  # raise it when results change
    summary = "Writes the size of a file"
    handles = frozenset({{"document", "audio", "photo", "video"}})
    band = "describe"

    def process(self, item: Item) -> Result | None:
        size = item.path.stat().st_size / (1_000_000 if self.config.unit == "MB" else 1_000)
        return Result(fields={{"{field}": f"{{size:.1f}} {{self.config.unit}}"}})
'''

_TEST = '''\
"""Tests; run them with pytest."""

from __future__ import annotations

from pathlib import Path

from tobs.plugin.testing import make_item

from . import {cls}, {cls}Config


def test_the_size_of_a_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "paper.txt"
    path.write_text("x" * 1500)
    result = {cls}({cls}Config()).process(make_item(path, tmp_path / "work"))
    assert result is not None
    assert result.fields == {{"{field}": "1.5 kB"}}
'''


def new_plugin(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a plugin called ``name`` into a new folder in ``folder``; returns its two files (plugin, test).

    Raises UsageError for an invalid or used name, and VaultUnwritable.
    """
    if not _NAME.fullmatch(name) or len(name) > 32:
        raise UsageError(f"{name!r} is no name for a plugin.", "Use small letters, digits and hyphens: word-count.")
    field = name.replace("-", "_")
    names = {
        "name": name,
        "field": field,
        "title": name.replace("-", " ").capitalize(),
        "cls": "".join(part.capitalize() for part in name.split("-")),
    }
    place = folder / field
    plugin, test = place / "__init__.py", place / f"test_{field}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place.mkdir()
        plugin.write_text(_PLUGIN.format(**names), encoding="utf-8")
        test.write_text(_TEST.format(**names), encoding="utf-8")
    except FileExistsError:
        raise UsageError(f"{place} is there already.", "Choose another name, or remove it first.") from None
    except OSError as error:
        raise VaultUnwritable(f"{place} cannot be written: {error.strerror}.", "Correct the permissions.") from error
    return plugin, test
