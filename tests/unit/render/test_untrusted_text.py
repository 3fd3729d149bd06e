"""Messages are untrusted: whatever they say, nothing in a note comes alive that its author did not mean."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.render.test_markdown_read_back import ALPHABET
from tobs.model import (
    Chat,
    Contact,
    Entity,
    FileItem,
    Game,
    Message,
    Person,
    Poll,
    PollAnswer,
    RichBlock,
    Text,
    WebPage,
)
from tobs.render.builtin import load_builtin
from tobs.render.inline import styled_lines
from tobs.render.links import NO_TARGETS
from tobs.render.markdown import to_markdown
from tobs.render.notes import render_message
from tobs.render.overview import render_person
from tobs.render.simple_text import simple_lines
from tobs.render.spans import text_spans
from tobs.render.templates import Templates
from tobs.render.views import Attachment, Links, PersonStats, RenderOptions

_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["<%", "%>", "[[", "]]", "%%", "==", "::", "$$", "$", "![", "](", ")", "^a", " ^id", "#tag", "\n", " ", "`",
             "= ", "<b", ">", "<!--", "&lt;", "\\", "|", "-", "key:: v", "```dataview", "obsidian://", "http://e.example"]
        ),
        st.text(st.sampled_from(ALPHABET), max_size=3),
    ),
    max_size=12,
).map("".join)  # fmt: skip
_KINDS = ["bold", "italic", "underline", "strikethrough", "spoiler", "text_link", "mention", "hashtag", "url", "code"]
_ENTITIES = st.lists(
    st.builds(
        lambda kind, offset, length, url: Entity(kind, offset, length, url=url),
        st.sampled_from(_KINDS),
        st.integers(0, 30),
        st.integers(0, 30),
        st.sampled_from(["http://e.example/[[x]]<%", "javascript:x", "https://e.example/%%a::b", "obsidian://x", ""]),
    ),
    max_size=5,
)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|<[a-z]+:[^>\s]*>")

_DESTINATION = re.compile(r"\]\((?:<[^>]*>|[^\s()]*)\)")


def _assert_dead(markdown: str) -> None:
    """No Templater command at all; outside of code no wikilink, comment, highlight, field or block id."""
    assert "<%" not in markdown
    for line in markdown.split("\n"):
        bare = _CODE.sub("`", line.replace("\\`", "'"))
        assert "[[" not in bare and "%%" not in bare and "::" not in bare
        assert not re.search(r"(?:^|\s)\^[A-Za-z0-9-]+\s*$", bare)
        assert "==" not in bare.replace("\\=\\=", "")
        bare = _DESTINATION.sub("]()", bare)
        assert not re.search(r"(?<!\\)!\[", bare)
        assert not re.search(r"(?<!\\)\$", bare)


@given(_PIECES, _ENTITIES)
def test_nothing_in_a_text_comes_alive(text: str, entities: list[Entity]) -> None:
    _assert_dead(to_markdown(text, entities))


@given(_PIECES, _ENTITIES)
def test_the_short_way_writes_what_the_long_way_writes(text: str, entities: list[Entity]) -> None:
    clean, found = text_spans(text, entities)
    short = simple_lines(clean, 0, len(clean), found, "", NO_TARGETS)
    if short is not None:
        assert styled_lines(clean, 0, len(clean), found, "", NO_TARGETS) == short


@given(_PIECES)
@example("^a\xa0")
def test_nothing_in_names_titles_and_captions_comes_alive(text: str) -> None:
    templates = Templates(load_builtin)
    chat = Chat(-1000000000005, "channel", text or "x", about=text)
    links = Links(
        person=lambda marked: ("", text), attachment=lambda message, index: Attachment("failed", reason=text, name=text)
    )
    for media in (
        FileItem("document", name=text, title=text),
        Poll(Text(text), (PollAnswer(Text(text), voters=1),), solution=Text(text)),
        Contact(text, text),
        WebPage("http://e.example", site=text, title=text, description=text),
        Game(text, text),
    ):
        message = Message(
            chat_id=chat.id, id=1, date=0, sender_id=7, media=media, signature=text, restriction=text, fact_check=text
        )
        note = render_message([message], chat, links, RenderOptions(), templates).text
        head, _, body = note.removeprefix("---\n").partition("\n---\n")
        assert "<%" not in head and "[[" not in head
        _assert_dead(body)
    person = render_person(Person(7, text, about=text), PersonStats(aliases=(text,)), links, RenderOptions(), templates)
    _assert_dead(person.text.partition("\n---\n")[2])


@given(_PIECES)
def test_nothing_in_a_rich_message_comes_alive(text: str) -> None:
    plain = RichBlock("plain", text)
    chat = Chat(-1000000000005, "channel", "x")
    blocks = (
        RichBlock("heading", values={"level": 2}, children=(plain,)),
        RichBlock("paragraph", children=(RichBlock("bold", children=(plain,)), plain)),
        RichBlock("list", children=(RichBlock("list_item", children=(plain,)),)),
        RichBlock("table", children=(RichBlock("table_row", children=(RichBlock("table_cell", children=(plain,)),)),)),
        RichBlock("blockquote", children=(plain, RichBlock("caption", children=(plain,)))),
        RichBlock(
            "details", children=(RichBlock("title", children=(plain,)), RichBlock("paragraph", children=(plain,)))
        ),
        RichBlock("unheard_of", children=(plain,)),
    )
    message = Message(chat_id=chat.id, id=1, date=0, blocks=blocks)
    note = render_message([message], chat, Links(), RenderOptions(), Templates(load_builtin)).text
    _assert_dead(note.partition("\n---\n")[2])


@pytest.mark.parametrize("source", ["a$b", "\\href{javascript:x}{y}", "<% x %>", "a\n\nb"])
def test_a_formula_that_could_break_out_is_code(source: str) -> None:
    chat = Chat(-1000000000005, "channel", "x")
    message = Message(chat_id=chat.id, id=1, date=0, blocks=(RichBlock("math", values={"source": source}),))
    note = render_message([message], chat, Links(), RenderOptions(), Templates(load_builtin)).text
    assert "$$" not in note and "```tex\n" in note and "<%" not in note
