"""Shipped plugins that need more than they have by themselves, in the product: a model, an address."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.harness import stamps
from tests.plugin.box import SECRET, serving
from tests.plugin.weights import tiny_en
from tests.plugin.words import word_errors

VOICE = Path(__file__).parents[1] / "data" / "voice"


def test_voice_messages_are_written_down_once(serve: Serve, tmp_path: Path) -> None:
    served = serve("demo")
    vault = tmp_path / "vault"
    env = {"TOBS_PLUGIN_WHISPER_MODEL": str(tiny_en()), "TOBS_PLUGINS_OFF": "cover,waveform,transcode,text"}
    first = served.tobs("export", served.target, "--vault", str(vault), "--json", **env)
    assert first.code == 0 and first.json["processors"]["whisper"]["failed"] == 0, first.stderr
    done = first.json["processors"]["whisper"]["done"]
    said = {voice["file"]: voice["text"] for voice in json.loads((VOICE / "transcripts.json").read_text())}
    (note,) = vault.glob("Telegram/*/2024/03/2024-03-07 17 *.md")
    text = note.read_text(encoding="utf-8")
    transcript = text.split("### Transcript\n\n")[1].split("\n\n")[0]
    assert word_errors(said["vm-instructions.oga"], transcript) <= 2
    media = "Telegram/The Old Exchange · Mill Lane 7/media/2024-03-07 17 voice message.ogg"
    assert (vault / media).exists() and f"\n> - 0:03 ![[{media}#t=3]] You may quit " in text
    (audio,) = vault.glob("Telegram/Audio/*2024-03-07 17 voice message.md")
    assert '\ntranscript_language: "en"\n' in audio.read_text(encoding="utf-8")
    # What was written down is not written down again, and nothing is touched.
    before = stamps(vault)
    again = served.tobs("export", served.target, "--vault", str(vault), "--json", **env)
    assert again.json["processors"].get("whisper", {}).get("done", 0) == 0 < done
    assert stamps(vault) == before


def test_exports_are_told_of_and_a_trial_can_be_sent(serve: Serve, tmp_path: Path) -> None:
    with serving() as box:
        served = serve("synthetic:messages=30,chats=1,media=0,seed=5")
        vault = str(tmp_path / "vault")
        tell = {"TOBS_PLUGIN_NOTIFY_URLS": box.url}
        assert served.tobs("export", served.target, "--vault", vault, **tell).code == 0
        assert [each["title"] for each in box.got] == ["tobs export finished"]
        assert box.got[0]["message"].startswith("Messages: 30 new")
        # Nothing new, nothing told; then a trial.
        assert served.tobs("export", served.target, "--vault", vault, **tell).code == 0
        assert len(box.got) == 1
        trial = served.tobs("plugins", "run", "notify", "--vault", vault, "--json", **tell)
        assert trial.json["said"] == "Sent to 1 address." and box.got[1]["title"] == "tobs: a trial"
        # What cannot be sent is told in the report, and the secret is not.
        box.status = 500
        failed = served.tobs(
            "export", served.target, "--vault", vault, "--json", **tell, TOBS_PLUGIN_NOTIFY_WHEN="always"
        )
        assert failed.code == 1 and [each["what"] for each in failed.json["problems"]] == ["plugin notify"]
        assert SECRET not in json.dumps(failed.json) + failed.stderr
