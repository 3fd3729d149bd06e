"""docs/reference/telegram.md: every constructor of the layer that a message can hold, and what a note makes of it.

Sentences of service messages come from the catalogue, Markdown and names of the model from a conversion of an instance;
the words here say the rest. A constructor without words is an error, so a new layer cannot come in unnoticed.
"""
# ruff: noqa: E501, a table of sentences

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from telethon.tl import types
from telethon.tl.alltlobjects import LAYER

from tests.tl_factory import DATE, build, constructors
from tobs.model import Chat, Message
from tobs.render.builtin import load_builtin
from tobs.render.catalogue.en import WORDS
from tobs.render.notes import render_message
from tobs.render.templates import Templates
from tobs.render.views import Links, RenderOptions
from tobs.telegram.convert import message_of
from tobs.telegram.convert.basics import snake

_RAW = "Nothing; it is kept in the raw object in the archive."
_SENT = "It is only used to send; Telegram never answers with it."

MEDIA = {
    "MessageMediaEmpty": "Nothing.",
    "MessageMediaPhoto": "An embed of the photo in its largest size; hidden ones in a closed callout; of self-destructed ones"
    " a line that says so; the video of a live photo below it.",
    "MessageMediaDocument": "An embed of the file: video, round video, GIF, sticker, music, voice message, document. What Obsidian"
    " cannot show is linked. Music and voice messages get a note of their own.",
    "MessageMediaWebPage": "A callout: title (linked), site, author, description, picture.",
    "MessageMediaPoll": "The question, a list of the answers with their votes, your answer, the right one; whether it is a quiz,"
    " closed, public; the explanation; its pictures.",
    "MessageMediaToDo": "A list of tasks (`- [ ]`, `- [x]`), with who did them and when.",
    "MessageMediaGeo": "The coordinates, linked to OpenStreetMap.",
    "MessageMediaGeoLive": "The same, and for how long the location was shared.",
    "MessageMediaVenue": "Name and address of the place, and its coordinates.",
    "MessageMediaContact": "The name, linked to the person's note; the phone number only where that is asked for.",
    "MessageMediaGame": "A callout: title, description, picture, animation.",
    "MessageMediaInvoice": "A callout: title, description, price, whether it is paid; what was bought.",
    "MessageMediaPaidMedia": "The files that were paid for, the price in stars, how many files are locked.",
    "MessageMediaGiveaway": "Prizes, channels, countries, until when.",
    "MessageMediaGiveawayResults": "How many won, the winners (linked), what is unclaimed, the giveaway (linked).",
    "MessageMediaDice": "The emoji and what it shows.",
    "MessageMediaStory": "Whose story it is, its picture or video and its caption where it can still be seen.",
    "MessageMediaUnsupported": "A line that says that it cannot be shown yet; the raw object is in the archive.",
    "MessageMediaVideoStream": "A line that names it; the raw object is in the archive.",
}
EXTENDED = {
    "MessageExtendedMedia": "The file, as of any message.",
    "MessageExtendedMediaPreview": "It is counted among the locked files.",
}
PAGES = {
    "WebPage": "The callout of `MessageMediaWebPage`.",
    "WebPageEmpty": "A callout with the address, where there is one.",
    "WebPagePending": "A callout with the address, where there is one.",
    "WebPageNotModified": _RAW,
}
STORIES = {
    "StoryItem": "Picture or video, and caption.",
    "StoryItemSkipped": "Whose story it is.",
    "StoryItemDeleted": "Whose story it was.",
}
ENTITIES = {
    "MessageEntityUnknown": "Plain text.",
    "MessageEntityMention": "A link to the note of the person or chat where there is one, else plain text.",
    "MessageEntityHashtag": "A tag, also in the property `tags`; plain text where Obsidian would not take it.",
    "MessageEntityBotCommand": "Plain text.",
    "MessageEntityUrl": "The address; a wikilink where it leads to something in the vault.",
    "MessageEntityEmail": "Plain text.",
    "MessageEntityBold": "Bold.",
    "MessageEntityItalic": "Italic.",
    "MessageEntityCode": "Code, a line at a time.",
    "MessageEntityPre": "A fenced block with its language; languages that plugins run get the prefix `tg-`.",
    "MessageEntityTextUrl": "A link; a wikilink where it leads to something in the vault; as code where it could do harm.",
    "MessageEntityMentionName": "A link to the person's note, else a `tg://user` link.",
    "InputMessageEntityMentionName": "The same. " + _SENT,
    "MessageEntityPhone": "Plain text.",
    "MessageEntityCashtag": "Plain text, no formula.",
    "MessageEntityUnderline": "Underlined (HTML).",
    "MessageEntityStrike": "Struck out.",
    "MessageEntityBankCard": "Plain text.",
    "MessageEntitySpoiler": "Hidden until the pointer is over it, by the style sheet tobs brings (HTML).",
    "MessageEntityCustomEmoji": "The emoji that stands for it in the text.",
    "MessageEntityBlockquote": "A block quote; a collapsed one is a closed callout.",
    "MessageEntityFormattedDate": "The words of the text.",
    "MessageEntityDiffInsert": "Underlined (HTML).",
    "MessageEntityDiffReplace": "Underlined (HTML).",
    "MessageEntityDiffDelete": "Struck out.",
}
REACTIONS = {
    "ReactionEmpty": "Nothing.",
    "ReactionEmoji": "In the property `reactions`: `👍 12`.",
    "ReactionCustomEmoji": "In the property `reactions`, by the emoji that stands for it; by its number where nobody knows one.",
    "ReactionPaid": "In the property `reactions`: `⭐ 3`.",
}
MARKUP = {
    "ReplyInlineMarkup": "The buttons on one line.",
    "ReplyKeyboardMarkup": _RAW + " It belongs to the text field.",
    "ReplyKeyboardHide": _RAW,
    "ReplyKeyboardForceReply": _RAW,
}
BUTTONS = {
    "InlineButtonTypeUrl": "A link; a wikilink where it leads to something in the vault.",
    "InlineButtonTypeUrlAuth": "A link.",
    "InlineButtonTypeWebView": "A link.",
    "InlineButtonTypeUserProfile": "Its name, linked to the person's note.",
    "InlineButtonTypeCallback": "Its name.",
    "InlineButtonTypeCopy": "Its name, and what it copies as code.",
    "InlineButtonTypeDisabled": "Its name.",
    "InlineButtonTypeGame": "Its name.",
    "InlineButtonTypeBuy": "Its name.",
    "InlineButtonTypeSwitchInline": "Its name.",
    "InputInlineButtonTypeUrlAuth": "A link. " + _SENT,
    "InputInlineButtonTypeUserProfile": "Its name. " + _SENT,
}
REPLIES = {
    "MessageReplyHeader": "A link to the message, in this chat or another, and the quoted part as a block quote; whose message it"
    " was where it cannot be seen.",
    "MessageReplyStoryHeader": "Whose story it answers.",
}
FORWARDS = {
    "MessageFwdHeader": "'Forwarded from', the sender or channel (linked) or the hidden name, the signature, the date, the"
    " message (linked to its note where it is in the vault).",
}
RICH = {
    "TextPlain": "Text.",
    "TextEmpty": "Nothing.",
    "TextConcat": "Its parts.",
    "TextBold": "Bold.",
    "TextItalic": "Italic.",
    "TextUnderline": "Underlined (HTML).",
    "TextStrike": "Struck out.",
    "TextFixed": "Code.",
    "TextMarked": "Plain text.",
    "TextSubscript": "Plain text.",
    "TextSuperscript": "Plain text.",
    "TextSpoiler": "Hidden until the pointer is over it (HTML).",
    "TextUrl": "A link.",
    "TextEmail": "A link.",
    "TextPhone": "A link.",
    "TextAutoUrl": "The address.",
    "TextAutoEmail": "Plain text.",
    "TextAutoPhone": "Plain text.",
    "TextAnchor": "Its text.",
    "TextImage": "The picture, within the line; where it is not here, what became of it below the text.",
    "TextMath": "The formula's source as code.",
    "TextDate": "Its words.",
    "TextDiff": "The old text struck out, the new one underlined (HTML).",
    "TextHashtag": "A tag.",
    "TextCashtag": "Plain text.",
    "TextMention": "A link to the note of the person or chat where there is one.",
    "TextMentionName": "A link to the person's note, else a `tg://user` link.",
    "TextCustomEmoji": "The emoji that stands for it.",
    "TextBankCard": "Plain text.",
    "TextBotCommand": "Plain text.",
    "TextButton": "Its name.",
}
BLOCKS = {
    "PageBlockTitle": "A heading of the first level.",
    "PageBlockSubtitle": "A paragraph.",
    "PageBlockKicker": "A paragraph.",
    "PageBlockHeader": "A heading of the second level.",
    "PageBlockSubheader": "A heading of the third level.",
    **{f"PageBlockHeading{level}": f"A heading of level {level}." for level in range(1, 7)},
    "PageBlockParagraph": "A paragraph.",
    "PageBlockFooter": "A paragraph.",
    "PageBlockPreformatted": "A fenced block with its language.",
    "PageBlockBlockquote": "A block quote, with its caption.",
    "PageBlockBlockquoteBlocks": "A block quote with blocks in it.",
    "PageBlockPullquote": "A block quote, with its caption.",
    "PageBlockList": "A list; tasks where its items have boxes.",
    "PageBlockOrderedList": "A numbered list.",
    "PageBlockTable": "A table; cells that span others leave them empty.",
    "PageBlockDetails": "A callout, closed where it is closed.",
    "PageBlockThinking": "A closed callout.",
    "PageBlockDivider": "A rule.",
    "PageBlockAnchor": "Nothing.",
    "PageBlockMath": "A formula (`$$`); as code where it could break out of it.",
    "PageBlockPhoto": "An embed of the photo, and its caption.",
    "PageBlockVideo": "An embed of the video, and its caption.",
    "PageBlockAudio": "An embed of the file, and its caption.",
    "PageBlockDocument": "An embed of the file or a link to it, and its caption.",
    "PageBlockCover": "The block in it.",
    "PageBlockCollage": "The blocks in it, and the caption.",
    "PageBlockSlideshow": "The blocks in it, and the caption.",
    "PageBlockEmbed": "A link, and the HTML as code, never live.",
    "PageBlockEmbedPost": "The blocks in it, and the caption.",
    "PageBlockAuthorDate": "Author and date.",
    "PageBlockChannel": "The channel, linked to its note.",
    "PageBlockMap": "The coordinates, linked to OpenStreetMap.",
    "InputPageBlockMap": "The same. " + _SENT,
    "PageBlockRelatedArticles": "A list of links.",
    "PageBlockButtonRow": "The buttons on one line.",
    "PageBlockUnsupported": "A line that says so; the raw object is in the archive.",
}
PARTS = {
    "PageListItemText": "An item.",
    "PageListItemBlocks": "An item with blocks in it.",
    "PageListOrderedItemText": "An item with its number.",
    "PageListOrderedItemBlocks": "An item with its number and blocks in it.",
}
FIELDS = {
    "id": "Property `message_id`, the note's name, `tobs_id`.",
    "peer_id": "Property `chat`, the folder.",
    "from_id": "Property `sender`.",
    "date": "Properties `date` and `date_unix`, the note's name.",
    "message": "The text.",
    "entities": "The styles and links of the text, see above.",
    "media": "See above.",
    "rich_message": "The text, see above; its files are embedded where its blocks name them.",
    "reply_markup": "The buttons, see above.",
    "fwd_from": "See above; property `forwarded_from`.",
    "reply_to": "See above; properties `reply_to` and `topic`.",
    "via_bot_id": "'via' and the bot, linked.",
    "via_business_bot_id": "'sent by' and the bot, linked.",
    "views": "Property `views`, where `counters` is set.",
    "forwards": "Property `forwards`, where `counters` is set.",
    "replies": "The number of comments, in the archive.",
    "reactions": "Property `reactions`, where `counters` is set; see above.",
    "edit_date": "Property `edited`.",
    "edit_hide": "No property `edited`.",
    "post_author": "'signed' and the name.",
    "grouped_id": "The messages of an album are one note.",
    "restriction_reason": "A line with the reason.",
    "factcheck": "A callout.",
    "suggested_post": "'suggested post', what became of it, its price, its date.",
    "paid_message_stars": "'paid with' and the number of stars.",
    "paid_suggested_post_stars": _RAW,
    "paid_suggested_post_ton": _RAW,
    "saved_peer_id": "Which part of Saved Messages it is in, in the archive.",
    "post": "Property `sender` is the channel.",
    "out": "In a private chat, property `sender` is you.",
    "pinned": "It is listed in the note of the chat.",
    "silent": "In the archive.",
    "noforwards": "In the archive.",
    "ttl_period": "In the archive.",
    "effect": "In the archive.",
    "summary_from_language": _RAW + " Telegram makes the summary itself only when an app asks for it.",
}
_STATE = "Nothing: it is no part of what was said. It is kept in the raw object in the archive."
FIELDS |= dict.fromkeys(
    (
        *(
            "mentioned",
            "media_unread",
            "from_scheduled",
            "legacy",
            "invert_media",
            "offline",
            "video_processing_pending",
        ),
        *("from_boosts_applied", "from_rank", "guestchat_via_from", "quick_reply_shortcut_id"),
        *("report_delivery_until_date", "schedule_repeat_period", "reactions_are_possible"),
    ),
    _STATE,
)
FIELDS |= {"action": "The sentence of a service message, see above."}

