"""The page of each shipped plugin: what it needs, how it is set, what comes of it (its options: test_catalogue.py)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tobs.plugin import Plugin
from tobs.plugin.loading import load_module, plugin_classes

PLUGINS = Path(__file__).parents[2] / "plugins" / "tobs_plugins"
SHIPPED = sorted(folder.name for folder in PLUGINS.iterdir() if (folder / "plugin.py").is_file())


@pytest.fixture(params=SHIPPED)
def page(request: pytest.FixtureRequest) -> tuple[type[Plugin[object]], str]:
    """A plugin and its page."""
    (plugin,) = plugin_classes(load_module(f"tobs_plugins.{request.param}", ""))
    return plugin, (PLUGINS / request.param / "README.md").read_text(encoding="utf-8")


def test_the_plugin_has_tests(page: tuple[type[Plugin[object]], str]) -> None:
    plugin, text = page
    assert text.startswith(f"# {plugin.name}\n")
    assert (Path(__file__).parent / f"test_{plugin.name.replace('-', '_')}.py").is_file()


def test_the_page_shows_how_it_is_set_and_what_comes_of_it(page: tuple[type[Plugin[object]], str]) -> None:
    plugin, text = page
    assert f"[plugins.{plugin.name}]" in text or f"TOBS_PLUGIN_{plugin.name.upper()}_" in text
    assert "\n## For example\n" in text, "what ends up in a note, or elsewhere"
    _, example = text.split("\n## For example\n")
    assert "```" in example


def test_the_page_tells_what_to_install(page: tuple[type[Plugin[object]], str]) -> None:
    plugin, text = page
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (PLUGINS / plugin.__module__.split(".")[1]).glob("*.py")
    )
    for command in re.findall(r'Requirement\(.*?"(pip install [^"{]+)"', source):
        if command != "pip install mutagen":  # it comes with tobs
            assert f"`{command}`" in text or f"\n{command}\n" in text, command
