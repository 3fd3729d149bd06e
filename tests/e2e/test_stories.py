"""Stories by the real command: messages of a kind of their own, with ids that meet no message's."""

from __future__ import annotations

import time
from pathlib import Path

from telethon.tl.alltlobjects import LAYER

from tests.e2e.conftest import Serve
from tests.e2e.harness import stamps
from tests.e2e.test_chats import archived, export, notes
from tobs.archive import open_archive
from tobs.model import MessageKey, stories_of
from tobs.sandbox import open_world
from tobs.sandbox.worlds.community import ADA, ME, POST
from tobs.telegram.convert.stories import story_of
from tobs.telegram.net.reader import parse


def test_stories_come_with_their_media_and_meet_no_message(serve: Serve, tmp_path: Path) -> None:
    served, vault, world = serve("community"), tmp_path / "vault", open_world("community")
    export(served, vault, "@ada_north_garden", "@garden_post", "me", "--stories")
    pinned = {peer: sorted(id for id, story in world.stories[peer].items() if story.pinned) for peer in (ADA, POST)}
    found, told = archived(vault), notes(vault)
    assert found[stories_of(ADA)] == pinned[ADA] and found[stories_of(POST)] == pinned[POST], "what others may see"
    assert found[stories_of(ME)] == sorted(world.stories[ME]), "one's own archive is whole: more than a page"
    assert f"{POST}/1" in told and f"{POST}/story/1" in told, "message 1 and story 1"
    for id in pinned[ADA]:
        path = told[f"{ADA}/story/{id}"]
        text = path.read_text(encoding="utf-8")
        assert path.relative_to(vault).as_posix().startswith("Telegram/Ada North/Stories/2024/")
        assert f'link: "https://t.me/ada_north_garden/s/{id}"' in text and f"story_id: {id}\n" in text
        picture = vault / text.partition('media:\n  - "[[')[2].partition("]]")[0]
        photo = world.stories[ADA][id].media.photo
        blob = world.files.open("photo", photo.id, "x")
        assert picture.read_bytes() == blob.read(0, blob.size)
    with open_archive(vault / ".tobs/archive.db", clock=time.time, read_only=True) as archive:
        for peer in (ADA, POST, ME):
            for id in found[stories_of(peer)]:
                raw = archive.raw.of(key := MessageKey.of(ME, stories_of(peer), id))
                assert raw is not None and raw.layer == LAYER, "what Telegram sent is kept"
                assert story_of(parse(raw.data).stories[raw.index], peer) == archive.messages.get(key)
    before = stamps(vault)
    assert export(served, vault, "@ada_north_garden", "--stories").json["messages"]["new"] == 0
    assert stamps(vault) == before
    shown = [served.control("/stories", {"chat": "@ada_north_garden", "text": text})["id"] for text in ("one", "two")]
    served.control("/expire", {})
    again = export(served, vault, "@ada_north_garden", "--stories").json
    assert again["messages"]["new"] == 2 and again["media"]["downloaded"] == 2, "shown now, not on the profile"
    assert set(archived(vault)[stories_of(ADA)]) == {*pinned[ADA], *shown}
