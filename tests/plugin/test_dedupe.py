"""The plugin ``dedupe`` on real photos: made smaller, saved again, changed; and on what is no photo."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tobs.plugin import Export, FinishedRun, Run
from tobs.plugin.host import Done, Host
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef
from tobs_plugins.dedupe import Dedupe, DedupeConfig, plugin
from tobs_plugins.dedupe.groups import similar_groups
from tobs_plugins.dedupe.index import INDEX
from tobs_plugins.dedupe.looks import Look, look

PHOTOS = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data" / "photos"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault" / "Telegram" / "Chat" / "media"
    folder.mkdir(parents=True)
    return tmp_path / "vault"


def put(vault: Path, photo: str, name: str, *, scale: float = 1, quality: int = 85, brighter: float = 1) -> Path:
    path = vault / "Telegram" / "Chat" / "media" / name
    with Image.open(PHOTOS / photo) as image:
        smaller = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)))
        ImageEnhance.Brightness(smaller).enhance(brighter).save(path, quality=quality)
    return path


def told(vault: Path, *arguments: str, **options: int) -> list[list[str]]:
    """The groups the plugin tells: names of the files."""
    _, *groups = Dedupe(DedupeConfig(**options)).command(arguments, vault).split("\n\n")
    return [[line.rpartition("/")[2] for line in group.splitlines()] for group in groups]


def test_the_same_photo_in_other_sizes_and_forms_is_found(vault: Path) -> None:
    put(vault, "cake.jpg", "b small.jpg", scale=0.4, quality=60)
    put(vault, "cake.jpg", "c bright.webp", brighter=1.05)
    put(vault, "cake.jpg", "a.png")
    put(vault, "rack.jpg", "d.jpg")
    put(vault, "rack.jpg", "e tiny.jpg", scale=0.25)
    put(vault, "menu.jpg", "f.jpg")
    assert told(vault) == [["a.png", "c bright.webp", "b small.jpg"], ["d.jpg", "e tiny.jpg"]]


def reported(vault: Path, work: Path, *, every_run: bool = True) -> list[tuple[str, str]]:
    """What the plugin remarks after a run; its index is put where tobs puts it."""
    run = Export(FinishedRun(Run("r", "sync"), ok=True), 1, work / "brought", work, vault)
    made = Dedupe(DedupeConfig(every_run=every_run)).export(run)
    kept = vault / ".tobs" / "exports" / "dedupe"
    kept.mkdir(parents=True, exist_ok=True)
    (index,) = made.files
    index.replace(kept / index.name)
    return [(one.item.rpartition("/")[2], one.reason.rpartition("/")[2]) for one in made.remarks]


def test_each_run_tells_which_new_photos_look_like_another(
    vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(vault, "cake.jpg", "a.jpg")
    put(vault, "cake.jpg", "b.jpg", scale=0.5)
    put(vault, "menu.jpg", "c.jpg")
    (vault / "Telegram" / "Chat" / "media" / "broken.jpg").write_bytes(b"no photo")
    assert reported(vault, tmp_path / "work") == [("b.jpg", "a.jpg")], "the first run tells all there are"
    looked: list[str] = []
    monkeypatch.setattr(plugin, "look", lambda path, **options: looked.append(path.name) or look(path, **options))
    assert reported(vault, tmp_path / "work") == [] and looked == []
    put(vault, "menu.jpg", "0 menu.jpg", scale=0.5)
    assert reported(vault, tmp_path / "work") == [("0 menu.jpg", "c.jpg")] and looked == ["0 menu.jpg"]
    (vault / ".tobs" / "exports" / "dedupe" / INDEX).write_bytes(b"\x93nonsense")
    assert len(reported(vault, tmp_path / "work")) == 2, "a damaged index is made anew"


def test_runs_are_left_alone_unless_asked_for() -> None:
    def hooks(config: DedupeConfig) -> list[str]:
        one = Processor.of(Dedupe(config), PluginRef("tobs_plugins.dedupe", "Dedupe"))
        return [name for name in ("command", "export") if one.has(name)]

    assert hooks(DedupeConfig()) == ["command"]
    assert hooks(DedupeConfig(every_run=True)) == ["command", "export"]


def test_different_photos_are_not_alike(vault: Path) -> None:
    for photo in PHOTOS.glob("*.jpg"):
        (vault / "Telegram" / "Chat" / "media" / photo.name).write_bytes(photo.read_bytes())
    assert told(vault) == []


def test_pictures_of_one_colour_small_ones_and_what_plugins_made_are_left_out(vault: Path) -> None:
    media = vault / "Telegram" / "Chat" / "media"
    for name in ("white 1.png", "white 2.png"):
        Image.new("RGB", (300, 300), "white").save(media / name)
    for name in ("tiny 1.jpg", "tiny 2.jpg"):
        put(vault, "cake.jpg", name, scale=0.1)
    for name in ("song cover.jpg", "film thumbnail.jpg", "other cover 2.jpg"):
        put(vault, "cake.jpg", name)
    hidden = vault / ".trash"
    hidden.mkdir()
    put(vault, "rack.jpg", "a.jpg").rename(hidden / "a.jpg")
    put(vault, "rack.jpg", "b.jpg")
    (media / "link.jpg").symlink_to(media / "b.jpg")
    assert told(vault) == []


def test_what_cannot_be_read_is_counted(vault: Path) -> None:
    (vault / "Telegram" / "Chat" / "media" / "a.jpg").write_bytes(b"no photo")
    text = Dedupe(DedupeConfig()).command((), vault)
    assert text == "0 groups of photos that look alike, among 0; 1 could not be read."


def test_a_folder_can_be_named(vault: Path) -> None:
    put(vault, "cake.jpg", "a.jpg")
    put(vault, "cake.jpg", "b.png")
    assert told(vault, "Telegram/Chat") == [["a.jpg", "b.png"]]
    (vault / "Other").mkdir()
    assert told(vault, "Other") == []
    with pytest.raises(ValueError, match="is no folder"):
        told(vault, "Nowhere")


def test_a_stricter_difference_finds_less(vault: Path) -> None:
    path = put(vault, "scope.jpg", "a.jpg")
    with Image.open(path) as image:
        edge = image.width // 60
        image.crop((edge, edge, image.width - edge, image.height - edge)).save(path.with_name("b.jpg"))
    one, two = look(path, min_side=10), look(path.with_name("b.jpg"), min_side=10)
    assert one is not None and two is not None and 0 < one.differs(two) <= 10
    assert told(vault) == [["a.jpg", "b.jpg"]]
    assert told(vault, difference=one.differs(two) - 1) == []


@given(st.integers(0, 12), st.integers(0, 10**6))
def test_groups_are_those_that_comparing_each_with_each_finds(most: int, seed: int) -> None:
    chance = random.Random(seed)
    bits = [chance.getrandbits(128) for _ in range(6)]
    for _ in range(30):
        changed = chance.choice(bits)
        for at in chance.sample(range(128), chance.randrange(0, 16)):
            changed ^= 1 << at
        bits.append(changed)
    looks = [Look(1, 1, each, b"\0") for each in bits]
    slow: list[set[int]] = []
    for place in range(len(looks)):
        near = [group for group in slow if any(looks[place].differs(looks[other]) <= most for other in group)]
        slow = [group for group in slow if group not in near] + [{place}.union(*near)]
    assert sorted(map(sorted, slow), key=min) == [
        *sorted([*similar_groups(looks, most), *([n] for n in _alone(looks, most))], key=min)
    ]


def _alone(looks: list[Look], most: int) -> list[int]:
    grouped = {place for group in similar_groups(looks, most) for place in group}
    return [place for place in range(len(looks)) if place not in grouped]


async def test_it_is_run_by_its_command(vault: Path) -> None:
    put(vault, "cake.jpg", "a.jpg")
    put(vault, "cake.jpg", "b.png")
    processor = Processor.of(Dedupe(DedupeConfig()), PluginRef("tobs_plugins.dedupe", "Dedupe"))
    async with Host(env=os.environ) as host:
        reply = await host.command(processor, [], vault)
    assert isinstance(reply, Done) and reply.result is not None
    first, _, *lines = reply.result.splitlines()
    assert first == "1 group of photos that look alike, among 2."
    assert [line.partition("  ")[2] for line in lines] == [f"Telegram/Chat/media/{name}" for name in ("a.jpg", "b.png")]
