"""``autolink``: what is written in chats leads to the owner's own notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tobs.errors import ConfigError
from tobs.plugin import RenderedNote
from tobs.plugin.configuration import read_config
from tobs_plugins.autolink import Autolink, AutolinkConfig
from tobs_plugins.autolink.linking import Titles, add_links

TITLES = Titles(
    {
        "Ada": "Notes/Ada",
        "Ada Lovelace": "Notes/People/Ada Lovelace",
        "Relay": "Relay",
        "C++ (old)": "Notes/C++ (old)",
        "a|b": "Notes/a|b",
    }
)
ADA, LOVELACE = "[[Notes/Ada|Ada]]", "[[Notes/People/Ada Lovelace|Ada Lovelace]]"

CASES = {
    "Ask Ada about it, Ada knows": f"Ask {ADA} about it, Ada knows",
    "Ada Lovelace and Ada": f"{LOVELACE} and {ADA}",
    "The Relay.": "The [[Relay]].",
    "ada, ADA, Adam, Canada, Ada_1": "ada, ADA, Adam, Canada, Ada_1",
    "**Ada**, *Relay*!": f"**{ADA}**, *[[Relay]]*!",
    "in C++ (old) and more": "in [[Notes/C++ (old)|C++ (old)]] and more",
    "`Ada` ``Ada ` Ada`` Ada": f"`Ada` ``Ada ` Ada`` {ADA}",
    "```py\nAda\n```\nAda": f"```py\nAda\n```\n{ADA}",
    "> ```\n> Ada\n> ```\n> Ada": f"> ```\n> Ada\n> ```\n> {ADA}",
    "[Ada](https://a.b/Relay) https://a.b/Ada": "[Ada](https://a.b/Relay) https://a.b/Ada",
    "[[Other/Ada|Ada]] is Ada": f"[[Other/Ada|Ada]] is {ADA}",
    "[[Notes/Ada|her]] is Ada": "[[Notes/Ada|her]] is Ada",
    "![[Ada.png]] #Ada @Ada ada@Ada.org $Ada$ %%Ada%% <b title=Ada>": (
        "![[Ada.png]] #Ada @Ada ada@Ada.org $Ada$ %%Ada%% <b title=Ada>"
    ),
    "## Ada\n\nAda": f"## Ada\n\n{ADA}",
    "> [!quote] Ada\n> Ada": f"> [!quote] Ada\n> {ADA}",
    "Ada, 12:03 ^m7\n\nAda": f"Ada, 12:03 ^m7\n\n{ADA}",
    "| Ada | Relay |\n|---|---|": "| Ada | Relay |\n|---|---|",
    "costs $5, Ada has $6": f"costs $5, {ADA} has $6",
    "a|b": "a|b",
}


@pytest.mark.parametrize("text", CASES)
def test_the_first_mention_becomes_a_link_and_nothing_else_changes(text: str) -> None:
    assert add_links(text, TITLES) == CASES[text]
    assert add_links(CASES[text], TITLES) == CASES[text], "once is enough"


def note(vault: Path, body: str, kind: str = "message") -> RenderedNote:
    return RenderedNote("Telegram/Chat/1.md", kind, body, vault)


def test_titles_are_those_of_the_folders_asked_for(tmp_path: Path) -> None:
    for path in (
        "Notes/Relay.md",
        "Notes/sub/Three Rooms.md",
        "Notes/.hidden/Moon.md",
        "Other/Star.md",
        "Notes/Ada.md",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    plugin = Autolink(AutolinkConfig(folders=("Notes", "Later")))
    body = "Relay, Three Rooms, Moon, Star, Ada, Comet"
    told = "[[Notes/Relay|Relay]], [[Notes/sub/Three Rooms|Three Rooms]], Moon, Star, Ada, "
    assert plugin.post_render(note(tmp_path, body)) == f"{told}Comet", "a title of three letters is too short"
    assert plugin.post_render(note(tmp_path, body, "chat")) is None, "lists of tobs stay as they are"
    assert plugin.post_render(note(tmp_path, "nothing")) is None

    (tmp_path / "Later").mkdir()
    (tmp_path / "Later" / "Comet.md").touch()
    assert plugin.post_render(note(tmp_path, body)) == f"{told}[[Later/Comet|Comet]]", "new notes are seen"
    assert Autolink(AutolinkConfig(folders=("Notes",), most=1)).post_render(note(tmp_path, body)) in (
        "[[Notes/Relay|Relay]], Three Rooms, Moon, Star, Ada, Comet",
    )


@pytest.mark.parametrize("folder", ["Telegram/People", "/etc", "a/../../b", ".tobs", ""])
def test_folders_that_are_not_the_owners_notes_are_refused(folder: str) -> None:
    with pytest.raises(ConfigError, match="is no folder of your own notes"):
        read_config("autolink", AutolinkConfig, {"folders": [folder]})


def test_a_link_out_of_the_vault_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "Secret.md").touch()
    (tmp_path / "vault" / "Notes").mkdir(parents=True)
    (tmp_path / "vault" / "Notes" / "link").symlink_to(tmp_path / "outside")
    plugin = Autolink(AutolinkConfig(folders=("Notes",)))
    assert plugin.post_render(note(tmp_path / "vault", "Secret")) is None
