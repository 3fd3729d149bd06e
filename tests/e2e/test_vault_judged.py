"""Vaults judged by parties that know nothing of tobs: hvk, npm's yaml, PyYAML, a resolver of links, rules for names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import judge
from tests.e2e.harness import sandbox
from tests.e2e.judge import Vault

WORLDS = {
    "demo": "demo",
    "synthetic": "synthetic:messages=2000,chats=1,media=0.05,seed=11",
    "days": str(Path(__file__).parents[1] / "data" / "tdesktop" / "traps"),
    "traps": str(Path(__file__).parents[1] / "data" / "tdesktop" / "traps"),
}
LAYOUTS = {"days": "day"}
JUDGES: tuple[Callable[[Vault], list[str]], ...] = (
    judge.type_faults,
    judge.link_faults,
    judge.duplicate_faults,
    judge.tag_faults,
    judge.code_faults,
    judge.embeds_apart,
)


@pytest.fixture(scope="module", params=sorted(WORLDS))
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault of every chat of a world, exported once."""
    folder = tmp_path_factory.mktemp(request.param)
    with sandbox(folder / "sandbox", WORLDS[request.param]) as served:
        served.login()
        chats = [str(chat["id"]) for chat in served.tobs("chats", "--json").json]
        layout = ("--layout", LAYOUTS.get(request.param, "message"))
        done = served.tobs("export", *chats, *layout, "--vault", str(folder / "vault"), TZ="UTC")
        assert done.code == 0, done.stderr
        yield Vault(folder / "vault")


@pytest.fixture(scope="module")
def index(vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vault as hvk has indexed it."""
    folder = tmp_path_factory.mktemp("index")
    scanned = judge.hvk(vault, folder, "scan")
    assert scanned["notes"] == len(vault.notes)
    assert scanned["errors"] == 0
    return folder


def test_the_vault_has_notes_of_every_kind(vault: Vault) -> None:
    for kind in (r"-?\d+/\d+(-\d\d){0,2}", r"-?\d+"):
        assert vault.of_kind(kind), kind
    if any(name.endswith(".mp3") for name in vault.files):
        assert vault.of_kind("audio/[0-9a-f]{64}")
    senders = [[each.get("sender", ""), *each.get("senders", ())] for each in vault.properties.values()]
    people = {sender for each in senders for sender in each if "/People/" in sender}
    assert len(vault.of_kind(r"person/\d+")) == len(people)


def test_hvk_finds_no_broken_and_no_ambiguous_link(vault: Vault, index: Path) -> None:
    assert judge.hvk(vault, index, "links", "--broken") == []
    assert judge.hvk(vault, index, "links", "--ambiguous") == []


def test_hvk_knows_the_properties_as_the_notes_have_them(vault: Vault, index: Path) -> None:
    known = {each["key"]: each["files"] for each in judge.hvk(vault, index, "props")}
    counted: dict[str, int] = {}
    for properties in vault.properties.values():
        for name in properties:
            counted[name] = counted.get(name, 0) + 1
    assert known == counted


def test_npm_yaml_and_pyyaml_read_every_front_matter_alike(vault: Vault) -> None:
    assert judge.front_matter_faults(vault) == []


@pytest.mark.parametrize("faults", JUDGES, ids=lambda judged: judged.__name__)
def test_a_judge_has_nothing_to_say(vault: Vault, faults: Callable[[Vault], list[str]]) -> None:
    assert faults(vault) == []


def test_every_name_can_be_kept_everywhere_and_linked_to(vault: Vault) -> None:
    assert judge.name_faults(vault.files) == []


def test_every_attachment_is_linked_from_a_note(vault: Vault) -> None:
    linked = {link for each in vault.properties.values() for link in each.get("media", ())}
    attachments = [name for name in vault.files if "/media/" in name]
    assert attachments
    assert [name for name in attachments if f"[[{name}]]" not in linked] == []


def test_every_message_note_tells_its_chat_sender_and_date(vault: Vault) -> None:
    for name, properties in vault.of_kind(r"-?\d+/\d+").items():
        assert properties["chat"].startswith("[[Telegram/"), name
        assert properties["date"][:10] == name.rpartition("/")[2][:10], name
        assert properties["tobs_id"].endswith(f"/{properties['message_id']}"), name
        assert name.rpartition("/")[2].split(" ")[1] == str(properties["message_id"]), name


@pytest.mark.long
@pytest.mark.parametrize(("layout", "least"), [("message", 18_000), ("day", 900), ("month", 30)])
def test_twenty_thousand_messages_are_judged_too(layout: str, least: int, tmp_path: Path) -> None:
    with sandbox(tmp_path / "sandbox", "synthetic:messages=20000,chats=1,media=0.02,seed=5") as served:
        served.login()
        export = ("export", served.target, "--layout", layout, "--vault", str(tmp_path / "vault"))
        done = served.tobs(*export, TZ="UTC", timeout=900)
        assert done.code == 0, done.stderr
        assert served.tobs("verify", "--vault", str(tmp_path / "vault"), timeout=900).code == 0
    large = Vault(tmp_path / "vault")
    assert len(large.notes) > least  # albums are one note
    for faults in JUDGES:
        assert faults(large)[:5] == [], faults.__name__
    assert judge.front_matter_faults(large)[:5] == []
    assert judge.name_faults(large.files)[:5] == []
    assert judge.hvk(large, tmp_path / "index", "scan")["errors"] == 0
    assert judge.hvk(large, tmp_path / "index", "links", "--broken") == []
    assert judge.hvk(large, tmp_path / "index", "links", "--ambiguous") == []


# The judges themselves: a judge that sees nothing is no judge.


def test_the_judges_see_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / ".obsidian" / "types.json").write_text('{"types": {"views": "number", "tobs_id": "text"}}')
    (tmp_path / "CON.md").write_text('---\ntobs_id: "1"\nviews: "3"\nnew: 1\n---\n![[gone.jpg]]\ntext #live {{ x }}\n')
    (tmp_path / "two.md").write_text('---\ntobs_id: "1"\nviews: 1e3\n---\n[[CON#^m5]] `[[code]]` \\[\\[no\\]\\]\n')
    bad = Vault(tmp_path)
    assert len(judge.type_faults(bad)) == 3
    assert [fault.partition(": ")[2] for fault in judge.link_faults(bad)] == [
        "[[gone.jpg]] is not there",
        "[[CON#^m5]] has no such place",
    ]
    assert judge.duplicate_faults(bad) and judge.tag_faults(bad) and judge.code_faults(bad) and judge.embeds_apart(bad)
    assert judge.name_faults(bad.files) == ["CON.md: 'CON.md'"]
    assert len(judge.front_matter_faults(bad)) == 1
