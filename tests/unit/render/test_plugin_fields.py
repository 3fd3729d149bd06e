"""What processors found, as parts of a note, whatever it holds."""

from __future__ import annotations

from tobs.render.catalogue import catalogue
from tobs.render.plugin_fields import field_properties, field_tags, produced_file, produced_paths, sections_markdown

_WORDS = catalogue("en")


def test_a_section_stands_under_its_heading_or_is_folded_away() -> None:
    sections = [
        {"title": "Text\nof it", "text": "one\n\ntwo\n", "folded": False},
        {"title": "Times", "text": "- a\n- b", "folded": True},
        {"title": "Nothing", "text": " \n", "folded": False},
    ]
    assert sections_markdown({"sections": sections}, _WORDS) == (
        "### Text of it\n\none\n\ntwo\n\n> [!quote]- Times\n> - a\n> - b"
    )
    assert sections_markdown({}, _WORDS) == ""


def test_text_that_is_no_markdown_stays_text() -> None:
    section = {"title": "Text", "text": "# [[a]] *b*\n---\n<% tp %>", "plain": True}
    assert (
        sections_markdown({"sections": [section]}, _WORDS) == "### Text\n\n\\# \\[\\[a\\]\\] \\*b\\*\n\\---\n<\\% tp %>"
    )


def test_passages_play_the_file_at_their_time() -> None:
    passages = [
        {"start": 0.4, "text": "One."},
        {"start": 65.9, "text": "- [[two]]\nthree"},
        {"start": 7207, "text": ""},
    ]
    section = {"title": "By time", "text": "", "folded": True, "passages": passages}
    assert sections_markdown({"sections": [section]}, _WORDS, "m/a.ogg") == (
        "> [!quote]- By time\n"
        "> - 0:00 ![[m/a.ogg#t=0]] One.\n"
        "> - 1:05 ![[m/a.ogg#t=65]] \\- \\[\\[two\\]\\] three\n"
        "> - 2:00:07 ![[m/a.ogg#t=7207]]"
    )
    assert sections_markdown({"sections": [section]}, _WORDS).splitlines()[1] == "> - 0:00 One."


def test_of_many_passages_the_first_ones_get_players() -> None:
    section = {"title": "T", "text": "", "passages": [{"start": n, "text": "x"} for n in range(100)]}
    lines = sections_markdown({"sections": [section]}, _WORDS, "a.ogg").splitlines()[2:]
    assert len(lines) == 100 and sum("![[" in line for line in lines) == 60
    assert lines[99] == "- [[a.ogg#t=99|1:39]] x"


def test_a_tag_that_obsidian_does_not_know_is_left_out() -> None:
    assert field_tags({"tags": ["jazz", "2024", "a/b"]}, "tg/") == ["tg/jazz", "tg/a/b"]


def test_properties_of_several_files_are_joined_and_the_first_file_wins() -> None:
    files = [{"pages": 3, "related": ["A|x]]", "B"], "sections": []}, {"pages": 9, "bpm": 90, "related": ["B"]}]
    assert field_properties(files) == [("bpm", 90), ("pages", 3), ("related", ["[[Ax]]", "[[B]]"])]
    assert field_properties([{"tags": ["x"], "files": [], "embed": "a.mp3", "transcript": "la"}]) == []


def test_a_made_file_is_found_by_its_role() -> None:
    fields = {"files": [{"role": "waveform", "path": "a.svg"}, {"role": "cover", "path": "a.jpg"}]}
    assert (produced_file(fields, "cover"), produced_file(fields, "poster"), produced_file({}, "cover")) == (
        "a.jpg",
        "",
        "",
    )
    assert produced_paths(fields | {"embed": "a.mp3"}) == ["a.mp3", "a.svg", "a.jpg"]


def test_headings_that_the_plugins_of_tobs_write_are_in_the_language_of_the_vault() -> None:
    sections = [{"title": "Transcript", "text": "a"}, {"title": "Of another plugin", "text": "b"}]
    assert (
        sections_markdown({"sections": sections}, catalogue("de")) == "### Abschrift\n\na\n\n### Of another plugin\n\nb"
    )
