"""``rich_message`` (Telegram Desktop 7.0): a tree of blocks, as TL page blocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tobs.sandbox.worlds.tdesktop.media import Media
from tobs.sandbox.worlds.tdesktop.reader import Json
from tobs.sandbox.worlds.tdesktop.text import custom_emoji_id
from tobs.sandbox.worlds.tl import Tl

_WRAPPERS = {
    "bold": types.TextBold, "italic": types.TextItalic, "underline": types.TextUnderline,
    "strikethrough": types.TextStrike, "code": types.TextFixed, "subscript": types.TextSubscript,
    "superscript": types.TextSuperscript, "marked": types.TextMarked, "spoiler": types.TextSpoiler,
    "mention": types.TextMention, "hashtag": types.TextHashtag, "bot_command": types.TextBotCommand,
    "cashtag": types.TextCashtag, "link": types.TextAutoUrl, "bank_card": types.TextBankCard,
}  # fmt: skip
_DATE_FORMS = ("relative", "short_time", "long_time", "short_date", "long_date", "day_of_week")


def rich_text(value: Any) -> Tl:
    """Make a rich text of a string, an array or a node whose ``text`` is one of these."""
    if not value:
        return types.TextEmpty()
    if isinstance(value, str):
        return types.TextPlain(value)
    if isinstance(value, list):
        return types.TextConcat([rich_text(item) for item in value])
    kind, inner = value.get("type", "plain"), value.get("text")
    if kind in _WRAPPERS:
        return _WRAPPERS[kind](rich_text(inner))
    match kind:
        case "concat":
            return rich_text(list(inner or []))
        case "text_link":
            return types.TextUrl(rich_text(inner), value.get("href") or "", int(value.get("webpage_id") or 0))
        case "email":
            return types.TextEmail(rich_text(inner), value.get("email") or "")
        case "phone":
            return types.TextPhone(rich_text(inner), value.get("phone") or "")
        case "anchor":
            return types.TextAnchor(rich_text(inner), value.get("name") or "")
        case "math":
            return types.TextMath(value.get("source") or "")
        case "custom_emoji":
            return types.TextCustomEmoji(custom_emoji_id(value.get("document_id")), str(inner or ""))
        case "mention_name":
            return types.TextMentionName(rich_text(inner), int(value.get("user_id") or 0))
        case "formatted_date":
            forms = {name: True for name in _DATE_FORMS if value.get(name)}
            return types.TextDate(rich_text(inner), _date(value), **forms)
        case "inline_image":
            width, height = int(value.get("width") or 0), int(value.get("height") or 0)
            return types.TextImage(custom_emoji_id(value.get("document_id")), width, height)
        case "diff":
            return types.TextDiff(rich_text(inner), rich_text(value.get("old_text")))
    return rich_text(inner)


def _date(value: Json, key: str = "date_unixtime") -> dt.datetime:
    return dt.datetime.fromtimestamp(int(value.get(key) or 0), dt.UTC)


def _caption(value: Any) -> Tl:
    data = value if isinstance(value, dict) and ("credit" in value or "type" not in value) else {"text": value}
    return types.PageCaption(rich_text(data.get("text")), rich_text(data.get("credit")))


class RichMessages:
    """Makes the rich message of one exported message, with its photos and files."""

    def __init__(self, media: Media, key: str, date: dt.datetime) -> None:
        self._media = media
        self._key = key
        self._date = date
        self._photos: list[Tl] = []
        self._documents: list[Tl] = []

    def make(self, data: Json) -> Tl:
        """Make the TL rich message."""
        blocks = self._blocks(data.get("blocks"))
        return types.RichMessage(
            blocks, self._photos, self._documents, rtl=data.get("rtl") or None, part=data.get("part") or None
        )

    def _blocks(self, data: Any) -> list[Tl]:
        return [self._block(block) for block in data or []]

    def _photo(self, block: Json, name: str = "photo") -> int:
        photo = self._media.photo({**block, "photo": block.get(name) or "(absent)"}, self._key, self._date)
        self._photos.append(photo)
        return int(photo.id)

    def _file(self, block: Json) -> int:
        document = self._media.document({**block, "file": block.get("file") or "(absent)"}, self._key, self._date)
        self._documents.append(document)
        return int(document.id)

    def _block(self, block: Json) -> Tl:
        text = block.get("text")
        match block.get("type"):
            case "heading":
                level = min(6, max(1, int(block.get("level") or 1)))
                return getattr(types, f"PageBlockHeading{level}")(rich_text(text))
            case "paragraph":
                return types.PageBlockParagraph(rich_text(text))
            case "footer":
                return types.PageBlockFooter(rich_text(text))
            case "thinking":
                return types.PageBlockThinking(rich_text(text))
            case "author_date":
                return types.PageBlockAuthorDate(rich_text(block.get("author")), _date(block))
            case "code":
                return types.PageBlockPreformatted(rich_text(text), block.get("language") or "")
            case "divider":
                return types.PageBlockDivider()
            case "anchor":
                return types.PageBlockAnchor(block.get("name") or "")
            case "list":
                return self._list(block)
            case "quote":
                return self._quote(block)
            case "math":
                return types.PageBlockMath(block.get("formula") or "")
            case "table":
                return self._table(block)
            case "details":
                inner = self._blocks(block.get("blocks"))
                return types.PageBlockDetails(inner, rich_text(block.get("title")), open=block.get("open") or None)
        return self._media_block(block)

    def _media_block(self, block: Json) -> Tl:
        caption = _caption(block.get("caption"))
        makers: dict[str, Callable[[], Tl]] = {
            "photo": lambda: types.PageBlockPhoto(self._photo(block), caption, spoiler=block.get("spoiler") or None),
            "video": lambda: types.PageBlockVideo(self._file(block), caption, loop=block.get("loop") or None),
            "audio": lambda: types.PageBlockAudio(self._file(block), caption),
            "cover": lambda: types.PageBlockCover(self._block(block.get("block") or block.get("cover") or {})),
            "embed": lambda: types.PageBlockEmbed(
                caption, url=block.get("url"), html=block.get("html"), w=block.get("width"), h=block.get("height")
            ),
            "embed_post": lambda: types.PageBlockEmbedPost(
                block.get("url") or "", 0, self._photo(block, "author_photo"), block.get("author") or "", _date(block),
                self._blocks(block.get("blocks")), caption,
            ),
            "collage": lambda: types.PageBlockCollage(self._blocks(block.get("items")), caption),
            "slideshow": lambda: types.PageBlockSlideshow(self._blocks(block.get("items")), caption),
            "related_articles": lambda: types.PageBlockRelatedArticles(
                rich_text(block.get("title")), [_article(item) for item in block.get("articles") or []]
            ),
            "map": lambda: _map(block, caption),
            "input_map": lambda: _map(block, caption),
        }  # fmt: skip
        make = makers.get(str(block.get("type")))
        return types.PageBlockUnsupported() if make is None else make()

    def _list(self, block: Json) -> Tl:
        ordered = block.get("kind") == "ordered"
        items = [self._item(item, ordered) for item in block.get("items") or []]
        if not ordered:
            return types.PageBlockList(items)
        reversed_ = block.get("reversed") or None
        return types.PageBlockOrderedList(
            items, reversed=reversed_, start=block.get("start"), type=block.get("list_type")
        )

    def _item(self, item: Json, ordered: bool) -> Tl:
        state = item.get("task_state") or "none"
        flags: dict[str, Any] = {"checkbox": state != "none" or None, "checked": state == "checked" or None}
        if ordered:
            flags |= {"num": item.get("num"), "value": item.get("value"), "type": item.get("item_type")}
        if item.get("content") == "blocks" or "blocks" in item:
            kind = types.PageListOrderedItemBlocks if ordered else types.PageListItemBlocks
            return kind(self._blocks(item.get("blocks")), **flags)
        kind = types.PageListOrderedItemText if ordered else types.PageListItemText
        return kind(rich_text(item.get("text")), **flags)

    def _quote(self, block: Json) -> Tl:
        caption = rich_text(block.get("caption"))
        if block.get("content") == "blocks" or "blocks" in block:
            return types.PageBlockBlockquoteBlocks(self._blocks(block.get("blocks")), caption)
        kind = types.PageBlockPullquote if block.get("pullquote") else types.PageBlockBlockquote
        return kind(rich_text(block.get("text")), caption)

    def _table(self, block: Json) -> Tl:
        rows = [types.PageTableRow([_cell(cell) for cell in row.get("cells") or []]) for row in block.get("rows") or []]
        title = rich_text(block.get("title"))
        flags = {"bordered": block.get("bordered") or None, "striped": block.get("striped") or None}
        return types.PageBlockTable(title, rows, **flags)


def _cell(cell: Json) -> Tl:
    return types.PageTableCell(
        header=cell.get("header") or None, align_center=cell.get("align") == "center" or None,
        align_right=cell.get("align") == "right" or None, valign_middle=cell.get("vertical_align") == "middle" or None,
        valign_bottom=cell.get("vertical_align") == "bottom" or None, text=rich_text(cell.get("text")),
        colspan=cell.get("colspan"), rowspan=cell.get("rowspan"),
    )  # fmt: skip


def _article(item: Json) -> Tl:
    published = _date(item, "published_date_unixtime") if "published_date_unixtime" in item else None
    return types.PageRelatedArticle(
        item.get("url") or "", 0, title=item.get("title"), description=item.get("description"),
        author=item.get("author"), published_date=published,
    )  # fmt: skip


def _map(block: Json, caption: Tl) -> Tl:
    geo = block.get("geo") or {}
    point = types.GeoPoint(float(geo.get("longitude") or 0), float(geo.get("latitude") or 0), 0)
    width, height = int(block.get("width") or 0), int(block.get("height") or 0)
    return types.PageBlockMap(point, int(block.get("zoom") or 0), width, height, caption)
