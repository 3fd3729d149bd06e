"""A key exchange may fail by chance: one in 256 does with Telethon, whose key loses a leading zero byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.telegram_room import settings_for, sign_in
from tobs.sandbox import open_world, serve
from tobs.sandbox.crypto import handshake
from tobs.sandbox.crypto.handshake import Handshake


async def test_a_shared_key_with_a_leading_zero_byte_is_agreed_on_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's secret is 0 at first, so that the shared key is 1: nothing but leading zeros."""
    exchanges = 0
    offer = Handshake._offer_dh

    def offer_with_zeros(self: Handshake, request: Any) -> bytes:
        nonlocal exchanges
        exchanges += 1
        answer = offer(self, request)
        if exchanges == 1:
            self._secret = 0
        return answer

    monkeypatch.setattr(handshake.Handshake, "_offer_dh", offer_with_zeros)
    async with serve(open_world("synthetic:messages=5,chats=1,media=0,seed=1")) as sandbox:
        account = await sign_in(sandbox, settings_for(sandbox, tmp_path))
    assert account.id
    assert exchanges >= 2
