"""The tables over a vault, run by a party that knows nothing of tobs; and the notes of chats, which embed them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hvk.bases.base_file import load
from hvk.bases.run import run
from hvk.db import connect

from tests.e2e import judge
from tests.e2e.harness import Served, sandbox, stamps
from tests.e2e.judge import Vault

CHANNEL = "Telegram/The Old Exchange · Mill Lane 7/The Old Exchange · Mill Lane 7"


class Exported:
    """The demo world, exported in a layout with settings."""

    def __init__(self, served: Served, root: Path, env: dict[str, str]) -> None:
        self.served = served
        self.root = root
        self.env = env

    def export(self, *options: str) -> None:
        targets = self.served.ready["targets"]
        done = self.served.tobs("export", *targets, "--vault", str(self.root), *options, **self.env)
        assert done.code == 0, done.stderr


@pytest.fixture(scope="module", params=["message", "day"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp(request.param)
    env = {"TZ": "UTC"} | ({"TOBS_PROPERTY_PREFIX": "tg-", "TOBS_LANGUAGE": "de"} if request.param == "day" else {})
    with sandbox(folder / "sandbox", "demo") as served:
        served.login()
        made = Exported(served, folder / "vault", env)
        made.export("--layout", request.param)
        yield made


def test_every_view_of_every_base_is_executed(exported: Exported, tmp_path: Path) -> None:
    vault = Vault(exported.root)
    bases = [name for name in vault.files if name.endswith(".base")]
    assert len(bases) == 3
    judge.hvk(vault, tmp_path, "scan")
    with closing(connect(tmp_path / "index.sqlite")) as index:
        for name in bases:
            base = load(vault.files[name])
            for view in base.views:
                found = run(base, index, view.name)
                assert found.warnings == [], (name, view.name)
                assert found.total, (name, view.name)
                if view.group_by is not None:
                    assert len(found.groups) > 1 or "Mill Lane" in name, (name, view.name)
                    assert "(none)" not in [group for group, _ in found.groups], (name, view.name)


def test_cards_show_a_picture_where_there_is_one(exported: Exported, tmp_path: Path) -> None:
    """Of a recording its cover or waveform, of several files a picture among them."""
    vault = Vault(exported.root)
    judge.hvk(vault, tmp_path, "scan")
    shown = set()
    with closing(connect(tmp_path / "index.sqlite")) as index:
        base = load(vault.files["Telegram/Telegram.base"])
        for view in base.views:
            if view.type != "cards":
                continue
            view.order.append("formula.picture")
            for row in run(base, index, view.name).rows:
                picture = str(row["values"]["formula.picture"] or "")
                path = picture.strip("[]")
                assert path in vault.files, row["path"]
                shown.add((row["path"].partition("/Audio/")[1], path.rpartition(".")[2]))
    assert {("", "jpg"), ("/Audio/", "jpg"), ("/Audio/", "svg")} <= shown
    assert not {("/Audio/", "ogg"), ("/Audio/", "mp3")} & shown


def test_the_note_of_a_chat_tells_all_there_is(exported: Exported) -> None:
    vault = Vault(exported.root)
    body, head = vault.bodies[f"{CHANNEL}.md"], vault.properties[f"{CHANNEL}.md"]
    picture = head[("tg-" if exported.env.get("TOBS_LANGUAGE") else "") + "media"][0].strip("[]")
    assert vault.files[picture].stat().st_size > 1000
    assert f"![[{picture}]]" in body and f"![[{CHANNEL}.base]]" in body
    assert "The Old Exchange" in head["aliases"]
    assert "\\|2024]] | 212 |" in body and "\\|2025]] | 19 |" in body
    assert judge.link_faults(vault) == [] and judge.type_faults(vault) == []


def test_a_base_is_its_owners_once_they_touch_it(exported: Exported) -> None:
    chat, whole = exported.root / f"{CHANNEL}.base", exported.root / "Telegram" / "Telegram.base"
    chat.write_text("views: []\n")
    whole.unlink()
    before, index = stamps(exported.root), "Telegram/Telegram.md"
    exported.export()
    after = stamps(exported.root)
    assert after.pop(index) != before.pop(index) and "![[" not in (exported.root / index).read_text(encoding="utf-8")
    assert after == before
    assert chat.read_text() == "views: []\n"
