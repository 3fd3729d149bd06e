"""The demo world's vault as it was agreed on: every note to the byte, every attachment by its hash.

A note that comes out otherwise fails here. The recorder writes the new tree AND fails, so that somebody reads the
diff before it is committed:

    TOBS_RECORD=1 python -m pytest tests/golden && git diff tests/golden
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.harness import sandbox, tree

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


def record(golden: Path, found: dict[str, bytes]) -> None:
    """Put the tree that was found in place of the agreed one."""
    shutil.rmtree(golden, ignore_errors=True)
    for name, content in found.items():
        path = golden / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


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


@pytest.mark.parametrize("layout", sorted(FOLDERS))
def test_the_demo_vault_is_the_one_agreed_on(layout: str, tmp_path: Path) -> None:
    golden, found = Path(__file__).parent / FOLDERS[layout], exported(tmp_path, layout)
    agreed = {path.relative_to(golden).as_posix(): path.read_bytes() for path in golden.rglob("*") if path.is_file()}
    if os.environ.get("TOBS_RECORD"):
        record(golden, found)
        pytest.fail("recorded; read `git diff tests/golden`, commit what is right, and run without TOBS_RECORD")
    assert sorted(found) == sorted(agreed), "files came or went; see the head of this file for how to record"
    changed = [name for name, content in found.items() if agreed[name] != content]
    for name in changed[:1]:
        assert found[name].decode() == agreed[name].decode(), name
    assert changed == []
