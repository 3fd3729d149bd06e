"""The plugin ``links``: saves the pages behind the links of a message."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated
from urllib.parse import urldefrag, urlsplit

from msgspec import Meta, Struct

from tobs.plugin import Enrichment, Message, MessageItem, NewNote, Plugin, Requirement, Unreadable, escaped
from tobs_plugins.links.addresses import public_addresses, resolved
from tobs_plugins.links.page import Limits, NoPage, RetryLater
from tobs_plugins.links.readable import Readable, destination, readable

#: Links into Telegram: their messages are in the vault or not accessible.
_TELEGRAM = ("t.me", "telegram.me", "telegram.dog", "telegram.org")

#: Pages remembered for the next messages: a link is often forwarded.
_REMEMBERED = 200


class LinksConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``links``."""

    most: Annotated[int, Meta(ge=1, le=50, description="Largest number of links that are followed for a message")] = 3
    max_megabytes: Annotated[float, Meta(gt=0, le=50, description="Largest page that is saved")] = 3
    seconds: Annotated[float, Meta(gt=0, le=60, description="Longest time for a page")] = 20
    max_length: Annotated[int, Meta(ge=1000, le=500_000, description="Longest text of a page, in characters")] = 60_000
    private: Annotated[bool, Meta(description="Also save pages in your own network; not for chats with strangers")] = (
        False
    )


class Links(Plugin[LinksConfig]):
    """Save readable copies of the pages behind links."""

    name = "links"
    version = "1"
    summary = "Saves readable copies of the web pages behind links, as notes (sends requests to their servers)"
    opt_in = True
    bound = "network"
    processes = 4
    batch = 20
    time_limit = 600.0

    def __init__(self, config: LinksConfig) -> None:
        super().__init__(config)
        self._known: dict[str, NewNote | NoPage | RetryLater] = {}

    def available(self) -> Requirement | None:
        """Check for trafilatura, which comes with an extra."""
        if find_spec("trafilatura") is None:
            return Requirement("the package trafilatura", "pip install trafilatura")
        return None

    def enrich(self, item: MessageItem) -> Enrichment | None:
        """Return notes of the pages behind the links of a message. Raises Unreadable if a page should be tried again
        later."""
        notes, failed = [], []
        for url in list(links_of(item.message))[: self.config.most]:
            match self._page(url):
                case NewNote() as note:
                    notes.append(note)
                case NoPage() as error:
                    failed.append(f"{url[:1000]}: {error}")
                case RetryLater() as error:
                    raise Unreadable(f"a page is missing: {error}")
        if not (notes or failed):
            return None
        return Enrichment(fields={"links_failed": failed} if failed else {}, notes=tuple(notes))

    def _page(self, url: str) -> NewNote | NoPage | RetryLater:
        """Return the note of the page at ``url``, or the error."""
        if url not in self._known:
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            try:
                self._known[url] = self._fetched(url)
            except (NoPage, RetryLater) as error:
                self._known[url] = error
        return self._known[url]

    def _fetched(self, url: str) -> NewNote:
        # Imported here because httpx would slow down every start of tobs.
        from tobs_plugins.links.fetch import fetch

        config = self.config
        resolve = resolved if config.private else public_addresses
        page = fetch(url, Limits(int(config.max_megabytes * 1_000_000), config.seconds, resolve))
        read = readable(page.body, page.charset, page.url)
        if read is None:
            raise NoPage("it has no readable text")
        return _note(url, read, config.max_length)


def links_of(message: Message) -> Iterator[str]:
    """Return the web addresses in the text of ``message``, each once and without its fragment."""
    units = message.text.encode("utf-16-le", "surrogatepass")
    seen = set()
    for entity in message.entities:
        if entity.kind == "text_link":
            url = entity.url
        elif entity.kind == "url":
            start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
            url = units[start:end].decode("utf-16-le", "ignore")
        else:
            continue
        url = url if "://" in url else f"http://{url}"
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        host = (parts.hostname or "").lower()
        if parts.scheme.lower() not in ("http", "https") or not host or host.removeprefix("www.") in _TELEGRAM:
            continue
        address = urldefrag(url).url
        if address not in seen:
            seen.add(address)
            yield address


def _note(url: str, page: Readable, max_length: int) -> NewNote:
    site = (urlsplit(url).hostname or "").removeprefix("www.")
    about = [escaped(each) for each in (page.author, page.published) if each]
    source = " · ".join([f"[{escaped(site)}]({destination(url)})", *about])
    fields = {"url": url, "site": site, "author": page.author, "published": page.published}
    return NewNote(
        key=url[:2000],
        title=page.title or site,
        text=f"{source}\n\n{_cut(page.text, max_length)}",
        fields={name: value for name, value in fields.items() if value},
    )


def _cut(text: str, length: int) -> str:
    """Return the paragraphs of ``text`` that fit into ``length`` characters."""
    if len(text) <= length:
        return text
    kept = text[:length].rpartition("\n\n")[0]
    return f"{kept}\n\n…" if kept else "…"
