"""Files in the product: what is fetched and worked on how often, and what broken ones cost."""

from __future__ import annotations

import base64
import gzip
import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.conftest import Serve
from tests.e2e.exported import export_folder
from tests.e2e.test_plugins import add_plugin
from tests.e2e.test_process import COUNTING

DATA = Path(__file__).parents[1] / "data"

PHOTO = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data" / "photos" / "cake.jpg"
VOICE_FILE = next((DATA / "voice").glob("*.og*")).read_bytes()
ROUND = {"media_type": "video_message", "mime_type": "video/mp4"}
VOICE = {"media_type": "voice_message", "mime_type": "audio/ogg", "duration_seconds": 3}


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / ".tobs" / "plugins").mkdir(parents=True)
    return folder


def test_a_thousand_voice_messages_of_a_hundred_and_ten_files_are_fetched_and_worked_on_as_often(
    serve: Serve, vault: Path, tmp_path: Path
) -> None:
    """900 of them are forwards of the same 10 files; 20 of the other 100 were sent twice by others, under other ids."""
    world = tmp_path / "world"
    (world / "voice").mkdir(parents=True)
    spoken = (DATA / "voice" / "conf-invalid.oga").read_bytes()
    for number in range(120):
        # Bytes behind the end of the stream: other files that play the same.
        content = spoken + (number if number < 110 else number - 10).to_bytes(2, "big")
        (world / "voice" / f"{number}.oga").write_bytes(content)
    own = [(f"voice/{number}.oga", VOICE) for number in range(10, 110)]
    forwards = [(f"voice/{number % 10}.oga", {**VOICE, "forwarded_from": "Ada"}) for number in range(900)]
    again = [(f"voice/{number}.oga", VOICE) for number in range(110, 120)]
    served = serve(str(export_folder(world, [*own, *forwards])))
    log = tmp_path / "log"
    add_plugin(served, vault, "counting", COUNTING)
    told = {"TOBS_PLUGIN_COUNTING_LOG": str(log), "TOBS_PLUGINS_OFF": "tags,waveform,cover,transcode"}
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", **told)
    assert done.code == 0, done.stderr
    assert done.json["messages"]["new"] == 1000
    assert done.json["media"]["downloaded"] == 110
    assert done.json["processors"]["counting"] == {"done": 110, "cached": 890, "skipped": 0, "failed": 0}
    hashes = log.read_text().split()
    assert len(hashes) == len(set(hashes)) == 110
    assert sum(entry["method"] == "upload.getFile" for entry in served.log()) == 110
    assert len(list(vault.glob("Telegram/*/media/*"))) == 110
    assert len(list(vault.glob("Telegram/Audio/*.md"))) == 110

    # The same bytes under another id have to be fetched to be known; they are neither worked on nor kept twice.
    other = tmp_path / "other"
    (other / "voice").mkdir(parents=True)
    for path, _ in again:
        (other / path).write_bytes((world / path).read_bytes())
    twin = serve(str(export_folder(other, [(path, {**VOICE, "id": 2000 + n}) for n, (path, _) in enumerate(again)])))
    add_plugin(twin, vault, "counting", COUNTING)
    done = twin.tobs("export", twin.target, "--vault", str(vault), "--json", **told)
    assert done.code == 0, done.stderr
    assert (done.json["media"]["downloaded"], done.json["media"]["reused"]) == (10, 10)
    assert len(log.read_text().split()) == 110
    assert len(list(vault.glob("Telegram/*/media/*"))) == 110


