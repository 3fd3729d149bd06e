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
    """A chat of the vault: its note (without `.md`), and the dates (Unix seconds) of its first and last message."""

    path: str
    title: str
    kind: ChatKind
    messages: int
    first: int
    last: int


class IndexView(Struct, frozen=True):
    """The list as its template sees it: Markdown, empty if there is nothing to show, and the plain structs."""

    facts: str = ""
    table: str = ""
    base: str = ""
    chats: tuple[IndexedChat, ...] = ()


def render_index(
    chats: Sequence[IndexedChat], base: str, links: Links, options: RenderOptions, templates: Templates
) -> Rendered:
    """Render the list of ``chats`` in the given order; ``base`` is the path of the base of the vault, or empty."""
    context = Context(links, options)
    translate = context.translate
    messages = sum(chat.messages for chat in chats)
    view = IndexView(
        facts=f"{translate('chats.count', n=len(chats))}, {translate('messages', n=messages)}",
        table=_table(chats, context),
        base=f"![[{base}]]" if base else "",
        chats=tuple(chats),
    )
    body = templates.render(INDEX_TEMPLATE, {"index": view, "words": translate})
    properties: list[tuple[str, Value]] = [("tobs_id", "index"), ("messages", messages)]
    return finish(properties, body, context)


def _table(chats: Sequence[IndexedChat], context: Context) -> str:
    if not chats:
        return ""
    translate = context.translate
    head = [
        translate(key) for key in ("chat.column", "kind.column", "messages.column", "first_message", "last_message")
    ]
    rows = [f"| {' | '.join(head)} |", "| --- | --- | ---: | --- | --- |"]
    for chat in chats:
        # In a table the `|` of a link's alias would end the cell.
        link = wikilink(chat.path, chat.title or chat.path.rpartition("/")[2]).replace("|", "\\|")
        ends = [context.local(unix).date().isoformat() if unix else "" for unix in (chat.first, chat.last)]
        rows.append(f"| {' | '.join([link, translate(f'kind.{chat.kind}'), str(chat.messages), *ends])} |")
    return "\n".join(rows)