_CHAT = Chat(-1000000000005, "supergroup", "Club", username="club")
_LINKS = Links(chat=lambda chat: ("Club", "Club") if chat == _CHAT.id else None)
_TEMPLATES = Templates(load_builtin)

_TWO_COLUMNS = ["| Constructor | In a note |", "|---|---|"]

#: Title of each family, one of its constructors, and its words.
FAMILIES: tuple[tuple[str, type, Mapping[str, str]], ...] = (
    ("Media", types.MessageMediaEmpty, MEDIA),
    ("Paid media", types.MessageExtendedMedia, EXTENDED),
    ("Web pages", types.WebPage, PAGES),
    ("Stories", types.StoryItem, STORIES),
    ("Entities", types.MessageEntityBold, ENTITIES),
    ("Reactions", types.ReactionEmoji, REACTIONS),
    ("Replies", types.MessageReplyHeader, REPLIES),
    ("Forwards", types.MessageFwdHeader, FORWARDS),
    ("Keyboards", types.ReplyInlineMarkup, MARKUP),
    ("Buttons", types.InlineButtonTypeUrl, BUTTONS),
    ("Rich messages: text", types.TextPlain, RICH),
    ("Rich messages: blocks", types.PageBlockDivider, BLOCKS),
    ("Rich messages: items of lists", types.PageListItemText, PARTS),
    ("Rich messages: items of numbered lists", types.PageListOrderedItemText, PARTS),
)


