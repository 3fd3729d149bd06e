"""A web page: its limits, its content, and the errors of fetching it."""

from __future__ import annotations

from msgspec import Struct

from tobs_plugins.links.addresses import Resolve, public_addresses


class NoPage(Exception):
    """There is no page behind this link; another attempt would not help."""


class RetryLater(Exception):
    """The page could not be fetched this time."""


class Limits(Struct, frozen=True):
    """Bytes and seconds for one page, redirects included. ``resolve`` finds the addresses of a host: by default only
    public ones."""

    size: int
    seconds: float
    resolve: Resolve = public_addresses


class Fetched(Struct, frozen=True):
    """A fetched page: its final address, its bytes, and their character set if the server named it."""

    url: str
    body: bytes
    charset: str
