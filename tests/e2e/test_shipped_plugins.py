"""Shipped plugins that need more than they have by themselves, in the product: a model, an address."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pillow_heif
from PIL import Image

from tests.e2e.conftest import Serve
from tests.e2e.exported import export_folder
from tests.e2e.harness import stamps
from tests.plugin.box import SECRET, serving
from tests.plugin.test_links import serving_web
from tests.plugin.test_transcode import lottie, media
from tests.plugin.weights import tiny_en
from tests.plugin.words import word_errors

VOICE = Path(__file__).parents[1] / "data" / "voice"
PHOTO = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data" / "photos" / "cake.jpg"


def test_voice_messages_are_written_down_once(serve: Serve, tmp_path: Path) -> None:
    world, vault, name = tmp_path / "world", tmp_path / "vault", "vm-instructions.oga"
    (world / "voice").mkdir(parents=True)
    shutil.copyfile(VOICE / name, world / "voice" / name)
    voice = {"media_type": "voice_message", "mime_type": "audio/ogg", "duration_seconds": 7}
    served = serve(str(export_folder(world, [(f"voice/{name}", voice), (f"voice/{name}", voice)])))
    env = {"TOBS_PLUGIN_WHISPER_MODEL": str(tiny_en())}
    first = served.tobs("export", served.target, "--vault", str(vault), "--json", **env)
    counts = first.json["processors"]["whisper"]
    assert first.code == 0 and (counts["done"], counts["failed"]) == (1, 0), first.stderr
    said = {voice["file"]: voice["text"] for voice in json.loads((VOICE / "transcripts.json").read_text())}
    (media,) = [path.relative_to(vault).as_posix() for path in vault.glob("Telegram/Files/media/*.ogg")]
    notes = [note.read_text(encoding="utf-8") for note in vault.glob("Telegram/Files/20*/*/*.md")]
    assert len(notes) == 2
    for note in notes:
        transcript = note.split("### Transcript\n\n")[1].split("\n\n")[0]
        assert word_errors(said[name], transcript) <= 2
        assert f"\n> - 0:03 ![[{media}#t=3]] You may quit " in note
    (audio,) = vault.glob("Telegram/Audio/*.md")
    assert '\ntranscript_language: "en"\n' in audio.read_text(encoding="utf-8")
    # What was written down is not written down again, and nothing is touched.
    before = stamps(vault)
    again = served.tobs("export", served.target, "--vault", str(vault), "--json", **env)
    assert again.json["processors"].get("whisper", {}).get("done", 0) == 0
    assert stamps(vault) == before


def test_exports_are_told_of_and_a_trial_can_be_sent(serve: Serve, tmp_path: Path) -> None:
    with serving() as box:
        served = serve("synthetic:messages=30,chats=1,media=0,seed=5")
        vault = str(tmp_path / "vault")
        tell = {"TOBS_PLUGIN_NOTIFY_URLS": box.url}
        assert served.tobs("export", served.target, "--vault", vault, **tell).code == 0
        assert [each["title"] for each in box.got] == ["tobs export finished"]
        assert box.got[0]["message"].startswith("Messages: 30 new")
        # Nothing new, so no message; then a test message.
        assert served.tobs("export", served.target, "--vault", vault, **tell).code == 0
        assert len(box.got) == 1
        trial = served.tobs("plugins", "run", "notify", "--vault", vault, "--json", **tell)
        assert trial.json["said"] == "Sent to 1 address." and box.got[1]["title"] == "tobs: test message"
        # What cannot be sent is told in the report, and the secret is not.
        box.status = 500
        failed = served.tobs(
            "export", served.target, "--vault", vault, "--json", **tell, TOBS_PLUGIN_NOTIFY_WHEN="always"
        )
        assert failed.code == 1 and [each["what"] for each in failed.json["problems"]] == ["plugin notify"]
        assert SECRET not in json.dumps(failed.json) + failed.stderr


def test_files_that_obsidian_cannot_show_are_shown_in_another_form(serve: Serve, tmp_path: Path) -> None:
    world, vault = tmp_path / "world", tmp_path / "vault"
    (world / "files").mkdir(parents=True)
    media(world / "files" / "note.amr", sound="libopencore_amrnb", form="amr")
    media(world / "files" / "old.avi", film="mpeg4")
    lottie(world / "files" / "wave.tgs")
    with Image.open(PHOTO) as photo:
        pillow_heif.from_pillow(photo).save(world / "files" / "IMG_1.HEIC", quality=50)
    told = [
        ("files/note.amr", {"media_type": "audio_file", "mime_type": "audio/amr", "duration_seconds": 2}),
        ("files/old.avi", {"mime_type": "video/x-msvideo"}),
        ("files/wave.tgs", {"media_type": "sticker", "mime_type": "application/x-tgsticker"}),
        ("files/IMG_1.HEIC", {"mime_type": "image/heic"}),
    ]
    served = serve(str(export_folder(world, told)))
    done = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert done.code == 0 and done.json["processors"]["transcode"]["done"] == 4, done.stderr
    notes = "\n".join(note.read_text(encoding="utf-8") for note in vault.glob("Telegram/Files/20*/*/*.md"))
    shown = {Path(path).name for path in re.findall(r"!\[\[([^\]|]+)\]\]", notes)}
    files = {path.name for path in (vault / "Telegram" / "Files" / "media").iterdir()}
    assert {Path(name).suffix for name in shown} == {".mp3", ".mp4", ".webp", ".jpg"} and shown <= files
    assert {Path(name).suffix for name in files} >= {".amr", ".avi", ".tgs", ".heic"}, "the originals stay"


def test_pages_behind_links_become_notes(serve: Serve, tmp_path: Path) -> None:
    world, vault = tmp_path / "world", tmp_path / "vault"
    with serving_web() as web:
        text = {"type": "text_link", "text": "read this", "href": web.url("/", "127.0.0.1")}
        messages = [
            {
                "id": n,
                "type": "message",
                "date_unixtime": str(1_700_000_000 + n),
                "text": [text],
                "text_entities": [text],
            }
            for n in (1, 2)
        ]
        world.mkdir()
        exported = {"name": "Links", "type": "public_channel", "id": 89, "messages": messages}
        (world / "result.json").write_text(json.dumps(exported), encoding="utf-8")
        served = serve(str(world))
        # Off until asked for, and then not in the own network.
        assert served.tobs("export", served.target, "--vault", str(tmp_path / "v0")).code == 0
        refused = served.tobs("export", served.target, "--vault", str(tmp_path / "v1"), TOBS_PLUGINS_ON="links")
        assert refused.code == 0 and web.asked == []
        done = served.tobs("export", served.target, "--vault", str(vault), "--json", TOBS_PLUGIN_LINKS_PRIVATE="true")
        assert done.code == 0 and len(web.asked) == 1, done.stderr
    (page,) = vault.glob("Telegram/Pages/*.md")
    copied = page.read_text(encoding="utf-8")
    assert page.stem == "Relays & rooms" and "## The night room" in copied and "[[" not in copied.split("---")[2]
    notes = [note.read_text(encoding="utf-8") for note in vault.glob("Telegram/Links/20*/*/*.md")]
    assert len(notes) == 2 and all("[[Telegram/Pages/Relays & rooms" in note for note in notes)
    (away,) = {
        note.read_text().count("is no public address") for note in (tmp_path / "v1").glob("Telegram/Links/20*/*/*.md")
    }
    assert away == 1