def test_a_broken_file_costs_one_line_in_the_report(serve: Serve, vault: Path, tmp_path: Path) -> None:
    world = tmp_path / "world"
    (world / "files").mkdir(parents=True)
    song = (DATA / "music" / "chimes.mp3").read_bytes()
    flac = (DATA / "music" / "chimes.flac").read_bytes()
    film = (PHOTO.parents[1] / "video" / "wires.mp4").read_bytes()
    voice = (DATA / "voice" / "conf-invalid.oga").read_bytes()
    music = {"media_type": "audio_file", "mime_type": "audio/mpeg", "duration_seconds": 8}
    files = {
        "fine.mp3": (song, music),
        "garbage.mp3": (bytes(range(256)) * 40, music),
        "truncated.flac": (flac[: len(flac) // 2], {**music, "mime_type": "audio/flac"}),
        "truncated.oga": (voice[: len(voice) // 2], VOICE),
        "torn.flac": (flac[:30], {**music, "mime_type": "audio/flac"}),
        "cut.mp4": (
            film[: len(film) // 2],
            {"media_type": "video_file", "mime_type": "video/mp4", "duration_seconds": 4},
        ),
        "cut round.mp4": (film[: len(film) // 2 + 1], {**ROUND, "duration_seconds": 4}),
        "round.mp4": (film, {**ROUND, "duration_seconds": 4}),
        "huge-tag.mp3": (_huge_tag() + song, music),
        "bomb.tgs": (gzip.compress(b"0" * 200_000_000, 9), {"mime_type": "application/x-tgsticker"}),
        "bomb.pdf": (_pdf_bomb(), {"mime_type": "application/pdf"}),
        "bomb.mp3": (_picture_bomb() + song, music),
        "late.mp3": (song + b"\0", music),
    }
    for name, (content, _) in files.items():
        (world / "files" / name).write_bytes(content)
    told = [(f"files/{name}", more) for name, (_, more) in files.items()]
    served = serve(str(export_folder(world, told)))
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", timeout=200)
    assert done.code in (0, 1), done.stderr
    assert done.json["media"]["downloaded"] == len(files) and done.json["media"]["failed"] == 0
    lines = [(problem["item"].split(" of message")[0], problem) for problem in done.json["problems"]]
    named = [name for name, _ in lines]
    assert sorted(named) == sorted(set(named)), [problem for _, problem in lines]
    assert set(named) <= set(files) - {"fine.mp3", "round.mp4", "late.mp3", "huge-tag.mp3"}, lines
    assert {"garbage.mp3", "torn.flac", "cut.mp4"} <= set(named)
    assert not [plugin for plugin in done.json["plugins"] if plugin["state"] == "switched off"]
    notes = [path.read_text(encoding="utf-8") for path in vault.glob("Telegram/**/*.md")]
    assert max(len(text) for text in notes) < 60_000, "a tag of a million characters does not fill a note"
    assert sum('title: "Chimes They Fade"' in text for text in notes) >= 3
    doubts = {Path(doubt["item"]).name: doubt["reason"] for doubt in done.json["doubts"]}
    assert doubts["truncated.flac"] == "it plays 4 s, Telegram says 8 s"
    (film_doubt,) = [reason for name, reason in doubts.items() if name.endswith(".mp4")]
    assert film_doubt == "it plays 0 s, Telegram says 4 s", "of the other film there is no thumbnail: a line already"


def _huge_tag() -> bytes:
    """An ID3v2.3 tag whose album is a million characters long."""
    return _id3(b"TALB", b"\0" + b"a" * 1_000_000)


def _picture_bomb() -> bytes:
    """An ID3v2.3 tag with a picture of 50,000 by 50,000 pixels in a few kilobytes."""
    rows = zlib.compressobj(9)
    data = rows.compress(b"\0" * 2_000_000) + rows.flush()

    def chunk(name: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")

    size = (50_000).to_bytes(4, "big")
    png = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + size + b"\1\0\0\0\0") + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    return _id3(b"APIC", b"\0image/png\0\3\0" + png)


def _id3(name: bytes, body: bytes) -> bytes:
    frame = name + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = len(frame)
    return b"ID3\3\0\0" + bytes((size >> shift) & 127 for shift in (21, 14, 7, 0)) + frame


def _pdf_bomb() -> bytes:
    """A PDF with one page whose content unpacks to 500 MB."""
    packed = zlib.compress(zlib.compress(b" " * 500_000_000, 9), 9)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + table
    return out + b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start


#: What each of five plugins does to every paper it gets.
MISCHIEF = {
    "hanging": "import time; time.sleep(600)",
    "raising": "raise RuntimeError('no')",
    "babbling": "return ['nonsense', 7]",
    "dying": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "reaching": "return Result(files=(NewFile(item.path.parent.parent / 'archive.db', 'cover'),))",
}

BAD = """
from tobs.plugin import Item, NewFile, NoConfig, Plugin, Result


class Bad(Plugin[NoConfig]):
    name = "NAME"
    version = "1"
    handles = frozenset({"document"})
    time_limit = 1.0

    def process(self, item: Item) -> Result | None:
        DEED
"""


def test_a_run_is_unharmed_by_plugins_that_misbehave_in_five_ways(serve: Serve, vault: Path, tmp_path: Path) -> None:
    world = tmp_path / "world"
    (world / "files").mkdir(parents=True)
    for number in range(2):
        (world / "files" / f"paper{number}.txt").write_text(f"paper {number}")
    (world / "files" / "chimes.mp3").write_bytes((DATA / "music" / "chimes.mp3").read_bytes())
    music = {"media_type": "audio_file", "mime_type": "audio/mpeg", "duration_seconds": 8}
    papers = [(f"files/paper{number}.txt", {"mime_type": "text/plain"}) for number in range(2)]
    served = serve(str(export_folder(world, [*papers, ("files/chimes.mp3", music)])))
    for name, deed in MISCHIEF.items():
        add_plugin(served, vault, name, BAD.replace("NAME", name).replace("DEED", deed))
    done = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert done.code == 1, done.stderr
    assert (done.json["messages"]["new"], done.json["media"]["downloaded"]) == (3, 3)
    assert {name: done.json["processors"][name]["failed"] for name in MISCHIEF} == dict.fromkeys(MISCHIEF, 2)
    assert done.json["processors"]["tags"]["done"] == 1
    lines = [problem for problem in done.json["problems"] if problem["item"].startswith("paper")]
    assert len(lines) == 2, "one line a file"
    for words in (
        "took longer than its limit of 1 s",
        "RuntimeError: no",
        "returned a list",
        "SIGKILL",
        "lies outside",
    ):
        assert words in lines[0]["reason"], lines
    notes = [path.read_text(encoding="utf-8") for path in vault.glob("Telegram/*/20*/*/*.md")]
    told = [text for text in notes if all(f'  - "{name}"\n' in text for name in MISCHIEF)]
    assert len(notes) == 3 and len(told) == 2, "the notes of the papers name them"
    assert (vault / ".tobs" / "archive.db").stat().st_size > 0


def test_each_chat_may_want_other_media(in_process_world: Serve, vault: Path) -> None:
    served = in_process_world("synthetic:messages=60,chats=2,media=0.4,seed=4")
    quiet, other = [str(target) for target in served.ready["targets"][:2]]
    config = vault / ".tobs" / "config.toml"

    def run(command: str, *more: str) -> dict[str, Any]:
        done = served.tobs(command, *more, "--vault", str(vault), "--json")
        assert done.code == 0, done.stderr
        told: dict[str, Any] = done.json
        return told

    def suffixes() -> dict[str, set[str]]:
        chats = {note.stem: note.parent for note in vault.glob("Telegram/*/*.md") if note.stem == note.parent.name}
        return {name: {path.suffix for path in folder.glob("media/*")} for name, folder in chats.items()}

    def fetched() -> int:
        return sum(entry["method"] == "upload.getFile" for entry in served.log())

    config.write_text(f'[chats."{quiet}"]\nmedia = "none"\n[chats."{other}"]\nmedia = "photo"\n', encoding="utf-8")
    plan = run("plan", quiet, other)
    wanted = [{kind for kind, one in item["media"].items() if one["wanted"]} for item in plan["items"]]
    assert wanted == [set(), {"photo"}]
    run("export", quiet, other)
    assert sorted(suffixes().values(), key=len) == [set(), {".jpg"}]
    before = fetched()
    voice = {"kind": "voice", "name": "a.ogg", "mime": "audio/ogg", "data": base64.b64encode(VOICE_FILE).decode()}
    for chat in (quiet, other):
        served.control("/messages", {"chat": chat, "text": "listen", "media": voice})
    assert run("sync")["messages"]["new"] == 2
    assert run("process")["media"]["wanted"] == 0 and fetched() == before

    config.write_text(
        config.read_text(encoding="utf-8").replace('"photo"', '"voice"\nmax_size = "1kB"'), encoding="utf-8"
    )
    assert run("process")["media"]["wanted"] == 0 and fetched() == before, "it is too large"
    config.write_text(config.read_text(encoding="utf-8").replace("1kB", "1MB"), encoding="utf-8")
    assert run("process")["media"]["downloaded"] > 0 and fetched() > before
    none, both = sorted(suffixes().values(), key=len)
    assert none == set() and ".jpg" in both and both & {".oga", ".ogg"}, "what is there stays"
    assert run("export", quiet, "--media", "voice")["media"]["downloaded"] > 0, "the command line speaks for all"
    shown = run("config", "show")
    (row,) = [row for row in shown["items"] if row["name"] == "chats"]
    assert row["value"][other] == {"media": ["voice"], "max_size": 1_000_000}


def test_photos_that_look_alike_are_told_by_the_run_that_brings_them(in_process_world: Serve, vault: Path) -> None:
    served = in_process_world("synthetic:messages=5,chats=1,media=0,seed=4")
    asked = {"TOBS_PLUGIN_DEDUPE_EVERY_RUN": "true"}
    with Image.open(PHOTO) as cake:
        for width in (640, 320):
            small = io.BytesIO()
            cake.resize((width, width * 3 // 4)).save(small, "JPEG")
            data = base64.b64encode(small.getvalue()).decode()
            photo = {"kind": "photo", "name": "cake.jpg", "mime": "image/jpeg", "data": data}
            served.control("/messages", {"text": "", "media": photo})
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", **asked)
    assert done.code == 0, "what is worth a look is no fault"
    (doubt,) = done.json["doubts"]
    assert doubt["what"] == "plugin dedupe" and " 7 photo" in doubt["item"] and " 6 photo" in doubt["reason"]
    served.control("/messages", {"text": "nothing to see"})
    again = served.tobs("sync", "--vault", str(vault), "--json", **asked)
    assert again.json["doubts"] == [] and again.json["messages"]["new"] == 1
