"""The exporter's service messages as TL actions; an action unknown to TL becomes a custom action with its JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tobs.sandbox.worlds.seeds import access_hash
from tobs.sandbox.worlds.tdesktop.media import Media, todo_items
from tobs.sandbox.worlds.tdesktop.peers import ExportPeers, marked_id
from tobs.sandbox.worlds.tdesktop.reader import Json
from tobs.sandbox.worlds.tdesktop.text import styled
from tobs.sandbox.worlds.tl import Tl, peer

_CALL = 1
_REASONS = {
    "busy": types.PhoneCallDiscardReasonBusy,
    "disconnect": types.PhoneCallDiscardReasonDisconnect,
    "hangup": types.PhoneCallDiscardReasonHangup,
    "missed": types.PhoneCallDiscardReasonMissed,
}
_PASSPORT = {
    "personal_details": "PersonalDetails", "passport": "Passport", "driver_license": "DriverLicense",
    "identity_card": "IdentityCard", "internal_passport": "InternalPassport", "address_information": "Address",
    "utility_bill": "UtilityBill", "bank_statement": "BankStatement", "rental_agreement": "RentalAgreement",
    "passport_registration": "PassportRegistration", "temporary_registration": "TemporaryRegistration",
    "phone_number": "Phone", "email": "Email",
}  # fmt: skip

ABOUT_A_MESSAGE = {
    "pin_message": "message_id", "score_in_game": "game_message_id", "send_payment": "invoice_message_id",
    "set_chat_wallpaper": "message_id", "set_same_chat_wallpaper": "message_id",
}  # fmt: skip
"""The key of each action that names the message it is about."""


class Actions:
    """Makes TL actions of one export's service messages."""

    def __init__(self, peers: ExportPeers, media: Media) -> None:
        self._peers = peers
        self._media = media

    def make(self, message: Json, key: str, date: dt.datetime) -> Tl:
        """Make the action of a service message."""
        name = message.get("action")
        if name is None:
            return types.MessageActionCustomAction(str(message.get("information_text") or ""))
        if name in ("edit_group_photo", "suggest_profile_photo"):
            if "photo" not in message:
                return types.MessageActionChatEditPhoto(types.PhotoEmpty(0))
            photo = self._media.photo(message, key, date)
            edited = name == "edit_group_photo"
            return types.MessageActionChatEditPhoto(photo) if edited else types.MessageActionSuggestProfilePhoto(photo)
        maker = _MAKERS.get(name)
        if maker is None:
            data = {key: value for key, value in message.items() if key not in _COMMON}
            return types.MessageActionCustomAction(json.dumps(data, ensure_ascii=False))
        return maker(message, self._peers)


_COMMON = ("id", "type", "date", "date_unixtime", "actor", "actor_id", "text", "text_entities")


def _members(message: Json, peers: ExportPeers) -> list[int]:
    return [peers.by_name(name) for name in message.get("members") or []]


def _removed(message: Json, peers: ExportPeers) -> Tl:
    return types.MessageActionChatDeleteUser((_members(message, peers) or [peers.by_name(None)])[0])


def _group_call(message: Json, peers: ExportPeers) -> Tl:
    return types.MessageActionGroupCall(_call(), duration=message.get("duration"))


def _call() -> Tl:
    return types.InputGroupCall(_CALL, access_hash("call", _CALL))


def _phone_call(message: Json, peers: ExportPeers) -> Tl:
    reason = message.get("discard_reason")
    made = types.PhoneCallDiscardReasonMigrateConferenceCall("") if reason == "migrate_conference_all" else None
    if reason in _REASONS:
        made = _REASONS[reason]()
    return types.MessageActionPhoneCall(message["id"], reason=made, duration=message.get("duration_seconds"))


def _conference(message: Json, peers: ExportPeers) -> Tl:
    return types.MessageActionConferenceCall(
        message["id"], missed=message.get("is_missed") or None, active=message.get("is_active") or None,
        duration=message.get("duration_seconds"),
    )  # fmt: skip


