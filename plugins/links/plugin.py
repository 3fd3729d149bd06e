"""The plugin ``links``: one message in, the pages behind its links out."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated
from urllib.parse import urldefrag, urlsplit

from msgspec import Meta, Struct

from tobs.plugin import Enrichment, Message, MessageItem, NewNote, Plugin, Requirement, Unreadable, escaped
from tobs_plugins.links.addresses import public_addresses, resolved
from tobs_plugins.links.page import Limits, NoPage, NotNow
from tobs_plugins.links.readable import Readable, destination, readable

#: Links into Telegram: their messages are in the vault, or are not to be had.
_TELEGRAM = ("t.me", "telegram.me", "telegram.dog", "telegram.org")

#: Pages remembered for the next messages: a link is often passed on.
_REMEMBERED = 200


class LinksConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``links``."""

    most: Annotated[int, Meta(ge=1, le=50, description="How many links of a message are followed")] = 3
    max_megabytes: Annotated[float, Meta(gt=0, le=50, description="Larger pages are left out")] = 3
    seconds: Annotated[float, Meta(gt=0, le=60, description="How long a page may take")] = 20
    max_length: Annotated[int, Meta(ge=1000, le=500_000, description="Longest text of a page, in characters")] = 60_000
    private: Annotated[bool, Meta(description="Also pages in your own network; never for chats with strangers")] = False


class Links(Plugin[LinksConfig]):
    """Keeps a readable copy of the pages behind links."""

    name = "links"
    version = "1"
    summary = "Keeps a readable copy of the web pages behind links, as notes (asks their servers)"
    opt_in = True
    bound = "network"
    processes = 4
    batch = 20
    time_limit = 600.0

    def __init__(self, config: LinksConfig) -> None:
        super().__init__(config)
        self._known: dict[str, NewNote | NoPage | NotNow] = {}

    def available(self) -> Requirement | None:
        """trafilatura comes with an extra."""
        if find_spec("trafilatura") is None:
            return Requirement("the package trafilatura", "pip install trafilatura")
        return None

    def enrich(self, item: MessageItem) -> Enrichment | None:
        """Notes of the pages behind the links of a message. Raises Unreadable when one should be tried again later."""
        notes, failed = [], []
        for url in list(links_of(item.message))[: self.config.most]:
            match self._page(url):
                case NewNote() as note:
                    notes.append(note)
                case NoPage() as error:
                    failed.append(f"{url[:1000]}: {error}")
                case NotNow() as error:
                    raise Unreadable(f"a page is missing: {error}")
        if not (notes or failed):
            return None
        return Enrichment(fields={"links_failed": failed} if failed else {}, notes=tuple(notes))

    def _page(self, url: str) -> NewNote | NoPage | NotNow:
        """The note of the page at ``url``, or why there is none."""
        if url not in self._known:
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            try:
                self._known[url] = self._fetched(url)
            except (NoPage, NotNow) as error:
                self._known[url] = error
        return self._known[url]

    def _fetched(self, url: str) -> NewNote:
        # With it comes httpx, which every start of tobs would wait for.
        from tobs_plugins.links.fetch import fetch

        config = self.config
        resolve = resolved if config.private else public_addresses
        page = fetch(url, Limits(int(config.max_megabytes * 1_000_000), config.seconds, resolve))
        read = readable(page.body, page.charset, page.url)
        if read is None:
            raise NoPage("nothing on it can be read")
        return _note(url, read, config.max_length)


def links_of(message: Message) -> Iterator[str]:
    """The web addresses in the text of ``message``, each once and without what follows ``#``."""
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
    told = {"url": url, "site": site, "author": page.author, "published": page.published}
    return NewNote(
        key=url[:2000],
        title=page.title or site,
        text=f"{source}\n\n{_cut(page.text, max_length)}",
        fields={name: value for name, value in told.items() if value},
    )


def _cut(text: str, length: int) -> str:
    """The paragraphs of ``text`` that fit into ``length`` characters."""
    if len(text) <= length:
        return text
    kept = text[:length].rpartition("\n\n")[0]
    return f"{kept}\n\n…" if kept else "…"
