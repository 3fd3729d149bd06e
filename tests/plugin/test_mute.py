"""Which messages have no note."""

from __future__ import annotations

from typing import Any

import pytest

from tobs.errors import ConfigError
from tobs.model import Message
from tobs.plugin import Enrichment, MessageItem
from tobs.plugin.configuration import read_config
from tobs_plugins.mute import Mute, MuteConfig


@pytest.mark.parametrize(
    ("config", "is_hidden"),
    [
        ({}, []),
        ({"service": True}, ["joined"]),
        ({"senders": ["ada"]}, ["hello"]),
        ({"matching": [r"buy\b.*now"]}, ["BUY it now"]),
        ({"senders": ["Ada", "Bo"], "chats": ["Elsewhere"]}, []),
        ({"senders": ["Ada", "Bo"], "chats": ["chat"]}, ["hello", "BUY it now"]),
    ],
)
def test_what_is_hidden(config: dict[str, Any], is_hidden: list[str]) -> None:
    plugin = Mute(read_config("mute", MuteConfig, config))
    items = [
        MessageItem(Message(chat_id=-1, id=1, date=0, text="hello"), "Chat", "Ada"),
        MessageItem(Message(chat_id=-1, id=2, date=0, text="BUY it now"), "Chat", "Bo"),
        MessageItem(Message(chat_id=-1, id=3, date=0, text="joined", kind="service"), "Chat", ""),
    ]
    assert [item.message.text for item in items if plugin.enrich(item) == Enrichment(hide=True)] == is_hidden


def test_a_pattern_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="is no pattern"):
        read_config("mute", MuteConfig, {"matching": ["("]})