def telegram_reference() -> str:
    """The page. Raises KeyError for a constructor or a field without words."""
    lines = [
        "# What Telegram sends, and what becomes of it",
        "",
        f"Made from the code by `make reference`, for layer {LAYER} of Telegram's schema. Whatever is not shown in a note is"
        " in the archive all the same: the raw object of every message is kept there. A kind that a later layer brings is"
        " told in its note as one that tobs cannot show yet.",
        "",
        "## Service messages",
        "",
        "The sentences come from the catalogue of words; `language` chooses another one. Names and messages in them are links; what somebody wrote along with a gift, or as the reason of a refusal, follows in quotes.",
        "",
        "| Constructor | Kind | In a note |",
        "|---|---|---|",
    ]
    for kind in constructors(types.MessageActionEmpty):
        name = snake(kind.__name__.removeprefix("MessageAction"))
        lines.append(_row(kind.__name__, f"`{name}`", "<br>".join(sentences(name))))
    for title, parent, words in FAMILIES:
        lines += ["", f"## {title}", ""]
        example = _EXAMPLES.get(parent)
        lines += ["| Constructor | Becomes | In a note |", "|---|---|---|"] if example else _TWO_COLUMNS
        for kind in constructors(parent):
            cells = [example(kind)] if example else []
            lines.append(_row(kind.__name__, *cells, words[kind.__name__]))
    lines += ["", "## Fields of a message", "", "| Field | In a note |", "|---|---|"]
    lines += [_row(name, FIELDS[name]) for name in message_fields()]
    return "\n".join(lines) + "\n"


