"""Links between messages: to what is in the vault, to what comes later, and across chats."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e import judge
from tests.e2e.harness import tree
from tests.e2e.in_process import serve_in_process
from tests.e2e.judge import Vault


@pytest.mark.parametrize("layout", ["message", "day"])
def test_a_link_to_a_message_that_comes_later_becomes_a_wikilink(layout: str, tmp_path: Path) -> None:
    root = tmp_path / "vault"
    with serve_in_process(tmp_path, "synthetic:messages=12,chats=2,seed=3") as served:
        first, second = (str(target) for target in served.ready["targets"])
        text = f"Now t.me/{second[1:]}/5, then https://t.me/{first[1:]}/8, never https://t.me/{first[1:]}/999"
        assert served.control("/messages", {"chat": first, "text": text})["id"] == 7

        def told() -> str:
            (body,) = (body for body in Vault(root).bodies.values() if "never https" in body)
            found = re.search(r"Now .*", body)
            assert found
            return found[0]

        def export(*targets: str) -> None:
            done = served.tobs("export", *targets, "--vault", str(root), "--layout", layout, TZ="UTC")
            assert done.code == 0, done.stderr

        export(first)
        assert "[[" not in told()
        export(second)
        assert re.match(r"Now \[\[Telegram/[^]|]+\|t\.me/\w+/5\]\], then https://t\.me/", told())
        served.control("/messages", {"chat": first, "text": "The target."})
        assert served.tobs("sync", "--vault", str(root)).code == 0
        assert re.search(r"then \[\[Telegram/[^]|]+\|https://t\.me/\w+/8\]\], never https://t\.me/\w+/999$", told())
        assert (layout == "day") == ("#^m8|" in told())
        assert judge.link_faults(Vault(root)) == []
        before = tree(root)
        export(first, second)
        assert tree(root) == before
