"""A vault in a cloud-synced folder: its archive lies elsewhere, and every command finds it there."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import ServeInProcess
from tests.e2e.harness import tree
from tests.e2e.test_merge import again

WORLD = "synthetic:messages=60,chats=1,media=0.2,seed=9"


def _databases(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.db*") if path.name.startswith("archive"))


def test_every_command_finds_the_archive_of_a_synced_vault(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    plain, vault = tmp_path / "plain", tmp_path / "Syncthing" / "vault"
    assert again(served, plain).json["remarks"] == []
    (tmp_path / "Syncthing" / ".stfolder").mkdir(parents=True)

    first = again(served, vault)
    assert first.code == 0, first.stderr
    assert [("Syncthing" in remark, "move-archive" in remark) for remark in first.json["remarks"]] == [(True, True)]
    assert tree(vault) == tree(plain), "notes and attachments are the same"
    assert _databases(vault) == []
    paths = served.tobs("vault", "paths", "--vault", str(vault), "--json").json
    archive = Path(paths["archive"])
    assert archive.is_file() and archive.parent == served.home / "vaults" / paths["id"]
    assert (paths["place"], paths["synced_by"]) == ("home", "Syncthing")
    assert str(served.home) not in (vault / ".tobs" / "vault.toml").read_text()

    second = again(served, vault)
    assert (second.json["messages"]["new"], second.json["remarks"]) == (0, [])
    for command in (
        ("sync", "--dry-run"),
        ("verify",),
        ("verify", "--repair"),
        ("undo", "--list"),
        ("plan", served.target),
        ("render", "--dry-run"),
        ("backup",),
        ("restore",),
        ("process", "--offline"),
    ):
        done = served.tobs(*command, "--vault", str(vault), "--json")
        assert done.code == 0, (command, done.stdout, done.stderr)
    assert served.tobs("watch", "--status", "--vault", str(vault), "--json").json == {"state": "not running"}
    assert _databases(vault) == []

    moved = served.tobs("vault", "move-archive", "--to", "vault", "--vault", str(vault), "--json")
    assert moved.code == 0, moved.stderr
    assert moved.json["moved"] and _databases(vault) != [] and not archive.exists()
    done = served.tobs("verify", "--vault", str(vault), "--json")
    assert done.json["ok"], done.stdout
    assert again(served, vault).json["remarks"] == [], "its owner wants it there"


def test_an_archive_in_a_folder_that_is_synced_now_stays_until_it_is_moved(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "files" / "vault"
    assert again(served, vault).code == 0
    (tmp_path / "files" / ".stfolder").mkdir()
    done = again(served, vault)
    assert (done.code, len(done.json["remarks"])) == (0, 1)
    assert "tobs vault move-archive" in done.json["remarks"][0]
    assert "archive.db" in _databases(vault)
    done = served.tobs("vault", "move-archive", "--vault", str(vault))
    assert (done.code, _databases(vault)) == (0, []), done.stderr
    done = again(served, vault)
    assert (done.json["messages"]["new"], done.json["remarks"]) == (0, [])
