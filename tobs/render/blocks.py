"""Rich messages: a tree of blocks rendered to Markdown. Inline nodes use the converter of ordinary message text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tobs.model import RichBlock
from tobs.render.escape import code_span, escape_name, fence
from tobs.render.links import destination, web_url
from tobs.render.markdown import quote
from tobs.render.richtext import INLINE, inline_text, is_inline

if TYPE_CHECKING:
    from tobs.render.context import Context

# Parts of a formula that could end it, make links or run code.
_UNSAFE_MATH = re.compile(
    r"\$|<%|%%|!\[|\[\[|\]\(|\n\s*\n"
    r"|\\(?:href|url|html\w*|class|style|cssId|require|def|newcommand|include\w*)\b"
)
_PIPE = re.compile(r"(?<!\\)\|")
_DEPTH = 12


def rich_markdown(blocks: Sequence[RichBlock], context: Context, depth: int = 0) -> str:
    """Render blocks as Markdown with a blank line between them."""
    return "\n\n".join(part for part in _parts(blocks, context, depth) if part.strip())


def _parts(nodes: Sequence[RichBlock], context: Context, depth: int) -> list[str]:
    """Render each block as Markdown; adjacent inline nodes form one paragraph."""
    if depth > _DEPTH:
        return [context.text(inline_text(nodes))]
    parts: list[str] = []
    loose: list[RichBlock] = []
    mixed = is_inline(nodes)
    for node in nodes:
        if node.kind in INLINE or (mixed and node.kind in ("anchor", "math", "button")):
            loose.append(node)
            continue
        if loose:
            parts.append(context.text(inline_text(loose)))
            loose = []
        parts.append(_block(node, context, depth))
    if loose:
        parts.append(context.text(inline_text(loose)))
    return parts


def _block(block: RichBlock, context: Context, depth: int) -> str:
    make = _RENDERERS.get(block.kind)
    if make is None:
        unknown = f"*{context.translate('rich.unknown', name=escape_name(block.kind))}*"
        inside = rich_markdown(block.children, context, depth + 1)
        return f"{unknown}\n\n{inside}" if inside else unknown
    return make(block, context, depth)


def _unnamed_children(block: RichBlock, *parts: str) -> list[RichBlock]:
    """Return the children that are not a named part (caption, title ...)."""
    return [child for child in block.children if child.kind not in (parts or ("caption", "credit", "title"))]


def _named_part(block: RichBlock, name: str, context: Context) -> str:
    """Render a named part on one line."""
    return " ".join(context.inline(inline_text(child.children)) for child in block.children if child.kind == name)


def _caption(block: RichBlock, context: Context) -> str:
    lines = []
    for child in block.children:
        if child.kind == "caption":
            text = context.inline(inline_text(each for each in child.children if each.kind != "credit"))
            credit = _named_part(child, "credit", context)
            lines.append(", ".join(each for each in (text, credit) if each))
    return " ".join(lines)


def _paragraph(block: RichBlock, context: Context, depth: int) -> str:
    text = context.plain(block.text) if block.text else ""
    return "\n\n".join(part for part in (text, *_parts(block.children, context, depth + 1)) if part)


def _heading(level: int) -> Callable[[RichBlock, Context, int], str]:
    def make(block: RichBlock, context: Context, depth: int) -> str:
        own = block.values.get("level", level)
        text = context.inline(inline_text(block.children)) or escape_name(block.text)
        return f"{'#' * min(max(own if isinstance(own, int) else level, 1), 6)} {text}" if text else ""

    return make


def _preformatted(block: RichBlock, context: Context, depth: int) -> str:
    code = block.text or inline_text(block.children).text
    language = block.values.get("language", "")
    return fence(code.replace("\r\n", "\n"), language if isinstance(language, str) else "") if code.strip() else ""


def _quoted(block: RichBlock, context: Context, depth: int) -> str:
    body = rich_markdown(_unnamed_children(block), context, depth + 1)
    caption = _named_part(block, "caption", context)
    if caption:
        body = f"{body}\n\n— {caption}" if body else caption
    return quote(body, folded=bool(block.values.get("collapsed"))) if body else ""


def _details(block: RichBlock, context: Context, depth: int) -> str:
    title = _named_part(block, "title", context) or context.translate("rich.details")
    body = rich_markdown(_unnamed_children(block), context, depth + 1)
    return quote(body, folded=not block.values.get("open"), callout="note", title=title)


def _thinking(block: RichBlock, context: Context, depth: int) -> str:
    body = rich_markdown(block.children, context, depth + 1)
    return quote(body, folded=True, callout="note", title=context.translate("rich.thinking")) if body else ""


def _list(block: RichBlock, context: Context, depth: int) -> str:
    number = block.values.get("start", 1)
    number = number if isinstance(number, int) and number >= 0 else 1
    step = 1
    if block.values.get("reversed"):
        number, step = (number if "start" in block.values else len(block.children)), -1
    lines = []
    for item in block.children:
        marker = "-"
        if block.kind == "ordered_list":
            value = item.values.get("value")
            number = value if isinstance(value, int) and value >= 0 else number
            marker = f"{min(max(number, 0), 999_999_999)}."
            number += step
        if item.values.get("checkbox"):
            marker += " [x]" if item.values.get("checked") else " [ ]"
        indent = " " * (len(marker.partition(" ")[0]) + 1)
        body = _item(item, context, depth)
        lines.append(f"{marker} {body}".replace("\n", f"\n{indent}").replace(f"{indent}\n", "\n").rstrip())
    return "\n".join(lines)


def _item(item: RichBlock, context: Context, depth: int) -> str:
    """Render a list item: its paragraphs, with nested lists directly below its first line."""
    if item.text:
        return context.plain(item.text)
    body = ""
    for part in _parts(item.children, context, depth + 1):
        if part.strip():
            nested = re.match(r"(?:-|\d+\.) ", part) is not None
            body += (("\n" if nested else "\n\n") if body else "") + part
    return body


def _table(block: RichBlock, context: Context, depth: int) -> str:
    rows = [row for row in block.children if row.kind == "table_row"]
    grid: list[list[str]] = []
    aligns: list[str] = []
    below: dict[int, int] = {}  # column -> number of rows that a cell above still spans
    for row in rows:
        line: list[str] = []
        for cell in row.children:
            _spanned(line, below)
            line.append(_PIPE.sub(r"\\|", context.inline(inline_text(cell.children)) or escape_name(cell.text)))
            if len(aligns) < len(line):
                aligns += ["---"] * (len(line) - len(aligns))
                aligns[-1] = (
                    "---:" if cell.values.get("align_right") else ":---:" if cell.values.get("align_center") else "---"
                )
            width, height = _span(cell.values.get("colspan")), _span(cell.values.get("rowspan"))
            for column in range(len(line) - 1, len(line) - 1 + width):
                below[column] = height - 1
            line += [""] * (width - 1)
        _spanned(line, below)
        grid.append(line)
    if not grid:
        return ""
    width = max(map(len, grid))
    aligns += ["---"] * (width - len(aligns))
    if not all(cell.values.get("header") for cell in rows[0].children):
        grid.insert(0, [""] * width)
    lines = [f"| {' | '.join(line + [''] * (width - len(line)))} |" for line in grid]
    lines.insert(1, f"| {' | '.join(aligns)} |")
    title = _named_part(block, "title", context)
    table = "\n".join(lines)
    return f"**{title}**\n\n{table}" if title else table


def _span(value: Any) -> int:
    return min(max(value, 1), 50) if isinstance(value, int) else 1


def _spanned(line: list[str], below: dict[int, int]) -> None:
    """Add the empty cells covered by cells above that span several rows."""
    while below.get(len(line), 0) > 0:
        below[len(line)] -= 1
        line.append("")


def _file(word: str, field: str = "") -> Callable[[RichBlock, Context, int], str]:
    """Make a renderer of a file: embedded if the message has the file named by ``field``, else its kind and web
    address.
    """

    def make(block: RichBlock, context: Context, depth: int) -> str:
        what = context.translate(word)
        caption = _caption(block, context)
        if shown := context.file(block.values.get(field)):
            if block.values.get("spoiler"):
                shown = quote(shown, folded=True, title=context.translate("file.spoiler"))
            return f"{shown}\n\n{caption}" if caption else shown
        url = web_url(block.values["url"]) if isinstance(block.values.get("url"), str) else None
        shown = f"[{what}]({destination(url)})" if url else f"*{what}*"
        return f"{shown}: {caption}" if caption else shown

    return make


def _group(block: RichBlock, context: Context, depth: int) -> str:
    parts = [rich_markdown(_unnamed_children(block, "caption"), context, depth + 1), _caption(block, context)]
    return "\n\n".join(part for part in parts if part)


def _math(block: RichBlock, context: Context, depth: int) -> str:
    source = str(block.values.get("source") or block.text).strip()
    if not source:
        return ""
    if _UNSAFE_MATH.search(source) or "\0" in source:
        return fence(source, "tex")
    return f"$$\n{source}\n$$"


def _author(block: RichBlock, context: Context, depth: int) -> str:
    date = block.values.get("published_date")
    parts = [_named_part(block, "author", context), context.when(date) if isinstance(date, int) and date > 0 else ""]
    return ", ".join(part for part in parts if part)


def _map(block: RichBlock, context: Context, depth: int) -> str:
    geo = block.values.get("geo")
    label = context.translate("rich.map")
    if isinstance(geo, dict) and isinstance(lat := geo.get("lat"), float) and isinstance(lon := geo.get("long"), float):
        label = f"[{label} {lat:.6f},{lon:.6f}](https://www.openstreetmap.org/?mlat={lat:.6f}&mlon={lon:.6f})"
    caption = _caption(block, context)
    return f"{label}: {caption}" if caption else label


def _related(block: RichBlock, context: Context, depth: int) -> str:
    lines = [f"**{_named_part(block, 'title', context) or context.translate('rich.related')}**", ""]
    for article in block.children:
        if article.kind != "related_article":
            continue
        url, title = article.values.get("url"), article.values.get("title")
        web = web_url(url) if isinstance(url, str) else None
        label = escape_name(title if isinstance(title, str) and title else str(url or ""))
        lines.append(f"- [{label}]({destination(web)})" if web else f"- {label}")
    return "\n".join(lines)


def _buttons(block: RichBlock, context: Context, depth: int) -> str:
    names = [context.inline(inline_text(child.children)) or escape_name(child.text) for child in block.children]
    return context.translate("buttons", names=" · ".join(name for name in names if name)) if any(names) else ""


def _channel(block: RichBlock, context: Context, depth: int) -> str:
    channel = block.values.get("channel")
    if isinstance(channel, int):
        return context.name(channel)
    title = channel.get("title") if isinstance(channel, dict) else None
    return escape_name(title) if isinstance(title, str) else context.translate("kind.channel")


def _embed(block: RichBlock, context: Context, depth: int) -> str:
    shown = _file("rich.embed")(block, context, depth)
    html = block.values.get("html")
    return (
        f"{shown}\n\n{code_span(html[:200].replace(chr(10), ' '))}" if isinstance(html, str) and html.strip() else shown
    )


def _nothing(block: RichBlock, context: Context, depth: int) -> str:
    return ""


_RENDERERS: dict[str, Callable[[RichBlock, Context, int], str]] = {
    "paragraph": _paragraph,
    "footer": _paragraph,
    "kicker": _paragraph,
    "subtitle": _paragraph,
    "title": _heading(1),
    "heading": _heading(2),
    "header": _heading(2),
    "subheader": _heading(3),
    "preformatted": _preformatted,
    "blockquote": _quoted,
    "pullquote": _quoted,
    "list": _list,
    "ordered_list": _list,
    "table": _table,
    "details": _details,
    "thinking": _thinking,
    "divider": lambda block, context, depth: "***",
    "anchor": _nothing,
    "math": _math,
    "photo": _file("rich.photo", "photo_id"),
    "video": _file("rich.video", "video_id"),
    "audio": _file("rich.audio", "audio_id"),
    "document": _file("rich.document", "document_id"),
    "embed": _embed,
    "embed_post": _group,
    "cover": _group,
    "collage": _group,
    "slideshow": _group,
    "author_date": _author,
    "map": _map,
    "related_articles": _related,
    "button_row": _buttons,
    "button": lambda block, context, depth: context.inline(inline_text(block.children)),
    "channel": _channel,
}
