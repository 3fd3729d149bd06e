"""People of whom the owner has notes of their own."""

from __future__ import annotations

from pathlib import Path

from tests.e2e import judge
from tests.e2e.conftest import Serve
from tests.e2e.harness import stamps
from tests.e2e.judge import Vault


def senders(root: Path) -> set[str]:
    return {each["sender"] for each in Vault(root).properties.values() if "sender" in each}


def test_links_go_to_the_owners_own_note_and_no_second_one_is_made(serve: Serve, tmp_path: Path) -> None:
    served, root = serve("demo"), tmp_path / "vault"
    group, own = served.ready["targets"][1], root / "Friends" / "Marta.md"
    own.parent.mkdir(parents=True)
    own.write_text('---\ntelegram: "@Marta_Brandt"\n---\nThe historian.\n')

    assert served.tobs("export", group, "--vault", str(root)).code == 0
    people = root / "Telegram" / "People"
    assert not (people / "Marta Brandt.md").exists() and (people / "Jonas Adler.md").exists()
    assert "[[Friends/Marta|Marta Brandt]]" in senders(root)
    assert judge.link_faults(Vault(root)) == []

    before = stamps(root)
    assert served.tobs("export", group, "--vault", str(root)).code == 0
    assert stamps(root) == before

    # A note that comes later is found by the next run, here by the person's number.
    (root / "Jonas.md").write_text("---\ntelegram: 770000003\n---\n")
    assert served.tobs("export", group, "--vault", str(root)).code == 0
    assert "[[Jonas|Jonas Adler]]" in senders(root)
    assert "[[Telegram/People/Jonas Adler|Jonas Adler]]" not in senders(root)
    assert own.read_text() == '---\ntelegram: "@Marta_Brandt"\n---\nThe historian.\n'
