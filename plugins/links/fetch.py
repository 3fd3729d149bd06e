"""One web page fetched: from public computers only, so many bytes and seconds, redirects checked one by one."""

from __future__ import annotations

import asyncio
import socket

import httpx

from tobs_plugins.links.addresses import NotPublic
from tobs_plugins.links.page import Fetched, Limits, NoPage, NotNow

_MOST_REDIRECTS = 5
_MOST_ADDRESSES = 3

#: Seconds without a sign after which a server is given up.
_PATIENCE = 10.0

_PAGES = ("text/html", "application/xhtml+xml")
_MAX_URL = 2_000

#: Some servers answer nothing to a client they do not know.
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; tobs)",
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Encoding": "identity",  # nothing that could unpack to far more than it is
}


def fetch(url: str, limits: Limits) -> Fetched:
    """The page at ``url``. Raises NoPage, NotNow."""
    try:
        return asyncio.run(_fetched(_checked(url), limits))
    except TimeoutError as error:  # of all that is awaited together: a server may send a byte now and then
        raise NotNow(f"{_checked(url).host} took too long") from error


async def _fetched(target: httpx.URL, limits: Limits) -> Fetched:
    # No proxy from the environment: it would look the name up once more.
    client = httpx.AsyncClient(trust_env=False, headers=_HEADERS, follow_redirects=False, timeout=_PATIENCE)
    async with asyncio.timeout(limits.seconds), client:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await _ask(client, target, limits)
            if isinstance(answer, Fetched):
                return answer
            target = _checked(str(target.join(answer)))
    raise NoPage("it leads from page to page")


def _checked(url: str) -> httpx.URL:
    """``url`` without what follows ``#``. Raises NoPage for one that is not of the web."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise NoPage("no address") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or len(url) > _MAX_URL:
        raise NoPage("no page of the web")
    if parsed.userinfo:
        raise NoPage("it holds a password")
    return parsed.copy_with(fragment=None)


async def _ask(client: httpx.AsyncClient, url: httpx.URL, limits: Limits) -> Fetched | str:
    """The page at ``url``, or where it leads to."""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        addresses = limits.resolve(url.raw_host.decode("ascii"), port)
    except NotPublic as error:
        raise NoPage(str(error)) from error
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise NoPage(f"{url.host} is not known") from error
        raise NotNow(f"{url.host} cannot be looked up") from error
    except (OSError, UnicodeError) as error:
        raise NotNow(f"{url.host} cannot be looked up") from error
    for address in addresses[:_MOST_ADDRESSES]:
        try:
            return await _ask_at(client, url, address, limits)
        except httpx.ConnectError:
            continue
        except httpx.TimeoutException as error:
            raise NotNow(f"{url.host} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotNow(f"{url.host} broke off") from error
    raise NotNow(f"{url.host} cannot be reached")


async def _ask_at(client: httpx.AsyncClient, url: httpx.URL, address: str, limits: Limits) -> Fetched | str:
    """Ask the computer at ``address`` for ``url``: no other name or address is looked up on the way."""
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
            raise NotNow(f"{url.host} answered {response.status_code}")
        if response.status_code != 200:
            raise NoPage(f"{url.host} answered {response.status_code}")
        if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _PAGES:
            raise NoPage("no page, but a file")
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > limits.size:
                raise NoPage("larger than allowed")
        return Fetched(str(url), bytes(body), response.charset_encoding or "")
    finally:
        await response.aclose()