def _payment(message: Json, peers: ExportPeers) -> Tl:
    recurring = message.get("recurring")
    return types.MessageActionPaymentSent(
        message.get("currency") or "", int(message.get("amount") or 0),
        recurring_init=recurring == "init" or None, recurring_used=recurring == "used" or None,
    )  # fmt: skip


def _allowed(message: Json, peers: ExportPeers) -> Tl:
    name = message["action"]
    app = None
    if "reason_app_name" in message:
        id = int(message.get("reason_app_id") or 0)
        title = message.get("reason_app_name") or ""
        app = types.BotApp(id, access_hash("app", id), title, title, "", types.PhotoEmpty(0), 0)
    return types.MessageActionBotAllowed(
        attach_menu=name == "attach_menu_bot_allowed" or None, from_request=name == "web_app_bot_allowed" or None,
        domain=message.get("reason_domain"), app=app,
    )  # fmt: skip


def _passport(message: Json, peers: ExportPeers) -> Tl:
    names = [_PASSPORT[value] for value in message.get("values") or [] if value in _PASSPORT]
    return types.MessageActionSecureValuesSent([getattr(types, f"SecureValueType{name}")() for name in names])


def _proximity(message: Json, peers: ExportPeers) -> Tl:
    near = peers.by_id(message.get("from_id"), message.get("from")) or peers.by_name(message.get("from"))
    to = peers.by_id(message.get("to_id"), message.get("to")) or peers.by_name(message.get("to"))
    return types.MessageActionGeoProximityReached(peer(near), peer(to), int(message.get("distance") or 0))


def _requested_peer(message: Json, peers: ExportPeers) -> Tl:
    data = message.get("peers") or []
    data = json.loads(data) if isinstance(data, str) else data
    found = [marked_id(item.get("id") if isinstance(item, dict) else item) for item in data]
    return types.MessageActionRequestedPeer(int(message.get("button_id") or 0), [peer(id) for id in found if id])


def _gift_code(message: Json, peers: ExportPeers) -> Tl:
    days = int(message.get("days") or 30 * int(message.get("months") or 0))
    boost = marked_id(message.get("boost_peer_id"))
    return types.MessageActionGiftCode(
        days, str(message.get("gift_code") or ""), via_giveaway=message.get("via_giveaway") or None,
        unclaimed=message.get("unclaimed") or None, boost_peer=peer(boost) if boost else None,
    )  # fmt: skip


def _premium(message: Json, peers: ExportPeers) -> Tl:
    days = int(message.get("days") or 30 * int(message.get("months") or 0))
    return types.MessageActionGiftPremium("XTR", _number(message.get("cost")), days)


def _number(value: Any) -> int:
    digits = "".join(sign for sign in str(value or "") if sign.isdigit())
    return int(digits or 0)


def _wallpaper(message: Json, peers: ExportPeers) -> Tl:
    same = message["action"] == "set_same_chat_wallpaper" or None
    return types.MessageActionSetChatWallPaper(types.WallPaperNoFile(1), same=same)


def _refund(message: Json, peers: ExportPeers) -> Tl:
    who = peers.by_id(message.get("peer_id"), message.get("peer_name")) or peers.by_name(message.get("peer_name"))
    charge = types.PaymentCharge(str(message.get("charge_id") or ""), "")
    return types.MessageActionPaymentRefunded(
        peer(who), message.get("currency") or "", int(message.get("amount") or 0), charge
    )


def _prize(message: Json, peers: ExportPeers) -> Tl:
    boost = peers.by_id(message.get("boost_peer_id"), message.get("boost_peer_name")) or peers.by_name(None)
    return types.MessageActionPrizeStars(
        int(message.get("stars") or 0), str(message.get("transaction_id") or ""), peer(boost),
        int(message.get("giveaway_msg_id") or 0), unclaimed=message.get("is_unclaimed") or None,
    )  # fmt: skip


