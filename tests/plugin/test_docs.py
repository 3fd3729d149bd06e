"""The page on writing a plugin is true: its plugin runs, and it names every declaration."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from tobs.plugin import API_VERSION, FileKind, Item, Plugin, Result, Section
from tobs.plugin.catalogue import VaultPlugins, load_plugins
from tobs.plugin.host import Done, Host, HostLimits, PluginFailure

PAGE = (Path(__file__).parents[2] / "docs" / "plugin" / "writing-a-plugin.md").read_text(encoding="utf-8")


def table_under(heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [row.split("|") for row in section.splitlines() if row.startswith("| `")]
    return {row[1].strip(" `"): row[2].strip() for row in rows}


async def test_the_plugin_of_the_page_runs(tmp_path: Path, make_item: Callable[[str], Item]) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (folder / "word_count.py").write_text(source)
    vault = VaultPlugins(folder, tmp_path / "private", lambda _: True)
    catalogue = load_plugins(vault=vault, settings={"word-count": {"longest": 2}})
    (processor,) = [processor for processor in catalogue.processors if processor.name == "word-count"]
    item = make_item("a plugin in one file is a plugin")
    broken = make_item("")
    broken.path.write_bytes(b"\xff\xfe")
    async with Host(env=os.environ) as host:
        replies = await host.run(processor, [item, broken])
    assert replies == [
        Done(Result(fields={"word_count": 8}, sections=(Section("Longest words", "- plugin\n- file"),))),
        PluginFailure("word-count", broken.label, "not written in UTF-8"),
    ]


def test_the_test_of_the_page_passes(tmp_path: Path) -> None:
    (plugin,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (test,) = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "word_count.py").write_text(plugin)
    (tmp_path / "test_word_count.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in ran.stdout, ran.stdout


def test_every_declaration_is_on_the_page_with_its_default() -> None:
    declared = {name for name in Plugin.__annotations__ if name != "config_type"}
    rows = table_under("What a plugin declares")
    assert set(rows) == declared
    for name in ("band", "bound", "sees"):
        assert rows[name] == f'`"{getattr(Plugin, name)}"`'
    for name in ("time_limit", "batch", "processes", "api"):
        assert rows[name] == f"`{getattr(Plugin, name)}`"
    assert (Plugin.memory_limit, rows["memory_limit"], API_VERSION) == (2**30, "1 GiB", 1)
    assert all(f"`{kind}`" in PAGE for kind in get_args(FileKind))


def test_every_part_of_a_result_is_on_the_page() -> None:
    assert set(table_under("Input and results")) == set(Result.__struct_fields__)
    assert f"after {({5: 'five'})[HostLimits().failures]} failures in a row" in PAGE