def message_fields() -> list[str]:
    """The fields of messages and service messages, in the schema's order."""
    names = [
        *inspect.signature(types.Message.__init__).parameters,
        *inspect.signature(types.MessageService.__init__).parameters,
    ]
    return [name for name in dict.fromkeys(names) if name != "self"]


def sentences(kind: str) -> list[str]:
    """The sentences for an action, with its variants; those of one and of many are two."""
    keys = [key for key in WORDS if key == f"action.{kind}" or key.startswith(f"action.{kind}.")]
    return [part for key in keys for part in WORDS[key].split("|")]


def _row(name: str, *cells: str) -> str:
    told = [cell.replace("|", "\\|") for cell in cells]
    return f"| `{name}` | {' | '.join(told)} |"


def _media_model(kind: type) -> str:
    """The struct of the model that a constructor becomes."""
    message = message_of(types.Message(9, types.PeerChannel(5), DATE, "", media=build(kind, full=True)))
    assert message is not None
    return f"`{type(message.media).__name__}`" if message.media is not None else ""


def _entity_markdown(kind: type) -> str:
    """``words`` with the entity over it."""
    entity = build(kind, full=True)
    text = _ENTITY_TEXTS.get(kind, "words")
    entity.offset, entity.length = 0, len(text)
    for field, value in (("url", "https://example.org"), ("language", "python"), ("user_id", 5)):
        if field in vars(entity) and kind is not types.InputMessageEntityMentionName:
            setattr(entity, field, value)
    message = message_of(types.Message(9, types.PeerChannel(5), DATE, text, entities=[entity]))
    assert message is not None
    return f"`` {body(message)} ``".replace("\n", "⏎")


def body(message: Message) -> str:
    """What a note says below its front matter."""
    text = render_message([message], _CHAT, _LINKS, RenderOptions(), _TEMPLATES).text
    return text.partition("\n---\n\n")[2].strip()


_ENTITY_TEXTS: dict[type, str] = {
    types.MessageEntityMention: "@words",
    types.MessageEntityHashtag: "#words",
    types.MessageEntityCashtag: "$USD",
    types.MessageEntityBotCommand: "/words",
    types.MessageEntityUrl: "example.org",
    types.MessageEntityEmail: "me@example.org",
    types.MessageEntityCustomEmoji: "🙂",
}
_EXAMPLES: dict[type, Callable[[type], Any]] = {
    types.MessageMediaEmpty: _media_model,
    types.MessageEntityBold: _entity_markdown,
}
