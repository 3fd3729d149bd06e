"""A real public channel, served live from its Telegram Desktop export, exported and judged.

Runs only where the export lies beside the project: ``TOBS_SHARED`` names the folder that has ``data/``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import judge
from tests.e2e.harness import sandbox
from tests.e2e.judge import Vault

_SHARED = os.environ.get("TOBS_SHARED", "")
_EXPORT = Path(_SHARED or ".", "data", "telegram-desktop-public-channel-ar-en.json")

pytestmark = pytest.mark.skipif(not (_SHARED and _EXPORT.is_file()), reason="TOBS_SHARED has no export of a channel")

_INVISIBLE = re.compile("[\u200b\ufeff\\s]")
# NoteProperties that are text here and Markdown there. (The alias of a wikilink cannot have a `|`: it has a `/`.)
_LAX = re.compile("[*`~\\\\\u200b\ufeff\\s]")


@pytest.fixture(scope="module")
def source() -> dict[int, dict[str, Any]]:
    """The messages of the export by id."""
    return {each["id"]: each for each in json.loads(_EXPORT.read_text("utf-8"))["messages"]}


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    folder = tmp_path_factory.mktemp("real")
    with sandbox(folder / "sandbox", str(_EXPORT)) as served:
        served.login()
        options = ("--profile", "aggressive", "--vault", str(folder / "vault"), "--json")
        done = served.tobs("export", served.target, *options, TZ="UTC")
        assert done.code == 0, done.stderr
        assert done.json["problems"] == []
        yield Vault(folder / "vault")


def notes(vault: Vault) -> dict[int, str]:
    """Name of each message's note by id."""
    return {each["message_id"]: name for name, each in vault.of_kind(r"-?\d+/\d+").items()}


def test_every_message_has_its_note(vault: Vault, source: dict[int, dict[str, Any]]) -> None:
    assert sorted(notes(vault)) == sorted(source)


def _plain(markdown: str) -> str:
    """Markdown without its marks: what a reader sees, without spaces."""
    text = re.sub(r"\[\[[^\]|]*\|([^\]]*)\]\]", r"\1", markdown)
    text = re.sub(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\((?:<[^>]*>|[^)\s]*)\)", r"\1", text)
    text = re.sub(r"</?(?:u|b|i|span)[^>]*>", "", text)
    text = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), text).replace("&nbsp;", " ")
    text = re.sub(r"^>(?: \[!quote\]-)? ?", "", text, flags=re.M)
    text = re.sub(r"<(https?://[^>\s]*)>", r"\1", text)
    text = re.sub(r"(?<!\\)(?:\*+|~~|`+)", "", text)
    return _INVISIBLE.sub("", re.sub(r"\\([^\w\s])", r"\1", text))


def test_every_word_of_a_message_stands_in_its_note(vault: Vault, source: dict[int, dict[str, Any]]) -> None:
    named = notes(vault)
    for number, message in source.items():
        words = "".join(part["text"] for part in message.get("text_entities", ()))
        wanted = _LAX.sub("", words).replace("|", "/")
        found = _LAX.sub("", _plain(vault.bodies[named[number]])).replace("|", "/")
        assert wanted in found, f"message {number}"


def test_every_file_is_told_as_not_there(vault: Vault, source: dict[int, dict[str, Any]]) -> None:
    named = notes(vault)
    for number, message in source.items():
        if "file" in message or "photo" in message:
            assert re.search(r"not available|not downloaded", vault.bodies[named[number]]), f"message {number}"


def test_what_is_bold_is_bold(vault: Vault, source: dict[int, dict[str, Any]]) -> None:
    named = notes(vault)
    for number, message in source.items():
        for part in message.get("text_entities", ()):
            if part["type"] == "bold" and re.fullmatch(r"[A-Za-z ]{4,}", part["text"].strip()):
                assert re.search(
                    rf"(?:\*\*|<b>).*?{re.escape(part['text'].strip())}", vault.bodies[named[number]], re.S
                )


@pytest.mark.parametrize(
    "faults",
    [
        judge.front_matter_faults,
        judge.type_faults,
        judge.link_faults,
        judge.duplicate_faults,
        judge.tag_faults,
        judge.code_faults,
    ],
    ids=lambda judged: judged.__name__,
)
def test_a_judge_has_nothing_to_say(vault: Vault, faults: Callable[[Vault], list[str]]) -> None:
    assert faults(vault) == []


def test_hvk_and_the_names_are_content(vault: Vault, tmp_path: Path) -> None:
    assert judge.hvk(vault, tmp_path, "scan")["errors"] == 0
    assert judge.hvk(vault, tmp_path, "links", "--broken") == []
    assert judge.name_faults(vault.files) == []


def test_links_of_the_channel_to_its_own_posts_lead_to_their_notes(vault: Vault) -> None:
    named = notes(vault)
    advice = vault.bodies[named[167]]
    assert f"[[{named[59].removesuffix('.md')}|Have your Father’s Knowledge With You]]" in advice
    assert "t.me/uponthepathofsalaf/" not in "".join(vault.bodies[named[number]] for number in (165, 166, 167))
