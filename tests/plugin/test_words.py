"""Functions that plugins give to templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tobs.errors import TemplateBroken
from tobs.plugin import NoConfig, Plugin
from tobs.plugin.catalogue import load_plugins
from tobs.plugin.functions import gather_functions, open_functions
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef
from tobs.render.templates import Templates
from tobs_plugins.words import Words, WordsConfig
from tobs_plugins.words.plugin import excerpt, word_count


def test_words_are_counted_without_what_markdown_adds() -> None:
    text = "**Don't** look at [this page](https://example.com/a-b) or [[Telegram/A note|that]], it's 3 a.m."
    assert word_count(text) == 11
    assert excerpt(text, 4) == "Don't look at this…"
    assert excerpt("two words", 4) == "two words"
    assert [Words(WordsConfig()).reading_minutes("a " * count) for count in (0, 1, 230, 231)] == [0, 1, 1, 2]


class Odd(Plugin[NoConfig]):
    name = "odd"
    version = "1"

    def template_functions(self) -> Mapping[str, Callable[..., object]]:
        return {"not a name": len}


class Loud(Plugin[NoConfig]):
    name = "loud"
    version = "1"

    def template_functions(self) -> Mapping[str, Callable[..., object]]:
        return {"upper": lambda text: "mine", "shout": lambda text: f"{text}!"}


def made(plugin: type[Plugin[NoConfig]]) -> Processor:
    return Processor.of(plugin(NoConfig()), PluginRef(__name__, plugin.__name__))


def rendered(source: str, *plugins: type[Plugin[NoConfig]]) -> str:
    functions = gather_functions(made(plugin) for plugin in plugins)
    return Templates({"a": (source, False)}.get, functions.by_name).render("a", {"text": "hey"})


def test_a_template_uses_them_as_filters_and_functions_and_its_own_names_stay() -> None:
    assert rendered("{{ text | shout }} {{ shout('ho') }} {{ text | upper }}", Loud) == "hey! ho! HEY"
    with pytest.raises(TemplateBroken, match="No filter named 'shout'"):
        rendered("{{ text | shout }}")


def test_a_plugin_that_gives_nonsense_gives_nothing_and_is_told() -> None:
    functions = gather_functions([made(Odd), made(Loud)])
    assert list(functions.by_name) == ["upper", "shout"]
    ((name, reason),) = functions.faults
    assert name == "odd" and "is no function with a name that templates can use" in reason


def test_another_process_opens_the_same_functions() -> None:
    ready = load_plugins(settings={"words": {"per_minute": 60}}).having("template_functions")
    functions = gather_functions(ready)
    assert functions.faults == ()
    again = open_functions(functions.openings)
    assert set(again) == set(functions.by_name) >= {"word_count", "reading_minutes", "excerpt"}
    assert again["reading_minutes"]("a " * 120) == 2
