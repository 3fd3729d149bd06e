"""Restrict links to addresses of the public internet, never the owner's own network.

Links in messages are written by other people. Without this check a link could make tobs send a request to the router, a
printer, or the metadata service of a cloud, and store the answer in a note.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

#: Function from host and port to addresses; raises the errors of ``socket.getaddrinfo``.
Resolve = Callable[[str, int], list[str]]

#: IPv6 ranges with embedded IPv4 addresses (NAT64, RFC 6052; 6to4, RFC 3056), and the offset of the four bytes.
_EMBEDDED = ((ip_network("64:ff9b::/96"), 12), (ip_network("2002::/16"), 2))

#: The public range of IPv6, and examples in it (RFC 9637) that older Pythons do not know. All other addresses are
#: local, deprecated (``::127.0.0.1``, ``fec0::1``), or translated by the local network (``64:ff9b:1::/48``).
#: Source: https://www.iana.org/assignments/iana-ipv6-special-registry
_INTERNET = ip_network("2000::/3")
_EXAMPLES = ip_network("3fff::/20")


class NotPublic(Exception):
    """The host is not one of the public internet."""


def resolved(host: str, port: int) -> list[str]:
    """Resolve ``host`` with the system: its addresses, each once. Raises OSError (socket.gaierror)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def public_addresses(host: str, port: int, *, resolve: Resolve = resolved) -> list[str]:
    """Resolve ``host``. The connection uses one of these addresses, so a different second answer of the name server has
    no effect. Raises NotPublic if any of them is not public, OSError if there is none."""
    addresses = resolve(host, port)
    for address in addresses:
        if not is_public(address):
            raise NotPublic(f"{host} is no public address")
    return addresses


def is_public(address: str) -> bool:
    """Report whether ``address`` (text; IPv6 also with a zone) belongs to the public internet."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(map(_is_of_the_internet, _meant(known)))


def _is_of_the_internet(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in _INTERNET or address in _EXAMPLES):
        return False
    return address.is_global and not address.is_multicast


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the IPv4 address embedded in ``address``, or ``address`` itself."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    for network, at in _EMBEDDED:
        if address in network:
            return [IPv4Address(address.packed[at : at + 4])]
    return [address]