def _star_gift(message: Json, peers: ExportPeers) -> Tl:
    id = int(message.get("gift_id") or 0)
    stars = int(message.get("stars") or 0)
    sticker = types.DocumentEmpty(id)
    limits = {"limited": True, "availability_remains": 0, "availability_total": 0} if message.get("is_limited") else {}
    gift = types.StarGift(id, sticker, stars, stars, **limits)
    words = message.get("gift_text") or message.get("action_text")
    return types.MessageActionStarGift(
        gift, name_hidden=message.get("is_anonymous") or None, message=styled(words) if words else None
    )


def _price(message: Json) -> Tl:
    return types.StarsAmount(int(message.get("price_amount_whole") or 0), int(message.get("price_amount_nano") or 0))


def _suggested(message: Json, peers: ExportPeers) -> Tl:
    return types.MessageActionSuggestedPostApproval(
        rejected=message.get("rejected") or None, reject_comment=message.get("comment"),
        price=_price(message) if "price_amount_whole" in message else None,
    )  # fmt: skip


def _title(message: Json) -> str:
    return str(message.get("title") or "")


def _named_user(message: Json, key: str, peers: ExportPeers) -> int:
    return peers.by_name(message.get(key))


def _answer(message: Json) -> Tl:
    return types.PollAnswer(styled(message.get("option")), b"0")


