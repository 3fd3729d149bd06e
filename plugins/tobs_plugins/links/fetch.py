"""Fetch a web page from public addresses only, with limits on bytes and seconds; every redirect is checked."""

from __future__ import annotations

import asyncio
import socket

import httpx

from tobs_plugins.links.addresses import NotPublic
from tobs_plugins.links.page import Fetched, Limits, NoPage, RetryLater

_MOST_REDIRECTS = 5
_MOST_ADDRESSES = 3

#: Seconds without data after which a request fails.
_PATIENCE = 10.0

_PAGES = ("text/html", "application/xhtml+xml")
_MAX_URL = 2_000

#: Some servers do not answer unknown clients.
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; tobs)",
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Encoding": "identity",  # a compressed answer could unpack to far more than its size
}


def fetch(url: str, limits: Limits) -> Fetched:
    """Fetch the page at ``url``. Raises NoPage, RetryLater."""
    try:
        return asyncio.run(_fetched(_checked(url), limits))
    except TimeoutError as error:  # of the whole request: a server may send single bytes
        raise RetryLater(f"{_checked(url).host} took too long") from error


async def _fetched(target: httpx.URL, limits: Limits) -> Fetched:
    # No proxy from the environment: it would look the name up once more.
    client = httpx.AsyncClient(trust_env=False, headers=_HEADERS, follow_redirects=False, timeout=_PATIENCE)
    async with asyncio.timeout(limits.seconds), client:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await _ask(client, target, limits)
            if isinstance(answer, Fetched):
                return answer
            target = _checked(str(target.join(answer)))
    raise NoPage("too many redirects")


def _checked(url: str) -> httpx.URL:
    """Parse ``url`` and remove its fragment. Raises NoPage if it is no web address."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise NoPage("no address") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or len(url) > _MAX_URL:
        raise NoPage("no web page")
    if parsed.userinfo:
        raise NoPage("the address contains a password")
    return parsed.copy_with(fragment=None)


async def _ask(client: httpx.AsyncClient, url: httpx.URL, limits: Limits) -> Fetched | str:
    """Return the page at ``url``, or the address of its redirect."""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        addresses = limits.resolve(url.raw_host.decode("ascii"), port)
    except NotPublic as error:
        raise NoPage(str(error)) from error
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise NoPage(f"{url.host} is not known") from error
        raise RetryLater(f"{url.host} cannot be looked up") from error
    except (OSError, UnicodeError) as error:
        raise RetryLater(f"{url.host} cannot be looked up") from error
    for address in addresses[:_MOST_ADDRESSES]:
        try:
            return await _ask_at(client, url, address, limits)
        except httpx.ConnectError:
            continue
        except httpx.TimeoutException as error:
            raise RetryLater(f"{url.host} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RetryLater(f"{url.host} closed the connection") from error
    raise RetryLater(f"{url.host} cannot be reached")


async def _ask_at(client: httpx.AsyncClient, url: httpx.URL, address: str, limits: Limits) -> Fetched | str:
    """Request ``url`` from the computer at ``address``; no other name or address is looked up."""
    request = client.build_request(
        "GET",
        url.copy_with(host=address),
        headers={"Host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},  # the certificate has to be the host's
    )
    response = await client.send(request, stream=True)
    try:
        if response.has_redirect_location:
            return response.headers["Location"]
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise RetryLater(f"{url.host} answered {response.status_code}")
        if response.status_code != 200:
            raise NoPage(f"{url.host} answered {response.status_code}")
        if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _PAGES:
            raise NoPage("a file, not a web page")
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > limits.size:
                raise NoPage("larger than allowed")
        return Fetched(str(url), bytes(body), response.charset_encoding or "")
    finally:
        await response.aclose()
