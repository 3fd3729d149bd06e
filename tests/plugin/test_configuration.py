"""A plugin's options: typed, with defaults, and wrong ones named."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta, Struct

from tobs.errors import ConfigError
from tobs.plugin.configuration import Option, config_digest, describe_config, read_config


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
        Option("languages", "tuple[str, ...]", ()),
    )


def test_the_digest_tells_configurations_apart() -> None:
    assert config_digest(Options("a")) == config_digest(Options("a", 5)) != config_digest(Options("a", 6))
