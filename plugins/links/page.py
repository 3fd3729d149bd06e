"""A web page that is wanted: within which limits, what came, and why none did."""

from __future__ import annotations

from msgspec import Struct

from tobs_plugins.links.addresses import Resolve, public_addresses


class NoPage(Exception):
    """There is no page to be had behind this link, and another attempt changes nothing."""


class NotNow(Exception):
    """The page could not be fetched this time."""


class Limits(Struct, frozen=True):
    """Bytes and seconds for one page, redirects included. ``resolve`` says where a host is: by default on the public
    internet only."""

    size: int
    seconds: float
    resolve: Resolve = public_addresses


class Fetched(Struct, frozen=True):
    """A page as it came: the address it was found at in the end, its bytes, and their character set, if told."""

    url: str
    body: bytes
    charset: str
