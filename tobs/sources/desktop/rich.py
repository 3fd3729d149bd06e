"""The field ``rich_message`` (Telegram Desktop 7.0, July 2026): a tree of blocks in place of the text.

Blocks and rich texts are converted to Telegram's names and structure (``tobs.model.RichBlock``); unknown ones keep
their name and plain values.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec.structs import replace

from tobs.model import FileItem, RemoteFile, RichBlock
from tobs.sources.desktop.media import SizeOf, file_of, photo_of, unknown_size
from tobs.sources.desktop.values import Json, as_int, as_objects, as_text

_TEXTS = {
    "strikethrough": "strike",
    "code": "fixed",
    "link": "auto_url",
    "text_link": "url",
    "formatted_date": "date",
    "inline_image": "image",
}
_BLOCKS = {"code": "preformatted"}
_NODES = frozenset({"type", "text", "caption", "blocks", "items", "rows", "cells", "articles", "title", "block"})


def rich_blocks(raw: Any) -> tuple[RichBlock, ...]:
    """Convert the blocks of a rich message."""
    return tuple(_blocks(raw.get("blocks"))) if isinstance(raw, dict) else ()


def rich_files(raw: Any, size_of: SizeOf = unknown_size) -> tuple[FileItem, ...]:
    """Return the pictures and files of the blocks, in reading order."""
    found: list[FileItem] = []
    for block in as_objects(raw.get("blocks")) if isinstance(raw, dict) else []:
        _collect(block, found, size_of)
    return tuple(found)


def _collect(block: Json, found: list[FileItem], size_of: SizeOf) -> None:
    match block.get("type"):
        case "photo":
            found.append(_known(photo_of(block, size_of), "photo", as_int(block.get("photo_id"))))
        case "video" | "audio":
            found.append(_known(file_of(block, size_of), "document", as_int(block.get("document_id"))))
    for key in ("blocks", "items"):
        for inner in as_objects(block.get(key)):
            _collect(inner, found, size_of)
    if isinstance(cover := block.get("block"), dict):
        _collect(cover, found, size_of)


def _known(item: FileItem, kind: Literal["photo", "document"], file_id: int) -> FileItem:
    """Set the id of a file if the export contains it: the block refers to the file by this id."""
    return replace(item, remote=RemoteFile(kind, file_id, 0, b"", 0)) if file_id else item


def _blocks(value: Any) -> list[RichBlock]:
    return [_block(block) for block in as_objects(value)]


def _block(block: Json) -> RichBlock:
    kind = as_text(block.get("type"))
    match kind:
        case "list":
            return _list(block)
        case "quote":
            return _quote(block)
        case "table":
            return _table(block)
        case "math":
            return RichBlock("math", values={"source": as_text(block.get("formula"))})
        case "author_date":
            values = {"published_date": as_int(block.get("date_unixtime"))}
            author = RichBlock("author", children=tuple(_texts(block.get("author"))))
            return RichBlock("author_date", values=values, children=(author,))
        case "photo":
            return RichBlock("photo", values=_id("photo_id", block), children=_caption(block))
        case "video" | "audio":
            return RichBlock(kind, values=_id(f"{kind}_id", block, "document_id"), children=_caption(block))
        case "cover":
            inner = block.get("block")
            return RichBlock("cover", children=(_block(inner),) if isinstance(inner, dict) else ())
    if kind in ("map", "input_map"):
        return RichBlock("map", values=_geo(block), children=_caption(block))
    children = [*_texts(block.get("text")), *_blocks(block.get("blocks")), *_blocks(block.get("items"))]
    if title := _texts(block.get("title")):
        children.append(RichBlock("title", children=tuple(title)))
    children += _articles(block)
    return RichBlock(_BLOCKS.get(kind, kind), values=_plain(block), children=(*children, *_caption(block)))


def _geo(block: Json) -> dict[str, Any]:
    raw = block.get("geo")
    place = {"lat": raw.get("latitude"), "long": raw.get("longitude")} if isinstance(raw, dict) else {}
    return {"geo": {name: float(each) for name, each in place.items() if isinstance(each, int | float)}}


def _id(name: str, block: Json, key: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {name: as_int(block.get(key or name))}
    return values | ({"spoiler": True} if block.get("spoiler") is True else {})


def _list(block: Json) -> RichBlock:
    is_ordered = block.get("kind") == "ordered"
    values = {"start": as_int(block["start"])} if is_ordered and block.get("start") is not None else {}
    items = tuple(_item(item) for item in as_objects(block.get("items")))
    return RichBlock("ordered_list" if is_ordered else "list", values=values, children=items)


def _item(item: Json) -> RichBlock:
    state = as_text(item.get("task_state"))
    values: dict[str, Any] = {}
    if state in ("checked", "unchecked"):
        values["checkbox"] = True
        values |= {"checked": True} if state == "checked" else {}
    if item.get("num") is not None:
        values["num"] = str(item["num"])
    if item.get("value") is not None:
        values["value"] = as_int(item["value"])
    return RichBlock("list_item", values=values, children=(*_texts(item.get("text")), *_blocks(item.get("blocks"))))


def _quote(block: Json) -> RichBlock:
    kind = "pullquote" if block.get("pullquote") is True else "blockquote"
    children = [*_texts(block.get("text")), *_blocks(block.get("blocks"))]
    if caption := _texts(block.get("caption")):
        children.append(RichBlock("caption", children=tuple(caption)))
    return RichBlock(kind, children=tuple(children))


def _table(block: Json) -> RichBlock:
    children: list[RichBlock] = []
    if title := _texts(block.get("title")):
        children.append(RichBlock("title", children=tuple(title)))
    for row in as_objects(block.get("rows")):
        cells = tuple(_cell(cell) for cell in as_objects(row.get("cells")))
        children.append(RichBlock("table_row", children=cells))
    return RichBlock("table", children=tuple(children))


def _cell(cell: Json) -> RichBlock:
    values: dict[str, Any] = {"header": True} if cell.get("header") is True else {}
    for name in ("center", "right"):
        if cell.get("align") == name:
            values[f"align_{name}"] = True
    for name in ("colspan", "rowspan"):
        if as_int(cell.get(name)) > 1:
            values[name] = as_int(cell.get(name))
    return RichBlock("table_cell", values=values, children=tuple(_texts(cell.get("text"))))


def _articles(block: Json) -> list[RichBlock]:
    return [
        RichBlock(
            "related_article",
            values={key: as_text(item.get(key)) for key in ("url", "title", "description", "author") if item.get(key)},
        )
        for item in as_objects(block.get("articles"))
    ]


def _caption(block: Json) -> tuple[RichBlock, ...]:
    raw = block.get("caption")
    if not raw:
        return ()
    parted = isinstance(raw, dict) and ("credit" in raw or "type" not in raw)
    children = _texts(raw.get("text") if parted else raw)
    if parted and (credit := _texts(raw.get("credit"))):
        children.append(RichBlock("credit", children=tuple(credit)))
    return (RichBlock("caption", children=tuple(children)),) if children else ()


def _texts(value: Any) -> list[RichBlock]:
    """Convert a rich text to nodes in reading order; concatenations are flattened, empty texts dropped."""
    if isinstance(value, str):
        return [RichBlock("plain", value)] if value else []
    if isinstance(value, list):
        return [node for item in value for node in _texts(item)]
    if not isinstance(value, dict):
        return []
    kind, inner = as_text(value.get("type")) or "plain", value.get("text")
    match kind:
        case "empty":
            return []
        case "plain" | "concat":
            return _texts(inner)
        case "custom_emoji":
            return [RichBlock("custom_emoji", values={"alt": as_text(inner)})]
        case "math":
            return [RichBlock("math", values={"source": as_text(value.get("source"))})]
        case "text_link":
            values: dict[str, Any] = {"url": as_text(value.get("href"))}
        case "mention_name":
            values = {"user_id": as_int(value.get("user_id"))}
        case "formatted_date":
            values = {"date": as_int(value.get("date_unixtime"))}
        case "diff":
            old = RichBlock("old_text", children=tuple(_texts(value.get("old_text"))))
            return [RichBlock("diff", children=(*_texts(inner), old))]
        case _:
            values = _plain(value)
    return [RichBlock(_TEXTS.get(kind, kind), values=values, children=tuple(_texts(inner)))]


def _plain(value: Json) -> dict[str, Any]:
    """Return the plain fields of a block or text."""
    return {
        key: each
        for key, each in value.items()
        if key not in _NODES and isinstance(each, str | int | float | bool) and each is not False and each != ""
    }
