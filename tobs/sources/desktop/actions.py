"""Service messages: the exporter's actions under the names Telegram gives them.

Somebody of whom an export tells only the name stands in the values as that name instead of an id.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from tobs.model import Action, FileItem
from tobs.sources.desktop.ids import peer_id
from tobs.sources.desktop.media import ByName, SizeOf, photo_of
from tobs.sources.desktop.text import text_of
from tobs.sources.desktop.values import Json, local_moment, objects, whole, words

#: Which key of an action names the message it is about.
ABOUT = {
    "pin_message": "message_id",
    "score_in_game": "game_message_id",
    "send_payment": "invoice_message_id",
    "set_chat_wallpaper": "message_id",
    "set_same_chat_wallpaper": "message_id",
}
#: What every message has: no value of an action.
COMMON = frozenset({
    "id", "type", "date", "date_unixtime", "edited", "edited_unixtime", "actor", "actor_id", "action", "text",
    "text_entities", "reply_to_message_id", "reply_to_peer_id", "reactions",

})  # fmt: skip
_PHOTO_ACTIONS = frozenset({"edit_group_photo", "suggest_profile_photo"})

Values = dict[str, Any]


def action_of(message: Json, zone: tzinfo, by_name: ByName) -> Action:
    """The action of a service message; one that is not known keeps its name and values."""
    name = message.get("action")
    if not isinstance(name, str):
        return Action("custom_action", {"message": words(message.get("information_text"))})
    known = _ACTIONS.get(name)
    if known is None:
        return Action(name, {key: value for key, value in message.items() if key not in COMMON})
    kind, make = known
    values = make(_Told(message, zone, by_name))
    return Action(kind, {key: value for key, value in values.items() if value is not None})


def action_photo(message: Json, size_of: SizeOf) -> FileItem | None:
    """The picture that an action brings along."""
    return photo_of(message, size_of) if message.get("action") in _PHOTO_ACTIONS and "photo" in message else None


class _Told:
    """A service message, asked for what its action needs."""

    def __init__(self, message: Json, zone: tzinfo, by_name: ByName) -> None:
        self._message = message
        self._zone = zone
        self._by_name = by_name

    def __call__(self, key: str) -> Any:
        return self._message.get(key)

    def text(self, key: str) -> str:
        return words(self._message.get(key))

    def whole(self, key: str) -> int:
        return whole(self._message.get(key))

    def flag(self, key: str) -> bool | None:
        return True if self._message.get(key) is True else None

    def moment(self, key: str) -> int:
        return whole(self._message.get(f"{key}_unixtime")) or local_moment(self._message.get(key), self._zone)

    def person(self, key: str) -> int | str | None:
        """Somebody, by id or name."""
        return peer_id(self._message.get(f"{key}_id")) or self._somebody(self._message.get(key))

    def people(self, key: str) -> list[int | str]:
        """Several; a deleted account has no name."""
        value = self._message.get(key)
        return [self._somebody(name) or "Deleted Account" for name in value] if isinstance(value, list) else []

    def _somebody(self, name: Any) -> int | str | None:
        return (self._by_name(name) or name or None) if isinstance(name, str) else None


def _photo(told: _Told) -> Values:
    return {}


def _title(told: _Told) -> Values:
    return {"title": told.text("title")}


def _members(told: _Told) -> Values:
    return {"users": told.people("members")}


def _removed(told: _Told) -> Values:
    return {"user_id": next(iter(told.people("members")), None)}


def _phone_call(told: _Told) -> Values:
    reason = told.text("discard_reason").replace("migrate_conference_all", "migrate_conference_call")
    return {"duration": told.whole("duration_seconds") or None, "reason": reason or None}


def _conference(told: _Told) -> Values:
    return {
        "duration": told.whole("duration_seconds") or None,
        "active": told.flag("is_active"),
        "missed": told.flag("is_missed"),
    }


def _payment(told: _Told) -> Values:
    recurring = told.text("recurring")
    return {
        "currency": told.text("currency"),
        "total_amount": told.whole("amount"),
        "recurring_used": recurring == "used" or None,
        "recurring_init": recurring == "init" or None,
    }


def _allowed(told: _Told) -> Values:
    return {"domain": told.text("reason_domain") or None, "app": told.text("reason_app_name") or None}


def _passport(told: _Told) -> Values:
    return {"types": told("values")}


def _proximity(told: _Told) -> Values:
    return {"from_id": told.person("from"), "to_id": told.person("to"), "distance": told.whole("distance")}


def _peers(told: _Told) -> Values:
    """The peers are JSON inside a text."""
    value = told("peers")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = []
    items = value if isinstance(value, list) else []
    ids = [peer_id(item.get("id") if isinstance(item, dict) else item) for item in items]
    return {"button_id": told.whole("button_id"), "peers": [one for one in ids if one]}


def _days(told: _Told) -> int:
    return told.whole("days") or 30 * told.whole("months")


def _gift_code(told: _Told) -> Values:
    return {
        "slug": told.text("gift_code"),
        "days": _days(told),
        "boost_peer": peer_id(told("boost_peer_id")) or None,
        "via_giveaway": told.flag("via_giveaway"),
        "unclaimed": told.flag("unclaimed"),
    }


def _premium(told: _Told) -> Values:
    return {"days": _days(told), "cost": told("cost")}


def _refund(told: _Told) -> Values:
    return {
        "peer": peer_id(told("peer_id")) or told.text("peer_name") or None,
        "currency": told.text("currency"),
        "total_amount": told.whole("amount"),
    }


def _gift_stars(told: _Told) -> Values:
    return {"stars": told.whole("amount_whole"), "cost": told("cost")}


def _gift_ton(told: _Told) -> Values:
    nano = told.whole("amount_whole") * 10**9 + told.whole("amount_nano")
    return {"crypto_currency": "TON", "crypto_amount": nano, "cost": told("cost")}


def _prize(told: _Told) -> Values:
    return {
        "stars": told.whole("stars"),
        "boost_peer": peer_id(told("boost_peer_id")) or told.text("boost_peer_name") or None,
        "giveaway_msg_id": told.whole("giveaway_msg_id"),
        "transaction_id": told.text("transaction_id"),
        "unclaimed": told.flag("is_unclaimed"),
    }


def _star_gift(told: _Told) -> Values:
    # Before December 2024 the words of a gift came under the key `text`, which the message's own text then repeats.
    said = text_of(told("gift_text") if told("gift_text") is not None else told("text#1"))
    gift = {"id": told.whole("gift_id"), "stars": told.whole("stars"), "limited": told.flag("is_limited")}
    return {
        "gift": {key: value for key, value in gift.items() if value is not None},
        "name_hidden": told.flag("is_anonymous"),
        "message": {"text": said.text} if said.text else None,
    }


def _price(told: _Told) -> Values:
    if told("price_amount_whole") is None:
        return {}
    price = {"amount": told.whole("price_amount_whole"), "nanos": told.whole("price_amount_nano")}
    return {"price": price, "currency": told.text("price_currency")}


def _tasks(told: _Told) -> Values:
    items = [{"id": whole(item.get("id")), "title": text_of(item.get("text")).text} for item in objects(told("items"))]
    return {"list": items}


def _completions(told: _Told) -> Values:
    return {key: [whole(one) for one in told(key) or []] for key in ("completed", "incompleted")}


def _answer(told: _Told) -> Values:
    return {"answer": text_of(told("option")).text}


def _nothing(told: _Told) -> Values:
    return {}


_ACTIONS: dict[str, tuple[str, Callable[[_Told], Values]]] = {
    "create_group": ("chat_create", lambda told: _title(told) | _members(told)),
    "edit_group_title": ("chat_edit_title", _title),
    "edit_group_photo": ("chat_edit_photo", _photo),
    "delete_group_photo": ("chat_delete_photo", _nothing),
    "invite_members": ("chat_add_user", _members),
    "remove_members": ("chat_delete_user", _removed),
    "join_group_by_link": ("chat_joined_by_link", lambda told: {"inviter_id": told.person("inviter")}),
    "join_group_by_request": ("chat_joined_by_request", _nothing),
    "create_channel": ("channel_create", _title),
    "migrate_to_supergroup": ("chat_migrate_to", _nothing),
    "migrate_from_group": ("channel_migrate_from", _title),
    "pin_message": ("pin_message", _nothing),
    "clear_history": ("history_clear", _nothing),
    "score_in_game": ("game_score", lambda told: {"score": told.whole("score")}),
    "send_payment": ("payment_sent", _payment),
    "phone_call": ("phone_call", _phone_call),
    "conference_call": ("conference_call", _conference),
    "take_screenshot": ("screenshot_taken", _nothing),
    "attach_menu_bot_allowed": ("bot_allowed", lambda told: {"attach_menu": True}),
    "web_app_bot_allowed": ("bot_allowed", lambda told: {"from_request": True}),
    "allow_sending_messages": ("bot_allowed", _allowed),
    "send_passport_values": ("secure_values_sent", _passport),
    "joined_telegram": ("contact_sign_up", _nothing),
    "proximity_reached": ("geo_proximity_reached", _proximity),
    "requested_phone_number": ("custom_action", lambda told: {"message": "The phone number was asked for"}),
    "group_call": ("group_call", lambda told: {"duration": told.whole("duration") or None}),
    "invite_to_group_call": ("invite_to_group_call", _members),
    "set_messages_ttl": ("set_messages_ttl", lambda told: {"period": told.whole("period")}),
    "group_call_scheduled": ("group_call_scheduled", lambda told: {"schedule_date": told.moment("schedule_date")}),
    "edit_chat_theme": ("set_chat_theme", lambda told: {"emoticon": told.text("emoticon")}),
    "send_webview_data": ("web_view_data_sent", lambda told: {"text": words(told("text#1") or told("text"))}),
    "send_premium_gift": ("gift_premium", _premium),
    "topic_created": ("topic_create", _title),
    "topic_edit": ("topic_edit", lambda told: {"title": told.text("new_title") or None}),
    "suggest_profile_photo": ("suggest_profile_photo", _photo),
    "requested_peer": ("requested_peer", _peers),
    "gift_code_prize": ("gift_code", _gift_code),
    "giveaway_launch": ("giveaway_launch", _nothing),
    "giveaway_results": (
        "giveaway_results",
        lambda told: {"winners_count": told.whole("winners"), "unclaimed_count": told.whole("unclaimed")},
    ),
    "set_chat_wallpaper": ("set_chat_wall_paper", _nothing),
    "set_same_chat_wallpaper": ("set_chat_wall_paper", lambda told: {"same": True}),
    "boost_apply": ("boost_apply", lambda told: {"boosts": told.whole("boosts")}),
    "refunded_payment": ("payment_refunded", _refund),
    "send_stars_gift": ("gift_stars", _gift_stars),
    "send_ton_gift": ("gift_ton", _gift_ton),
    "stars_prize": ("prize_stars", _prize),
    "send_star_gift": ("star_gift", _star_gift),
    "paid_messages_refund": (
        "paid_messages_refunded",
        lambda told: {"count": told.whole("messages_count"), "stars": told.whole("stars_count")},
    ),
    "paid_messages_price_change": ("paid_messages_price", lambda told: {"stars": told.whole("price_stars")}),
    "todo_completions": ("todo_completions", _completions),
    "todo_append_tasks": ("todo_append_tasks", _tasks),
    "process_suggested_post": (
        "suggested_post_approval",
        lambda told: {"rejected": told.flag("rejected"), "reject_comment": told.text("comment") or None} | _price(told),
    ),
    "suggested_post_success": ("suggested_post_success", _price),
    "suggested_post_refund": ("suggested_post_refund", lambda told: {"payer_initiated": told.flag("user_initiated")}),
    "poll_append_answer": ("poll_append_answer", _answer),
    "poll_delete_answer": ("poll_delete_answer", _answer),
    "suggest_birthday": ("suggest_birthday", lambda told: {"day": told.whole("day"), "month": told.whole("month")}),
    "no_forwards_toggle": ("no_forwards_toggle", lambda told: {"new_value": told.flag("new_value")}),
    "no_forwards_request": ("no_forwards_request", lambda told: {"new_value": told.flag("new_value")}),
    "new_creator_pending": ("new_creator_pending", lambda told: {"new_creator_id": told.person("new_creator")}),
    "change_creator": ("change_creator", lambda told: {"new_creator_id": told.person("new_creator")}),
    "managed_bot_created": ("managed_bot_created", lambda told: {"bot_id": told.person("bot")}),
    "change_community": ("change_community", _nothing),
}
