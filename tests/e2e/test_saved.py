"""Saved Messages by the real command: sub-dialogs and tags."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.test_chats import export, notes
from tobs.sandbox.worlds.community import ME


def test_saved_messages_tell_where_they_are_from_and_their_tags(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    export(served, vault, "me")
    told = notes(vault)
    texts = {name: path.read_text(encoding="utf-8") for name, path in told.items()}
    own, from_ada, hidden = texts[f"{ME}/1000"], texts[f"{ME}/1001"], texts[f"{ME}/1003"]
    assert "saved_from" not in own and 'saved_from: "Ada North"' in from_ada and "Author Hidden" in hidden
    assert 'tags:\n  - "to-do-soon"\n  - "❤"\n' in own, "a title where there is one, else the emoji"
    assert "reactions:" not in own, "a tag is no reaction"
    assert "## Saved from\n" in texts[str(ME)] and "- Ada North (10 messages)" in texts[str(ME)]
    served.control("/tags", {"emoji": "❤", "title": "loved"})
    served.control("/tags", {"emoji": "📌", "id": 1039})
    again = export(served, vault, "me").json
    assert again["messages"] == {"fetched": 40, "new": 0, "edited": 1, "deleted": 0, "skipped": 0}
    assert '  - "loved"\n' in told[f"{ME}/1000"].read_text(encoding="utf-8")
    assert '  - "to-do-soon"\n' in told[f"{ME}/1039"].read_text(encoding="utf-8"), "tagged later"
