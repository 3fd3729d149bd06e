"""The note that lists the chats of the vault."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tobs.model import ChatKind
from tobs.render.context import Context
from tobs.render.frontmatter import Value
from tobs.render.links import wikilink
from tobs.render.notes import finish
from tobs.render.templates import Templates
from tobs.render.views import Links, Rendered, RenderOptions

INDEX_TEMPLATE = "index.md.j2"


class IndexedChat(Struct, frozen=True):
    """A chat of the vault: its note (without `.md`), and when (Unix seconds) its first and last message were sent."""

    path: str
    title: str
    kind: ChatKind
    messages: int
    first: int
    last: int


class IndexView(Struct, frozen=True):
    """The list as its template sees it: Markdown, empty where there is nothing, and the plain structs."""

    facts: str = ""
    table: str = ""
    base: str = ""
    chats: tuple[IndexedChat, ...] = ()


def render_index(
    chats: Sequence[IndexedChat], base: str, links: Links, options: RenderOptions, templates: Templates
) -> Rendered:
    """The list of ``chats`` in their order; ``base`` is the path of the tables over the vault, or empty."""
    context = Context(links, options)
    words = context.words
    messages = sum(chat.messages for chat in chats)
    view = IndexView(
        facts=f"{words('chats.count', n=len(chats))}, {words('messages', n=messages)}",
        table=_table(chats, context),
        base=f"![[{base}]]" if base else "",
        chats=tuple(chats),
    )
    body = templates.render(INDEX_TEMPLATE, {"index": view, "words": words})
    properties: list[tuple[str, Value]] = [("tobs_id", "index"), ("messages", messages)]
    return finish(properties, body, context)


def _table(chats: Sequence[IndexedChat], context: Context) -> str:
    if not chats:
        return ""
    words = context.words
    head = [words(key) for key in ("chat.column", "kind.column", "messages.column", "first_message", "last_message")]
    rows = [f"| {' | '.join(head)} |", "| --- | --- | ---: | --- | --- |"]
    for chat in chats:
        # In a table the bar of a link's alias would end the cell.
        link = wikilink(chat.path, chat.title or chat.path.rpartition("/")[2]).replace("|", "\\|")
        ends = [context.local(unix).date().isoformat() if unix else "" for unix in (chat.first, chat.last)]
        rows.append(f"| {' | '.join([link, words(f'kind.{chat.kind}'), str(chat.messages), *ends])} |")
    return "\n".join(rows)
