"""The two client libraries and the sandbox speak one layer of Telegram's schema."""

from __future__ import annotations

from pyrogram.raw.all import layer as kurigram_layer
from telethon.tl.alltlobjects import LAYER as TELETHON_LAYER


def test_telethon_and_kurigram_are_of_one_layer() -> None:
    assert kurigram_layer == TELETHON_LAYER, (
        f"Telethon has layer {TELETHON_LAYER}, kurigram {kurigram_layer}: bump together (pyproject.toml)"
    )
