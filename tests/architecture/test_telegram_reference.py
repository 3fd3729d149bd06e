"""Every constructor a message can hold has its row in docs/reference/telegram.md."""

from __future__ import annotations

import re

import pytest
from telethon.tl import types
from telethon.tl.alltlobjects import LAYER, tlobjects

from tests.architecture.source import REPO
from tests.tl_reference import FAMILIES, message_fields

PAGE = (REPO / "docs" / "reference" / "telegram.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE, re.M))
#: By name: a family that the layer grows without our noticing cannot hide behind another type.
PREFIXES = (
    *("MessageMedia", "MessageAction", "MessageEntity", "MessageExtendedMedia", "PageBlock", "PageListItem"),
    *("PageListOrderedItem", "ReactionEmoji", "ReactionCustomEmoji", "ReactionPaid", "InlineButtonType", "StoryItem"),
)


def schema() -> dict[str, type]:
    """Every constructor of the layer that Telethon reads, by name."""
    return {kind.__name__: kind for kind in tlobjects.values() if kind.__module__.startswith("telethon.tl.types")}


def test_every_constructor_of_the_layer_has_a_row() -> None:
    families = {parent.SUBCLASS_OF_ID for _, parent, _ in FAMILIES} | {types.MessageActionEmpty.SUBCLASS_OF_ID}
    wanted = {name for name, kind in schema().items() if kind.SUBCLASS_OF_ID in families}
    wanted |= {name for name in schema() if name.startswith(PREFIXES)}
    assert len(wanted) > 200
    assert sorted(wanted - set(ROWS)) == []


@pytest.mark.parametrize("kind", [types.Message, types.MessageService], ids=lambda kind: kind.__name__)
def test_every_field_of_a_message_has_a_row(kind: type) -> None:
    assert [name for name in message_fields() if name not in ROWS] == []


def test_every_row_says_something_and_names_the_layer() -> None:
    assert f"layer {LAYER} " in PAGE
    assert [name for name, told in ROWS.items() if not told.rpartition("|")[2].strip()] == []
