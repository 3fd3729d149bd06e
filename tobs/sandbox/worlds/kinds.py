"""The world of kinds: a group with one message of each rare kind, for tests of conversion and rendering.

The demo world has the common kinds; here are rich messages, stories, paid media, giveaways, invoices, gifts,
suggested posts, media that is gone, and a service message of every action the layer has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from telethon.tl import types

from tobs.model import bare_id, marked_channel
from tobs.sandbox.worlds.history import MemoryBase
from tobs.sandbox.worlds.peers import FullInfo
from tobs.sandbox.worlds.sample_files import jpeg
from tobs.sandbox.worlds.seeds import access_hash
from tobs.sandbox.worlds.tl import Tl, peer
from tobs.sandbox.worlds.world import World

ME: Final = 670_000_001
ADA: Final = 670_000_002
BOT: Final = 670_000_003
KINDS: Final = marked_channel(1_670_000_001)
SHOP: Final = marked_channel(1_670_000_002)
BADGE: Final = 5_400_000_000_000_000_777

_START: Final = 1_710_000_000
_STEP: Final = 3_600


def kinds_world() -> World:
    """Make the world of kinds."""
    me = types.User(ME, is_self=True, access_hash=access_hash("user", ME), first_name="Kim", phone="9996626677")
    world = World("kinds", me, epoch=_START + 1_000_000)
    ada = types.User(
        ADA, access_hash=access_hash("user", ADA), first_name="Ada", last_name="North", username="ada_kinds"
    )
    bot = types.User(BOT, access_hash=access_hash("user", BOT), first_name="Shop", bot=True, bot_info_version=1)
    world.add_user(ada, FullInfo(about="Collects odd messages."))
    world.add_user(bot)
    world.emoji = {BADGE: "🏅"}
    shop = [_message(SHOP, n, message=f"Post {n}", post=True) for n in (1, 2)]
    world.add_chat(
        SHOP,
        _channel(SHOP, "Shop Window", broadcast=True),
        MemoryBase(shop, world.files.locations),
        FullInfo("We sell."),
    )
    messages = [_message(KINDS, id, **fields) for id, fields in enumerate(_kinds(world), 1)]
    photo = world.files.add_photo(jpeg(99, 4_000), 64, 64)
    about = FullInfo("One of each kind.", (ME, ADA), 2, photo=photo)
    group = _channel(KINDS, "Odds and Ends", megagroup=True, username="sandbox_kinds")
    world.add_chat(KINDS, group, MemoryBase(messages, world.files.locations), about)
    world.targets = ["@sandbox_kinds"]
    return world


def _kinds(world: World) -> Iterator[dict[str, Any]]:
    """Yield the fields of each message, in order."""
    yield from _media(world)
    yield from _message_fields(world)
    yield {"message": "", "rich_message": _rich(world)}
    yield from ({"action": action} for action in _actions())


def _media(world: World) -> Iterator[dict[str, Any]]:
    point = types.GeoPoint(10.5, 47.25, 1)
    photo = types.MessageMediaPhoto(photo=_photo(world, 1))
    hidden = types.MessageMediaPhoto(spoiler=True, photo=_photo(world, 2))
    bought = types.MessageExtendedMedia(types.MessageMediaPhoto(photo=_photo(world, 3)))
    words = types.TextWithEntities
    media: list[tuple[str, Any]] = [
        ("Meet me here", types.MessageMediaVenue(point, "Café [[Blue]]", "Lake Road 5", "foursquare", "1", "")),
        ("", types.MessageMediaGeoLive(point, 900)),
        ("Behind a cover", hidden),
        ("", types.MessageMediaPhoto(ttl_seconds=5)),
        ("", types.MessageMediaInvoice("A mug", "Blue, *big*", "EUR", 1_250, "", receipt_msg_id=9)),
        ("Some of it is mine", types.MessageMediaPaidMedia(25, [bought, types.MessageExtendedMediaPreview(64, 64)])),
        ("", types.MessageMediaGiveaway([bare_id(SHOP)], 3, _date(500), countries_iso2=["DE", "PL"], months=6)),
        ("", types.MessageMediaGiveawayResults(bare_id(SHOP), 1, 2, 1, [ADA], _date(500), months=6)),
        ("", types.MessageMediaStory(peer(ADA), 4)),
        (
            "",
            types.MessageMediaStory(
                peer(ADA), 5, story=types.StoryItem(5, _date(9), _date(33), photo, caption="My day")
            ),
        ),
        ("", types.MessageMediaUnsupported()),
        ("", types.MessageMediaVideoStream(types.InputGroupCall(5, 6))),
        (
            "",
            types.MessageMediaPoll(
                types.Poll(
                    7,
                    words("Which one is <% blue %>?", []),
                    [types.PollAnswer(words("- the sky", []), b"0"), types.PollAnswer(words("1. the sea", []), b"1")],
                    0,
                    quiz=True,
                    closed=True,
                ),
                types.PollResults(
                    results=[
                        types.PollAnswerVoters(b"0", voters=3, recent_voters=[], correct=True, chosen=True),
                        types.PollAnswerVoters(b"1", voters=1, recent_voters=[]),
                    ],
                    total_voters=4,
                    solution="It **is** the sky.",
                    solution_entities=[],
                ),
                attached_media=types.MessageMediaPhoto(photo=_photo(world, 4)),
            ),
        ),
    ]
    yield from ({"message": text, "media": item} for text, item in media)


def _message_fields(world: World) -> Iterator[dict[str, Any]]:
    """Yield texts with the rare fields of a message, such as fact checks, suggested posts and buttons."""
    text = types.TextWithEntities
    yield {"message": "A claim", "factcheck": types.FactCheck(1, country="de", text=text("It is false.", []))}
    yield {"message": "Not everywhere", "restriction_reason": [types.RestrictionReason("ios", "terms", "local law")]}
    price = types.StarsAmount(50, 0)
    yield {"message": "Please post this", "suggested_post": types.SuggestedPost(accepted=True, price=price)}
    yield {"message": "I paid to say this", "paid_message_stars": 7}
    yield {"message": "Ordered by a bot", "via_business_bot_id": BOT}
    yield {"message": "Found by a bot", "via_bot_id": BOT}
    yield {
        "message": "You said it",
        "reply_to": types.MessageReplyHeader(
            reply_to_msg_id=2, reply_to_peer_id=peer(SHOP), quote=True, quote_text="Post # 2"
        ),
    }
    yield {"message": "Nobody saw it", "reply_to": types.MessageReplyStoryHeader(peer(ADA), 5)}
    header = types.MessageFwdHeader(_date(1), from_name="A *hidden* friend")
    yield {"message": "Somebody said it", "reply_to": types.MessageReplyHeader(reply_from=header, quote_text="What?")}
    yield {"message": "Forwarded", "fwd_from": types.MessageFwdHeader(_date(1), from_id=peer(SHOP), channel_post=1)}
    yield {"message": "From someone", "fwd_from": header}
    reactions = [
        types.ReactionCount(types.ReactionEmoji("🔥"), 3),
        types.ReactionCount(types.ReactionCustomEmoji(BADGE), 2),
        types.ReactionCount(types.ReactionPaid(), 9),
    ]
    yield {"message": "Liked", "reactions": types.MessageReactions(reactions)}
    forms = [
        ("Open", types.InlineButtonTypeUrl("https://t.me/sandbox_kinds/1")),
        ("Site", types.InlineButtonTypeUrl("https://example.org")),
        ("Take", types.InlineButtonTypeCopy("a `code`")),
        ("Ada", types.InlineButtonTypeUserProfile(ADA)),
        ("Vote", types.InlineButtonTypeCallback(b"1")),
    ]
    row = types.KeyboardInlineButtonRow([types.KeyboardInlineButton(name, form) for name, form in forms])
    yield {"message": "Press", "reply_markup": types.ReplyInlineMarkup([row])}


def _rich(world: World) -> Tl:
    """Make a rich message: a tree of blocks, with one photo that a block names and one that no block names."""
    named, other = (_photo(world, seed) for seed in (5, 6))
    plain = types.TextPlain
    no_caption = types.PageCaption(types.TextEmpty(), types.TextEmpty())
    cells = [types.PageTableCell(header=True, text=plain(word)) for word in ("Name", "A | B")]
    blocks = [
        types.PageBlockHeading2(plain("What I found")),
        types.PageBlockParagraph(
            types.TextConcat([plain("It was "), types.TextBold(plain("old")), plain(" # and 1. odd")])
        ),
        types.PageBlockPhoto(named.id, types.PageCaption(plain("The shelf"), plain("Ada"))),
        types.PageBlockList([types.PageListItemText(plain("dust"), checkbox=True, checked=True)]),
        types.PageBlockTable(types.TextEmpty(), [types.PageTableRow(cells)]),
        types.PageBlockDetails([types.PageBlockParagraph(plain("secret"))], plain("More")),
        types.PageBlockMath("e = m c^2"),
        types.PageBlockPreformatted(plain("x = 1"), "python"),
        types.PageBlockEmbed(no_caption, html="<script>alert(1)</script>"),
        types.PageBlockUnsupported(),
    ]
    return types.RichMessage(blocks, [named, other], [])


def _actions() -> list[Any]:
    """Return the actions of service messages that no other world has."""
    text = types.TextWithEntities
    return [
        types.MessageActionSetMessagesTTL(86_400),
        types.MessageActionScreenshotTaken(),
        types.MessageActionGiftPremium("EUR", 1_499, 90, message=text("For you", [])),
        types.MessageActionGiftCode(30, "slug"),
        types.MessageActionGiftStars("EUR", 199, 100),
        types.MessageActionPaymentSent("EUR", 1_250),
        types.MessageActionGiveawayLaunch(),
        types.MessageActionGiveawayResults(2, 1),
        types.MessageActionPrizeStars(500, "1", peer(SHOP), 1),
        types.MessageActionPaidMessagesPrice(10),
        types.MessageActionSuggestedPostApproval(rejected=True, reject_comment="no"),
        types.MessageActionTopicCreate("A topic", 0),
        types.MessageActionTopicEdit(closed=True),
        types.MessageActionSuggestBirthday(types.Birthday(1, 2)),
        types.MessageActionGeoProximityReached(peer(ADA), peer(ME), 250),
        types.MessageActionWebViewDataSent("Order"),
        types.MessageActionPhoneCall(5, video=True, reason=types.PhoneCallDiscardReasonMissed()),
        types.MessageActionConferenceCall(6, duration=125),
        types.MessageActionHistoryClear(),
        types.MessageActionEmpty(),
    ]


def _photo(world: World, seed: int) -> Tl:
    return world.files.add_photo(jpeg(seed, 3_000), 64, 64)


def _message(chat: int, id: int, **fields: Any) -> Tl:
    common: dict[str, Any] = {"id": id, "peer_id": peer(chat), "date": _date(id)} | fields
    if not common.get("post"):
        common["from_id"] = peer(ADA)
    return types.MessageService(**common) if "action" in fields else types.Message(**common)


def _date(id: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(_START + id * _STEP, dt.UTC)


def _channel(marked: int, title: str, **more: Any) -> Tl:
    id = bare_id(marked)
    return types.Channel(id, title, types.ChatPhotoEmpty(), _date(0), access_hash=access_hash("channel", id), **more)
