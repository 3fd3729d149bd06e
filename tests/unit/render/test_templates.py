"""Templates: tobs' own are right, those of a vault are sandboxed, and a broken one is told with its line."""

from __future__ import annotations

import pytest

from tobs.errors import TemplateBroken
from tobs.model import Chat, Message
from tobs.render.builtin import builtin_templates, load_builtin
from tobs.render.notes import render_message
from tobs.render.samples import check_templates
from tobs.render.templates import Templates
from tobs.render.views import Links, RenderOptions

_CHAT = Chat(-1000000000005, "channel", "Club")


def _templates(source: str, name: str = "message.md.j2", **others: str) -> Templates:
    """tobs' own templates, with one that a vault brings and more parts of the vault's."""

    def load(wanted: str) -> tuple[str, bool] | None:
        if wanted == name:
            return source, False
        part = others.get(wanted.partition(".")[0])
        return (part, False) if part is not None else load_builtin(wanted)

    return Templates(load)


def _text(templates: Templates) -> str:
    message = Message(chat_id=_CHAT.id, id=1, date=0, text="a *b*")
    note = render_message([message], _CHAT, Links(), RenderOptions(), templates)
    return note.text.partition("\n---\n\n")[2]


def test_the_templates_tobs_brings_render_every_kind_of_note() -> None:
    names = {"message.md.j2", "day.md.j2", "chat.md.j2", "person.md.j2", "topic.md.j2", "audio.md.j2", "index.md.j2"}
    assert set(builtin_templates()) == names
    assert check_templates(Templates(load_builtin)) == []


def test_a_template_of_the_vault_makes_the_body() -> None:
    templates = _templates("{% for message in messages %}{{ message.date.year }}: {{ message.text }}{% endfor %}\n\n")
    assert _text(templates) == "1970: a \\*b\\*\n"


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("a\n{{ note.nothing }}", 2, "nothing"),
        ("a\n\n{% if %}", 3, ""),
        ("{{ note.chat.__class__.__mro__ }}", 1, "unsafe"),
        ("{{ blocks.__globals__ }}", 1, ""),
        ("a\n{% include 'none.md.j2' %}", 2, "there is no template none.md.j2"),
        ("a\n{{ words('nothing') }}", 2, "there is no 'nothing'"),
        ("{{ 1 / 0 }}", 1, "division"),
    ],
)
def test_a_broken_template_is_told_with_file_and_line(source: str, line: int, word: str) -> None:
    with pytest.raises(TemplateBroken) as told:
        _text(_templates(source))
    assert "message.md.j2" in told.value.message and word in told.value.message and told.value.remedy
    assert not line or f"line {line}:" in told.value.message


def test_tobs_own_template_that_includes_one_of_the_vault_is_sandboxed_too() -> None:
    def load(name: str) -> tuple[str, bool] | None:
        return (
            ("{% include 'part.md.j2' %}", True)
            if name == "message.md.j2"
            else ("{{ note.__class__.__base__ }}", False)
        )

    with pytest.raises(TemplateBroken):
        _text(Templates(load))


def test_the_check_finds_what_is_wrong_in_each_template() -> None:
    wrong = check_templates(_templates("{{ chat.nothing }}", "chat.md.j2"))
    assert ["chat.md.j2, line 1" in error.message for error in wrong] == [True]


@pytest.mark.parametrize("source", ["a\n\n{{ nothing.here }}", "a\n\n{% if %}"])
def test_the_check_finds_what_is_wrong_in_all_of_them_at_once(source: str) -> None:
    wrong = check_templates(Templates(lambda name: (source, False)))
    assert {(error.template, error.line) for error in wrong} == {(name, 3) for name in builtin_templates()}
