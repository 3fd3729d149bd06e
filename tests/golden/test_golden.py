"""The demo world's vault as it was agreed on: every note to the byte, every attachment by its hash.

A note that comes out otherwise fails here. The recorder writes the new tree AND fails, so that somebody reads the
diff before it is committed:

    python -m pytest tests/golden --snapshot-update; git diff tests/golden
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.e2e.harness import sandbox, tree
from tests.golden.trees import TreeExtension

FOLDERS = {"message": "demo", "day": "demo-day"}
LISTING = "attachments.txt"
_TEXT = (".md", ".json", ".css", ".base")


def golden_form(vault: dict[str, bytes]) -> dict[str, bytes]:
    """The texts of a vault, and a listing of all other files: hash, size, path."""
    texts = {name: content for name, content in vault.items() if name.endswith(_TEXT)}
    lines = [
        f"{hashlib.sha256(content).hexdigest()[:16]} {len(content):>7} {name}\n"
        for name, content in sorted(vault.items())
        if name not in texts
    ]
    return texts | {LISTING: "".join(lines).encode()}


def exported(folder: Path, layout: str) -> dict[str, bytes]:
    """Channel and group of the demo world as the golden form has them."""
    with sandbox(folder / "sandbox", "demo") as served:
        served.login()
        # Other plugins need extras, which a machine may lack.
        plugins = [item["name"] for item in served.tobs("plugins", "list", "--json").json["items"]]
        off = ",".join(name for name in plugins if name != "tags")
        env = {"TZ": "UTC", "TOBS_TIMEZONE": "UTC", "LANG": "C.UTF-8", "TOBS_PLUGINS_OFF": off}
        options = ("--layout", layout, "--vault", str(folder / "vault"))
        done = served.tobs("export", *served.ready["targets"], *options, **env)
        assert done.code == 0, done.stderr
    return golden_form(tree(folder / "vault"))


def require_agreed(snapshot: SnapshotAssertion, name: str, found: dict[str, bytes]) -> None:
    """Fail where ``found`` is not the tree ``name`` beside this test, and where that was recorded just now."""
    trees = snapshot.use_extension(TreeExtension)
    assert trees(name=name) == found
    if any(one.created or one.updated for one in trees.executions.values()):
        pytest.fail("recorded; read `git diff tests/golden`, commit what is right, and run without --snapshot-update")


@pytest.mark.parametrize("layout", sorted(FOLDERS))
def test_the_demo_vault_is_the_one_agreed_on(layout: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    require_agreed(snapshot, FOLDERS[layout], exported(tmp_path, layout))
