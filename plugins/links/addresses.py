"""Which computers a link may lead to: public ones, never those of the owner's own network.

A link in a message was written by somebody else. Without this it could make tobs ask the router, a printer, or a
cloud's metadata service, and put the answer into a note.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

#: Host and port to addresses; fails as ``socket.getaddrinfo`` does.
Resolve = Callable[[str, int], list[str]]

#: IPv6 ranges that stand for IPv4 addresses (NAT64, RFC 6052; 6to4, RFC 3056): where their four bytes begin.
_EMBEDDED = ((ip_network("64:ff9b::/96"), 12), (ip_network("2002::/16"), 2))

#: What the internet uses of IPv6; examples among it (RFC 9637) that older Pythons do not know. All else is local, of
#: former times (``::127.0.0.1``, ``fec0::1``), or what a network translates as it likes (``64:ff9b:1::/48``).
#: Source: https://www.iana.org/assignments/iana-ipv6-special-registry
_INTERNET = ip_network("2000::/3")
_EXAMPLES = ip_network("3fff::/20")


class NotPublic(Exception):
    """The host is not one of the public internet."""


def resolved(host: str, port: int) -> list[str]:
    """The addresses of ``host``, each once, as the system finds them. Raises OSError (socket.gaierror)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def public_addresses(host: str, port: int, *, resolve: Resolve = resolved) -> list[str]:
    """The addresses of ``host``: what is connected to is one of these, so that a second answer of the name server
    changes nothing. Raises NotPublic when only one of them is not public, OSError when there is none."""
    addresses = resolve(host, port)
    for address in addresses:
        if not is_public(address):
            raise NotPublic(f"{host} is no public address")
    return addresses


def is_public(address: str) -> bool:
    """Whether ``address`` (text; IPv6 also with a zone) belongs to the public internet."""
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
    """``address`` and the IPv4 address it stands for, if it does."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    for network, at in _EMBEDDED:
        if address in network:
            return [IPv4Address(address.packed[at : at + 4])]
    return [address]
