"""A plugin's options: typed, with defaults, and wrong ones named."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta, Struct

from tobs.errors import ConfigError
from tobs.plugin import EFFORT, SECRET
from tobs.plugin.configuration import Option, assign_variables, config_digest, describe_config, read_config


class Options(Struct, frozen=True):
    model: str
    beam: Annotated[int, Meta(ge=1, le=10, description="Paths followed at a time")] = 5
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.model == "cursed":
            raise ValueError("this model is cursed")


def test_text_of_the_environment_becomes_what_the_option_is() -> None:
    assert read_config("whisper", Options, {"model": "tiny", "beam": "3"}) == Options("tiny", 3)


def test_every_wrong_option_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config("whisper", Options, {"beam": 11, "langages": ["en"], "languages": [1]})
    assert caught.value.message == (
        "The configuration of plugin whisper is wrong: langages is no option (did you mean languages?); "
        "model has to be given; beam: expected int <= 10; languages: expected str, got int - at $[0]."
    )
    assert "[plugins.whisper]" in caught.value.remedy


def test_a_rule_over_several_options_is_told() -> None:
    with pytest.raises(ConfigError, match="this model is cursed"):
        read_config("whisper", Options, {"model": "cursed"})


def test_options_are_described_with_their_defaults() -> None:
    assert describe_config(Options) == (
        Option("model", "str", required=True),
        Option("beam", "int", 5, description="Paths followed at a time"),
        Option("languages", "list of str", ()),
    )


def test_the_digest_tells_configurations_apart() -> None:
    assert config_digest(Options("a")) == config_digest(Options("a", 5)) != config_digest(Options("a", 6))


class Remote(Struct, frozen=True):
    key: Annotated[str, Meta(max_length=99, description="Its key"), SECRET] = ""
    threads: Annotated[int, Meta(ge=0), EFFORT] = 0
    model: str = "tiny"


def test_results_do_not_depend_on_secrets_and_effort() -> None:
    assert config_digest(Remote()) == config_digest(Remote(key="k", threads=4)) != config_digest(Remote(model="base"))
    assert [option.name for option in describe_config(Remote) if option.secret] == ["key"]


def test_a_list_in_a_variable_is_written_with_commas() -> None:
    assert read_config("whisper", Options, {"model": "a,b", "languages": "en, de,"}) == Options("a,b", 5, ("en", "de"))


KNOWN = {"whisper": ["model", "api_key"], "whisper-api": ["key", "base_url"], "plain": []}


@pytest.mark.parametrize(
    ("variable", "plugin", "option"),
    [
        ("whisper_model", "whisper", "model"),
        ("whisper_api_base_url", "whisper-api", "base_url"),
        ("whisper_api_key", "whisper-api", "key"),
        ("plain_anything", "plain", "anything"),
    ],
)
def test_a_variable_belongs_to_the_plugin_that_has_the_option(variable: str, plugin: str, option: str) -> None:
    assert assign_variables({variable: "x"}, KNOWN) == {plugin: {option: "x"}}


def test_a_variable_that_names_no_plugin_is_left_out_and_one_that_names_no_option_is_refused() -> None:
    assert assign_variables({"other_key": "x", "whisper": "y"}, KNOWN) == {}
    with pytest.raises(ConfigError, match="TOBS_PLUGIN_WHISPER_MODLE names no option of plugin whisper") as caught:
        assign_variables({"whisper_modle": "a secret"}, KNOWN)
    assert "secret" not in f"{caught.value.message}{caught.value.remedy}"
