"""Telegram itself as a source."""

from __future__ import annotations

from tobs.sources.source import Source
from tobs.telegram.facade import Telegram


def live_source(telegram: Telegram) -> Source:
    """Messages and files of the logged-in account."""
    return Source(walk=telegram.walk, fetch_file=telegram.fetch_file)
