"""The plugin ``tags`` on real files of every format at hand, and on broken ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import mutagen
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from mutagen.apev2 import APEv2
from mutagen.asf import ASF, ASFDWordAttribute
from mutagen.flac import FLAC
from mutagen.id3 import CHAP, ID3, RVA2, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TRCK, TXXX, USLT
from mutagen.mp4 import MP4, MP4FreeForm

from tobs.plugin import Item, Passage, Section, Unreadable
from tobs.plugin.testing import make_item
from tobs_plugins.cover.embedded import embedded_pictures
from tobs_plugins.tags import Tags, TagsConfig
from tobs_plugins.tags.reader import NotAudio, read_tags

DATA = Path(__file__).parents[1] / "data"
MUSIC = DATA / "music"

CHIMES = {
    "title": "Chimes They Fade",
    "performer": "Maxstack",
    "album": "Endgame: Singularity Original Soundtrack",
    "genre": "Soundtrack",
    "year": 2012,
    "track": 3,
}


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("chimes.mp3", {"format": "MP3", "duration": 8.0, "bitrate": 96}),
        ("chimes.flac", {"format": "FLAC", "duration": 8.0, "bitrate": 364}),
        ("chimes.opus", {"format": "Opus", "duration": 8.0, "bitrate": 67}),
        ("chimes.m4a", {"format": "AAC", "duration": 8.0, "bitrate": 96}),
    ],
)
def test_every_format_tells_the_same(name: str, sound: dict[str, object]) -> None:
    assert read_tags(MUSIC / name, 200) == CHIMES | sound


def test_a_voice_message_tells_how_long_it_is() -> None:
    fields = read_tags(DATA / "voice" / "auth-incorrect.oga", 200)
    assert fields == {"format": "Opus", "duration": 4.6, "bitrate": 16}


def copy(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes((MUSIC / name).read_bytes())
    return path


@pytest.mark.parametrize(
    ("written", "track"), [("3/12", 3), ("03", 3), (" 7", 7), ("0", None), ("A1", None), ("9" * 400, 999999)]
)
def test_track_numbers_are_read_as_people_write_them(tmp_path: Path, written: str, track: int | None) -> None:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    tags.setall("TRCK", [TRCK(encoding=3, text=[written])])
    tags.save()
    assert read_tags(path, 200).get("track") == track


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("2012", 2012),
        ("2012-05-01", 2012),
        ("01.05.2012", 2012),
        ("May 1999", 1999),
        ("20120501", None),
        ("soon", None),
    ],
)
def test_years_are_found_in_dates(tmp_path: Path, written: str, year: int | None) -> None:
    path = copy(tmp_path, "chimes.flac")
    tags = FLAC(path)
    tags["date"] = written
    tags.save()
    assert read_tags(path, 200).get("year") == year


def test_a_tag_of_70_000_characters_is_cut(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.flac")
    tags = FLAC(path)
    tags["title"] = "la " * 25_000
    tags["artist"] = [f"singer {n}" for n in range(10_000)]
    tags.save()
    fields = read_tags(path, 50)
    assert len(str(fields["title"])) <= 50 and str(fields["title"]).endswith("…")
    assert len(str(fields["performer"])) <= 50


def test_line_breaks_and_invisible_marks_do_not_reach_the_note(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.flac")
    tags = FLAC(path)
    tags["title"] = "one\r\n---\ntwo\x00\u202ethree\u2028four"
    tags.save()
    assert read_tags(path, 200)["title"] == "one --- two three four"


def test_several_performers_are_joined_and_the_band_stands_in(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    tags.setall("TPE1", [TPE1(encoding=3, text=["Ann", "Bob", "Ann"])])
    tags.save(v2_version=4)
    assert read_tags(path, 200)["performer"] == "Ann, Bob"
    tags.delall("TPE1")
    tags.add(TPE2(encoding=3, text=["The Band"]))
    tags.save()
    assert read_tags(path, 200)["performer"] == "The Band"


def test_numbered_genres_have_names(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    tags.setall("TCON", [TCON(encoding=3, text=["(17)"])])
    tags.save()
    assert read_tags(path, 200)["genre"] == "Rock"


def test_wav_files_with_id3_tags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound = b"\0\0" * 8000
    head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", len(sound))
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(head) + len(sound)) + b"WAVE" + head + sound)
    wave = mutagen.File(path)
    wave.add_tags()
    wave.tags.add(TIT2(encoding=3, text=["Silence"]))
    wave.tags.add(TALB(encoding=3, text=["Nothing"]))
    wave.tags.add(TDRC(encoding=3, text=["1952"]))
    wave.save()
    assert read_tags(path, 200) == {
        "title": "Silence",
        "album": "Nothing",
        "year": 1952,
        "format": "WAV",
        "duration": 1.0,
        "bitrate": 128,
    }


def test_ape_tags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ape"
    path.write_bytes(b"MAC " + struct.pack("<H50xIIIHHI", 3990, 44100, 22050, 2, 16, 2, 44100) + b"\0" * 500)
    tags = APEv2()
    tags["Title"], tags["Artist"], tags["Year"], tags["Track"] = "Chimes", "Maxstack", "2012", "3/12"
    tags.save(path)
    assert read_tags(path, 200) == {
        "title": "Chimes",
        "performer": "Maxstack",
        "year": 2012,
        "track": 3,
        "format": "Monkey's Audio",
        "duration": 1.5,
    }


def test_windows_media_tags_are_read_however_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.wma"
    header = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    path.write_bytes(header + struct.pack("<QIBB", 30, 0, 1, 2))
    file = ASF(path)
    file["Title"], file["Author"], file["WM/AlbumTitle"] = "Chimes", "Maxstack", "Endgame"
    file["wm/year"], file["WM/TrackNumber"] = "2012", ASFDWordAttribute(3)
    file.save()
    assert read_tags(path, 200) == {
        "title": "Chimes",
        "performer": "Maxstack",
        "album": "Endgame",
        "year": 2012,
        "track": 3,
        "format": "WMA",
    }


@pytest.mark.parametrize("name", ["chimes.mp3", "chimes.flac", "chimes.opus", "chimes.m4a"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_files_are_refused_in_one_way_or_read(tmp_path: Path, name: str, data: st.DataObject) -> None:
    whole = bytearray((MUSIC / name).read_bytes())
    for _ in range(data.draw(st.integers(0, 8))):
        whole[data.draw(st.integers(0, min(8000, len(whole) - 1)))] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        fields = read_tags(path, 200)
    except NotAudio as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(value, (str, int, float)) for value in fields.values())


@pytest.mark.parametrize("content", [b"", b"hello", b"ID3" + b"\xff" * 100, b"OggS" + b"\0" * 200, b"fLaC"])
def test_what_is_no_audio_is_unreadable_and_not_the_plugin_s_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    item = Item(path, "audio", "audio/mpeg", "0" * 64, len(content), tmp_path / "work")
    with pytest.raises(Unreadable, match="not readable as audio"):
        Tags(TagsConfig()).process(item)


def test_a_file_that_was_cut_short_in_its_tags_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes((MUSIC / "chimes.mp3").read_bytes()[:3000])
    with pytest.raises(NotAudio, match=r"^not readable as audio: it is damaged$"):
        read_tags(path, 200)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    Tags(TagsConfig()).process(Item(path, "audio", "audio/mpeg", "0" * 64, before[1], tmp_path / "work"))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_an_option_cuts_texts(make_item: Callable[[str], Item], tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    result = Tags(TagsConfig(max_length=10)).process(Item(path, "audio", "", "0" * 64, 1, tmp_path / "work"))
    assert result is not None and result.fields["album"] == "Endgame:…"


GAINS = {"replaygain_track_gain": -6.5, "replaygain_album_gain": 1.2}


def with_gains(path: Path) -> None:
    """Write them as programs that measure loudness do."""
    file = mutagen.File(path)
    told = {"replaygain_track_gain": "-6.50 dB", "replaygain_album_gain": "+1.2 dB"}
    for name, text in told.items():
        if isinstance(file.tags, ID3):
            file.tags.add(TXXX(encoding=3, desc=name.upper(), text=[text]))
        elif isinstance(file, MP4):
            file.tags[f"----:com.apple.iTunes:{name}"] = [MP4FreeForm(text.encode())]
        else:
            file.tags[name.upper()] = text
    file.save()


@pytest.mark.parametrize("name", ["chimes.mp3", "chimes.flac", "chimes.m4a", "chimes.opus"])
def test_how_loud_to_play_it_is_read_in_every_format(tmp_path: Path, name: str) -> None:
    path = copy(tmp_path, name)
    with_gains(path)
    assert read_tags(path, 200).items() >= GAINS.items()


def test_gains_are_read_as_opus_and_old_mp3_files_have_them(tmp_path: Path) -> None:
    opus = copy(tmp_path, "chimes.opus")
    file = mutagen.File(opus)
    file.tags["R128_TRACK_GAIN"] = str(-3 * 256)
    file.save()
    assert read_tags(opus, 200)["replaygain_track_gain"] == 2.0
    old = copy(tmp_path, "chimes.mp3")
    tags = ID3(old)
    tags.add(RVA2(desc="track", channel=1, gain=-4.25, peak=0))
    tags.add(TXXX(encoding=3, desc="replaygain_album_gain", text=["loud"]))
    tags.save()
    fields = read_tags(old, 200)
    assert fields["replaygain_track_gain"] == -4.25 and "replaygain_album_gain" not in fields


CHAPTERS = (Passage(0.0, "Overture"), Passage(2.5, "Relays"), Passage(6.0, ""))


def with_mp3_chapters(tmp_path: Path) -> Path:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    for number, chapter in enumerate(reversed(CHAPTERS)):
        title = [TIT2(encoding=3, text=[chapter.text])] if chapter.text else []
        start = int(1000 * chapter.start)
        tags.add(CHAP(element_id=f"c{number}", start_time=start, end_time=start + 1, sub_frames=title))
    tags.save()
    return path


def with_vorbis_chapters(tmp_path: Path) -> Path:
    path = copy(tmp_path, "chimes.flac")
    tags = FLAC(path)
    for number, chapter in enumerate(CHAPTERS):
        tags[f"CHAPTER{number:03}"] = f"00:00:{chapter.start:06.3f}"
        if chapter.text:
            tags[f"CHAPTER{number:03}NAME"] = chapter.text
    tags.save()
    return path


def with_mp4_chapters(tmp_path: Path) -> Path:
    path = tmp_path / "book.m4b"
    with av.open(str(MUSIC / "chimes.m4a")) as source, av.open(str(path), "w", format="mp4") as made:
        stream = made.add_stream_from_template(source.streams.audio[0])
        made.set_chapters(
            [
                {
                    "id": number,
                    "start": int(1000 * chapter.start),
                    "end": int(1000 * chapter.start) + 1000,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": chapter.text},
                }
                for number, chapter in enumerate(CHAPTERS)
            ]
        )
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return path


@pytest.mark.parametrize("make", [with_mp3_chapters, with_vorbis_chapters, with_mp4_chapters])
def test_chapters_are_a_list_that_plays_them(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    result = Tags(TagsConfig()).process(make_item(make(tmp_path), tmp_path / "work", kind="audio"))
    assert result is not None
    assert result.sections == (Section("Chapters", passages=CHAPTERS, folded=True),)


def test_the_words_of_a_song_are_shown_as_they_stand(tmp_path: Path) -> None:
    words, shown = "La  la\r\n\r\n[[la]]\n", "La la\n\n[[la]]"
    mp3, flac, m4a = (copy(tmp_path, name) for name in ("chimes.mp3", "chimes.flac", "chimes.m4a"))
    tags = ID3(mp3)
    tags.add(USLT(encoding=3, lang="eng", text=words))
    tags.save()
    vorbis = FLAC(flac)
    vorbis["LYRICS"] = words
    vorbis.save()
    atoms = MP4(m4a)
    atoms["\xa9lyr"] = [words]
    atoms.save()
    for path in (mp3, flac, m4a):
        item = make_item(path, tmp_path / "work", kind="audio")
        result = Tags(TagsConfig()).process(item)
        assert result is not None and result.sections == (Section("Lyrics", shown, plain=True, folded=True),)
        without = Tags(TagsConfig(lyrics=False)).process(item)
        assert without is not None and without.sections == ()


def bare(tmp_path: Path, name: str) -> Path:
    path = copy(tmp_path, name)
    file = mutagen.File(path)
    file.delete()
    return path


@pytest.mark.parametrize("name", ["chimes.mp3", "chimes.flac", "chimes.m4a", "chimes.opus"])
def test_what_telegram_knows_is_written_into_a_copy_of_files_without_tags(tmp_path: Path, name: str) -> None:
    path = bare(tmp_path, name)
    before = path.read_bytes()
    item = make_item(path, tmp_path / "work", kind="audio")
    assert item.file is not None
    item = replace(item, file=replace(item.file, title="Mill Lane", performer="Anna"))
    plugin = Tags(TagsConfig(write="copy"))
    assert (plugin.sees, Tags(TagsConfig()).sees) == ("message", "content")
    result = plugin.process(item)
    assert result is not None and result.replacement is not None and path.read_bytes() == before
    written = read_tags(result.replacement, 200)
    assert (written["title"], written["performer"]) == ("Mill Lane", "Anna")
    assert written["duration"] == read_tags(path, 200)["duration"]
    off = Tags(TagsConfig()).process(item)
    assert off is not None and off.replacement is None


def test_what_a_file_says_itself_is_not_written_over(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    tags.delall("TPE1")
    tags.save()
    item = make_item(path, tmp_path / "work", kind="audio")
    assert item.file is not None
    item = replace(item, file=replace(item.file, title="Another", performer="Anna"))
    result = Tags(TagsConfig(write="copy")).process(item)
    assert result is not None and result.replacement is not None
    written = read_tags(result.replacement, 200)
    assert (written["title"], written["performer"]) == (CHIMES["title"], "Anna")
    full = make_item(copy(tmp_path, "chimes.flac"), tmp_path / "work2", kind="audio")
    assert full.file is not None
    full = replace(full, file=replace(full.file, title="Another", performer="Anna"))
    untouched = Tags(TagsConfig(write="copy")).process(full)
    assert untouched is not None and untouched.replacement is None


#: What FFmpeg can make, the name mutagen's reader gives it, and how.
FORMATS = {
    "a.mp3": ("libmp3lame", "mp3", "MP3"),
    "a.flac": ("flac", "flac", "FLAC"),
    "a.opus": ("libopus", "ogg", "Opus"),
    "a.m4a": ("aac", "ipod", "AAC"),
    "alac.m4a": ("alac", "ipod", "ALAC"),
    "a.wav": ("pcm_s16le", "wav", "WAV"),
    "a.aiff": ("pcm_s16be", "aiff", "AIFF"),
    "a.wma": ("wmav2", "asf", "WMA"),
    "a.wv": ("wavpack", "wv", "WavPack"),
    "a.tta": ("tta", "tta", "True Audio"),
    "a.ac3": ("ac3", "ac3", "AC-3"),
    "a.aac": ("aac", "adts", "AAC"),
}


#: Formats that cannot have tags.
UNTAGGED = ("a.ac3", "a.aac")


@pytest.mark.parametrize("name", FORMATS)
def test_what_telegram_knows_is_written_in_any_format_and_the_sound_stays(tmp_path: Path, name: str) -> None:
    path = recorded(tmp_path, name)
    before = path.read_bytes()
    item = make_item(path, tmp_path / "work", kind="audio")
    assert item.file is not None
    item = replace(item, file=replace(item.file, title="Mill Lane", performer="Änna 😀"), thumbnail=thumbnail(tmp_path))
    result = Tags(TagsConfig(write="in-place")).process(item)
    assert result is not None and path.read_bytes() == before
    if name in UNTAGGED:
        assert result.replacement is None and not result.in_place
        return
    assert result.in_place and result.replacement is not None and result.replacement.suffix == path.suffix
    assert (result.fields["title"], result.fields["performer"]) == ("Mill Lane", "Änna 😀")
    assert samples(result.replacement) == samples(path)
    assert embedded_pictures(result.replacement) == [PICTURE]
    full = make_item(result.replacement, tmp_path / "work2", kind="audio")
    again = Tags(TagsConfig(write="in-place")).process(replace(full, file=item.file, thumbnail=item.thumbnail))
    assert again is not None and again.replacement is None and again.fields == result.fields


#: A picture as Telegram has it of music.
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20


def thumbnail(tmp_path: Path) -> Path:
    path = tmp_path / "thumbnail"
    path.write_bytes(PICTURE)
    return path


@pytest.mark.parametrize("picture", [b"", b"RIFF0000WEBP", b"\xff\xd8\xff" + bytes(1_000_000)])
def test_what_is_no_small_jpeg_is_no_cover(tmp_path: Path, picture: bytes) -> None:
    (tmp_path / "thumbnail").write_bytes(picture)
    item = make_item(copy(tmp_path, "chimes.mp3"), tmp_path / "work", kind="audio")
    result = Tags(TagsConfig(write="copy")).process(replace(item, thumbnail=tmp_path / "thumbnail"))
    assert result is not None and result.replacement is None


@pytest.mark.parametrize("name", ["chimes.mp3", "chimes.flac", "chimes.m4a", "chimes.opus"])
def test_a_cover_is_written_where_there_is_none_and_never_over_one(tmp_path: Path, name: str) -> None:
    item = make_item(copy(tmp_path, name), tmp_path / "work", kind="audio")
    own = embedded_pictures(item.path)
    result = Tags(TagsConfig(write="copy")).process(replace(item, thumbnail=thumbnail(tmp_path)))
    assert result is not None and (result.replacement is None) == bool(own)
    assert embedded_pictures(result.replacement or item.path) == (own or [PICTURE])


def samples(path: Path) -> bytes:
    """What is heard, decoded."""
    with av.open(str(path)) as container:
        return b"".join(bytes(frame.planes[0]) for frame in container.decode(audio=0))


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_made_in_any_format_is_known_and_measured(tmp_path: Path, name: str) -> None:
    fields = read_tags(recorded(tmp_path, name), 200)
    assert fields["format"] == FORMATS[name][2] and fields["duration"] == pytest.approx(2.0, abs=0.3)


def recorded(tmp_path: Path, name: str) -> Path:
    """Two seconds of a tone in one of ``FORMATS``."""
    codec, form, _ = FORMATS[name]
    path = tmp_path / name
    with av.open(str(path), "w", format=form) as made:
        stream = made.add_stream(codec, rate=48000)
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.bit_rate = "mono", 64_000
        for _ in range(100):
            frame = av.AudioFrame(format="s16", layout="mono", samples=stream.rate // 50)
            for plane in frame.planes:
                plane.update(bytes(n * 37 % 251 if n % 2 else 0 for n in range(plane.buffer_size)))
            frame.sample_rate = stream.rate
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("head", "told"), [(b"#!AMR\n" + bytes(50), "AMR"), (b"caff" + bytes(50), "CAF")])
def test_sound_that_has_no_tags_is_no_broken_file(tmp_path: Path, head: bytes, told: str) -> None:
    (tmp_path / "a.bin").write_bytes(head)
    assert read_tags(tmp_path / "a.bin", 200) == {"format": told}
