"""What is written about tobs is about this tobs."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest

from docs.pictures.make import MOST_BYTES, PANES
from tests.architecture.source import MODULES, PAGES, REPO, anchors, name_of
from tests.make_reference import commands, generated
from tobs import errors
from tobs.config.settings import Settings
from tobs.sandbox.faults import Action

#: Settings that change nothing yet; the README says so.
WITHOUT_EFFECT = {"proxy"}


@pytest.mark.parametrize("path", sorted(generated()))
def test_what_is_generated_is_current(path: str) -> None:
    assert (REPO / path).read_text(encoding="utf-8") == generated()[path], "run `make reference`"


def test_every_command_option_and_setting_is_in_the_reference() -> None:
    page = generated()["docs/reference/commands.md"]
    for name, command in commands():
        assert f"## `tobs {name}" in page
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("-"))
    settings = generated()["docs/reference/settings.md"]
    assert all(f"`{name}`" in settings for name in Settings.model_fields)


def test_every_command_has_a_help_text_and_so_has_every_option() -> None:
    for name, command in commands():
        assert command.help, name
        assert [parameter.name for parameter in command.params if not parameter.help] == [], name


def test_every_setting_has_an_effect() -> None:
    read = {
        name
        for path in MODULES
        if "sandbox" not in path.parts and path.name not in ("settings.py", "describe.py")
        for name in re.findall(r"\b(?:settings|first)\.(\w+)", path.read_text(encoding="utf-8"))
    }
    read |= {"workers", "downloads", "batch", "memory", "timeout", "flood_threshold"}  # profiles.py reads them by name
    without = set(Settings.model_fields) - read
    assert without <= WITHOUT_EFFECT
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in without)


def test_commands_in_the_pages_exist() -> None:
    known = {name for name, _ in commands()} | {name.split()[0] for name, _ in commands()}
    for page in PAGES:
        if page.name in ("CHANGELOG.md", "commands.md"):
            continue
        for found in _commands_of(page.read_text(encoding="utf-8")):
            assert found in known, f"{name_of(page)}: tobs {found}"


def _commands_of(text: str) -> list[str]:
    """The commands in the shell blocks and in the inline code of a page: ``plugins list`` of ``tobs plugins list``."""
    blocks = [block for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M) if kind in ("", "sh")]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", prose)
    found = (re.match(r"tobs ((?:(?:plugins|config|sandbox) )?[a-z]+)", line) for line in lines)
    return [one[1] for one in found if one]


def test_the_exit_codes_of_the_pages_are_those_of_the_errors() -> None:
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.TobsError)
    }
    page = (REPO / "docs/user/troubleshooting.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)} == codes | {0}


def test_messages_on_the_page_of_troubles_are_those_of_the_code() -> None:
    page = (REPO / "docs/user/troubleshooting.md").read_text(encoding="utf-8")
    source = " ".join(path.read_text(encoding="utf-8") for path in MODULES)
    quoted = [row for table in page.split("| it says | |\n|---|---|\n")[1:] for row in _rows(table)]
    assert len(quoted) > 20
    for row in quoted:
        for part in re.split(r" · |…|`[^`]*`|'|\d+ %?", row.split(" | ")[0].strip("| ")):
            if len(part.strip(" .'")) > 7:
                assert part.strip(" .'") in source, part


def _rows(table: str) -> list[str]:
    return list(itertools.takewhile(lambda line: line.startswith("|"), table.splitlines()))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    text = re.sub(r"`[^`\n]*`", "", text)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(REPO.resolve()), f"{link} leads out of the repository"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{link} names no heading"


def test_files_named_in_the_architecture_exist() -> None:
    for name in ("architecture.md", "testing.md", "sandbox.md"):
        page = re.sub(r"^```.*?^```", "", (REPO / "docs/dev" / name).read_text(encoding="utf-8"), flags=re.S | re.M)
        for path in re.findall(r"`((?:\w+/)*\w+\.py)`", page):
            assert any((REPO / root / path).exists() for root in ("", "tobs", "tobs/sandbox")), f"{name}: {path}"


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, pending = set(), [REPO / "README.md", REPO / "docs/index.md"]
    while pending:
        page = pending.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        pending += [(page.parent / unquote(link)).resolve() for link in links if ":" not in link]
    # A plugin's page is found beside the plugin.
    assert [name_of(page) for page in PAGES if page not in seen and "plugins" not in page.parts] == []


def test_the_picture_shows_notes_of_the_demo_vault_and_is_small() -> None:
    agreed = REPO / "tests/golden/demo"
    assert [pane.path for pane in PANES if not (agreed / pane.path).exists()] == [], "choose others, make it again"
    assert (REPO / "docs/pictures/vault.png").stat().st_size < MOST_BYTES


def test_the_page_of_the_sandbox_tells_every_route_fault_option_and_world() -> None:
    page = (REPO / "docs/dev/sandbox.md").read_text(encoding="utf-8")
    control = "".join(
        (REPO / f"tobs/sandbox/{name}.py").read_text(encoding="utf-8") for name in ("control", "world_routes")
    )
    routes = re.findall(r'\("(GET|POST)", "(/[\w-]+)"\)', control)
    assert len(routes) > 5
    assert [route for route in routes if f"`{' '.join(route)}" not in page] == []
    assert [action for action in get_args(Action) if not re.search(rf"^\| `{action}\b", page, re.M)] == []
    assert set(re.findall(r"^\| `(demo|chats|community|synthetic)\b", page, re.M)) == {
        "demo",
        "chats",
        "community",
        "synthetic",
    }