_MAKERS: dict[str, Callable[[Json, ExportPeers], Tl]] = {
    "create_group": lambda m, p: types.MessageActionChatCreate(_title(m), _members(m, p)),
    "edit_group_title": lambda m, p: types.MessageActionChatEditTitle(_title(m)),
    "delete_group_photo": lambda m, p: types.MessageActionChatDeletePhoto(),
    "invite_members": lambda m, p: types.MessageActionChatAddUser(_members(m, p)),
    "remove_members": _removed,
    "join_group_by_link": lambda m, p: types.MessageActionChatJoinedByLink(_named_user(m, "inviter", p)),
    "join_group_by_request": lambda m, p: types.MessageActionChatJoinedByRequest(),
    "create_channel": lambda m, p: types.MessageActionChannelCreate(_title(m)),
    "migrate_to_supergroup": lambda m, p: types.MessageActionChatMigrateTo(1),
    "migrate_from_group": lambda m, p: types.MessageActionChannelMigrateFrom(_title(m), 1),
    "pin_message": lambda m, p: types.MessageActionPinMessage(),
    "clear_history": lambda m, p: types.MessageActionHistoryClear(),
    "score_in_game": lambda m, p: types.MessageActionGameScore(0, int(m.get("score") or 0)),
    "send_payment": _payment,
    "phone_call": _phone_call,
    "conference_call": _conference,
    "take_screenshot": lambda m, p: types.MessageActionScreenshotTaken(),
    "attach_menu_bot_allowed": _allowed,
    "web_app_bot_allowed": _allowed,
    "allow_sending_messages": _allowed,
    "send_passport_values": _passport,
    "joined_telegram": lambda m, p: types.MessageActionContactSignUp(),
    "proximity_reached": _proximity,
    "requested_phone_number": lambda m, p: types.MessageActionCustomAction("requested phone number"),
    "group_call": _group_call,
    "invite_to_group_call": lambda m, p: types.MessageActionInviteToGroupCall(_call(), _members(m, p)),
    "set_messages_ttl": lambda m, p: types.MessageActionSetMessagesTTL(int(m.get("period") or 0)),
    "group_call_scheduled": lambda m, p: types.MessageActionGroupCallScheduled(_call(), _schedule(m)),
    "edit_chat_theme": lambda m, p: types.MessageActionSetChatTheme(types.ChatTheme(str(m.get("emoticon") or ""))),
    "send_webview_data": lambda m, p: types.MessageActionWebViewDataSent(str(m.get("action_text") or "")),
    "send_premium_gift": _premium,
    "topic_created": lambda m, p: types.MessageActionTopicCreate(_title(m), 0x6FB9F0),
    "topic_edit": lambda m, p: types.MessageActionTopicEdit(title=m.get("new_title")),
    "requested_peer": _requested_peer,
    "gift_code_prize": _gift_code,
    "giveaway_launch": lambda m, p: types.MessageActionGiveawayLaunch(),
    "giveaway_results": lambda m, p: types.MessageActionGiveawayResults(
        int(m.get("winners") or 0), int(m.get("unclaimed") or 0), stars=bool(m.get("stars")) or None
    ),
    "set_chat_wallpaper": _wallpaper,
    "set_same_chat_wallpaper": _wallpaper,
    "boost_apply": lambda m, p: types.MessageActionBoostApply(int(m.get("boosts") or 0)),
    "refunded_payment": _refund,
    "send_stars_gift": lambda m, p: types.MessageActionGiftStars(
        "XTR", _number(m.get("cost")), int(m.get("amount_whole") or 0)
    ),
    "send_ton_gift": lambda m, p: types.MessageActionGiftTon(
        "USD", _number(m.get("cost")), "TON", int(m.get("amount_whole") or 0)
    ),
    "stars_prize": _prize,
    "send_star_gift": _star_gift,
    "paid_messages_refund": lambda m, p: types.MessageActionPaidMessagesRefunded(
        int(m.get("messages_count") or 0), int(m.get("stars_count") or 0)
    ),
    "paid_messages_price_change": lambda m, p: types.MessageActionPaidMessagesPrice(
        int(m.get("price_stars") or 0), broadcast_messages_allowed=m.get("is_broadcast_messages_allowed") or None
    ),
    "todo_completions": lambda m, p: types.MessageActionTodoCompletions(
        [int(id) for id in m.get("completed") or []], [int(id) for id in m.get("incompleted") or []]
    ),
    "todo_append_tasks": lambda m, p: types.MessageActionTodoAppendTasks(todo_items(m.get("items") or [])),
    "process_suggested_post": _suggested,
    "suggested_post_success": lambda m, p: types.MessageActionSuggestedPostSuccess(_price(m)),
    "suggested_post_refund": lambda m, p: types.MessageActionSuggestedPostRefund(
        payer_initiated=m.get("user_initiated") or None
    ),
    "poll_append_answer": lambda m, p: types.MessageActionPollAppendAnswer(_answer(m)),
    "poll_delete_answer": lambda m, p: types.MessageActionPollDeleteAnswer(_answer(m)),
    "suggest_birthday": lambda m, p: types.MessageActionSuggestBirthday(
        types.Birthday(int(m.get("day") or 1), int(m.get("month") or 1), m.get("year"))
    ),
    "no_forwards_toggle": lambda m, p: types.MessageActionNoForwardsToggle(
        not m.get("new_value"), bool(m.get("new_value"))
    ),
    "no_forwards_request": lambda m, p: types.MessageActionNoForwardsRequest(
        not m.get("new_value"), bool(m.get("new_value")), expired=m.get("expired") or None
    ),
    "new_creator_pending": lambda m, p: types.MessageActionNewCreatorPending(_named_user(m, "new_creator", p)),
    "change_creator": lambda m, p: types.MessageActionChangeCreator(_named_user(m, "new_creator", p)),
    "managed_bot_created": lambda m, p: types.MessageActionManagedBotCreated(_named_user(m, "bot", p)),
    "change_community": lambda m, p: types.MessageActionChangeCommunity(),
}


def _schedule(message: Json) -> dt.datetime:
    """Read the date of a scheduled call, local time without a zone, as UTC; the message's date if there is none."""
    try:
        return dt.datetime.fromisoformat(str(message.get("schedule_date"))).replace(tzinfo=dt.UTC)
    except ValueError:
        return dt.datetime.fromtimestamp(int(message.get("date_unixtime") or 0), dt.UTC)
