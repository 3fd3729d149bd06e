"""Files that a plugin changes in their place: once, atomically, and the archive knows what lies there."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import mutagen
import pytest

from tests.e2e.conftest import Serve
from tests.e2e.exported import export_folder
from tests.e2e.harness import Done, Served, stamps, tree
from tobs_plugins.cover.embedded import embedded_pictures

MUSIC = Path(__file__).parents[1] / "data" / "music"
PHOTOS = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data"
PICTURE = (PHOTOS / "thumbs" / "cake.jpg").read_bytes()

WRITING = {"TOBS_PLUGIN_TAGS_WRITE": "in-place", "TOBS_PLUGINS_OFF": "waveform,transcode,whisper"}
KEEPING = WRITING | {"TOBS_PLUGIN_TAGS_WRITE": "no"}


@pytest.fixture
def served(serve: Serve, tmp_path: Path) -> Served:
    """A channel with one song without tags that Telegram has three times, twice as the same document."""
    world = tmp_path / "world"
    (world / "files").mkdir(parents=True)
    song = world / "files" / "song.mp3"
    shutil.copyfile(MUSIC / "chimes.mp3", song)
    mutagen.File(song).delete()
    shutil.copyfile(song, world / "files" / "again.mp3")
    told = {"media_type": "audio_file", "mime_type": "audio/mpeg", "duration_seconds": 8}
    (world / "files" / "song_thumb.jpg").write_bytes(PICTURE)
    first = told | {"title": "Mill Lane", "performer": "Anna", "thumbnail": "files/song_thumb.jpg"}
    return serve(
        str(
            export_folder(
                world,
                [
                    ("files/song.mp3", first),
                    ("files/song.mp3", first),
                    ("files/again.mp3", told | {"title": "Another", "performer": "Bert"}),
                ],
            )
        )
    )


def run(served: Served, vault: Path, command: str, *more: str, env: dict[str, str] = WRITING) -> Done:
    targets = [served.target] if command == "export" else []
    done = served.tobs(command, *targets, *more, "--vault", str(vault), "--json", **env)
    assert done.code == 0, (done.stderr, done.stdout)
    return done


def song_of(vault: Path) -> Path:
    (song,) = vault.glob("Telegram/Files/media/*.mp3")
    return song


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_tags_are_written_into_the_file_itself_and_never_twice(served: Served, tmp_path: Path) -> None:
    vault, later = tmp_path / "vault", tmp_path / "later"
    assert run(served, vault, "export").json["processors"]["tags"]["failed"] == 0
    song = song_of(vault)
    tags = mutagen.File(song, easy=True)
    assert (tags["title"], tags["artist"]) == (["Mill Lane"], ["Anna"])
    assert embedded_pictures(song) == [PICTURE]
    assert int(song.stat().st_mtime) == 1_700_000_060, "dated as its first message"
    assert not list((vault / ".tobs" / "staging").glob("*.mp3")), "nothing is left behind"
    (note,) = vault.glob("Telegram/Audio/*.md")
    text = note.read_text(encoding="utf-8")
    assert f'\nsha256: "{sha256(song)}"\n' in text and f"\nsize: {song.stat().st_size}\n" in text
    (cover,) = vault.glob("Telegram/Files/media/* cover.jpg")
    assert cover.read_bytes() == PICTURE and f"![[{cover.relative_to(vault).as_posix()}]]" in text
    assert '\ntitle: "Mill Lane"\n' in text and '\nperformer: "Anna"\n' in text
    run(served, vault, "verify")

    # What is in a vault already is changed as an export would have.
    run(served, later, "export", env=KEEPING)
    assert mutagen.File(song_of(later)).tags is None
    away = {"TOBS_SERVER": "127.0.0.1:9", "TOBS_TIMEOUT": "1s"}
    unreachable = served.tobs("process", "--vault", str(later), "--json", **WRITING, **away)
    (problem, *_) = unreachable.json["problems"]
    assert unreachable.code == 1 and problem["reason"].startswith("the thumbnail could not be fetched: ")
    assert mutagen.File(song_of(later)).tags is None, "written without a cover now, it would never get one"
    run(served, later, "process")
    assert tree(later) == tree(vault)
    before = stamps(later)
    run(served, later, "process")
    again = run(served, later, "process")
    assert again.json["processors"]["tags"] == {"done": 0, "cached": 3, "skipped": 0, "failed": 0}
    assert stamps(later) == before


@pytest.mark.long  # ten commands, and what they show in small is in tests/unit/pipeline/test_edited_files.py
def test_a_changed_file_is_followed_and_fetched_again_like_any_other(served: Served, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    run(served, vault, "export")
    before, song, dates = tree(vault), song_of(vault), stamps(vault)
    # What is switched off changes nothing back: what came is on Telegram only.
    run(served, vault, "process", "--force")
    run(served, vault, "export")
    run(served, vault, "process", env=KEEPING)
    assert stamps(vault) == dates

    data = song.read_bytes()
    song.write_bytes(b"x" * len(data))
    served.tobs("verify", "--repair", "--vault", str(vault), **WRITING)
    run(served, vault, "process")
    assert {path: data for path, data in tree(vault).items() if not path.startswith(".trash/")} == before
    run(served, vault, "verify")

    moved = vault / "Music" / "mine.mp3"
    moved.parent.mkdir()
    song.rename(moved)
    run(served, vault, "process")
    (note,) = vault.glob("Telegram/Audio/*.md")
    assert "![[Music/mine.mp3" in note.read_text(encoding="utf-8")
    run(served, vault, "verify")
