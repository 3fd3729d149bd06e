"""The plugin ``mute``: decides which messages get no note."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Enrichment, MessageItem, Plugin


class MuteConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``mute``."""

    service: Annotated[bool, Meta(description="Hide service messages (joins, pins, new titles)")] = False
    senders: Annotated[tuple[str, ...], Meta(description="Hide messages of these people and bots, by their names")] = ()
    matching: Annotated[
        tuple[str, ...], Meta(description="Hide messages whose text matches one of these patterns (any case)")
    ] = ()
    chats: Annotated[tuple[str, ...], Meta(description="Only in these chats, by their titles; empty: in all")] = ()

    def __post_init__(self) -> None:
        for pattern in self.matching:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"matching: {pattern!r} is no pattern: {error}") from error


class Mute(Plugin[MuteConfig]):
    """Hide unwanted messages: they stay in the archive and get no note."""

    name = "mute"
    version = "1"
    summary = "Hides messages: service messages, senders, patterns"
    opt_in = True
    batch = 200
    time_limit = 10.0

    def __init__(self, config: MuteConfig) -> None:
        super().__init__(config)
        self._senders = {name.casefold() for name in config.senders}
        self._chats = {title.casefold() for title in config.chats}
        self._matching = [re.compile(pattern, re.IGNORECASE) for pattern in config.matching]

    def enrich(self, item: MessageItem) -> Enrichment | None:
        """Hide the message if the options say so."""
        return Enrichment(hide=True) if self._is_muted(item) else None

    def _is_muted(self, item: MessageItem) -> bool:
        if self._chats and item.chat.casefold() not in self._chats:
            return False
        if self.config.service and item.message.kind == "service":
            return True
        return item.sender.casefold() in self._senders or any(
            pattern.search(item.message.text) for pattern in self._matching
        )
