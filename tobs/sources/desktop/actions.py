"""Service messages: the exporter's action names converted to Telegram's.

A person without an id in the export is given by name in the values.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from tobs.model import Action, FileItem
from tobs.sources.desktop.ids import peer_id
from tobs.sources.desktop.media import IdByName, SizeOf, photo_of
from tobs.sources.desktop.text import text_of
from tobs.sources.desktop.values import Json, as_int, as_objects, as_text, local_unix_time

#: Key of an action that refers to a message.
ABOUT = {
    "pin_message": "message_id",
    "score_in_game": "game_message_id",
    "send_payment": "invoice_message_id",
    "set_chat_wallpaper": "message_id",
    "set_same_chat_wallpaper": "message_id",
}
#: Keys of every message, which are not values of an action.
COMMON = frozenset({
    "id", "type", "date", "date_unixtime", "edited", "edited_unixtime", "actor", "actor_id", "action", "text",
    "text_entities", "reply_to_message_id", "reply_to_peer_id", "reactions",

})  # fmt: skip
_PHOTO_ACTIONS = frozenset({"edit_group_photo", "suggest_profile_photo"})

Values = dict[str, Any]


def action_of(message: Json, zone: tzinfo, id_by_name: IdByName) -> Action:
    """Convert the action of a service message; an unknown one keeps its name and values."""
    name = message.get("action")
    if not isinstance(name, str):
        return Action("custom_action", {"message": as_text(message.get("information_text"))})
    known = _ACTIONS.get(name)
    if known is None:
        return Action(name, {key: value for key, value in message.items() if key not in COMMON})
    kind, make = known
    values = make(_ActionFields(message, zone, id_by_name))
    return Action(kind, {key: value for key, value in values.items() if value is not None})


def action_photo(message: Json, size_of: SizeOf) -> FileItem | None:
    """Return the picture of an action; None if it has none."""
    return photo_of(message, size_of) if message.get("action") in _PHOTO_ACTIONS and "photo" in message else None


class _ActionFields:
    """Access to the fields of a service message by type."""

    def __init__(self, message: Json, zone: tzinfo, id_by_name: IdByName) -> None:
        self._message = message
        self._zone = zone
        self._by_name = id_by_name

    def __call__(self, key: str) -> Any:
        return self._message.get(key)

    def text(self, key: str) -> str:
        return as_text(self._message.get(key))

    def as_int(self, key: str) -> int:
        return as_int(self._message.get(key))

    def flag(self, key: str) -> bool | None:
        return True if self._message.get(key) is True else None

    def unix_time(self, key: str) -> int:
        return as_int(self._message.get(f"{key}_unixtime")) or local_unix_time(self._message.get(key), self._zone)

    def person(self, key: str) -> int | str | None:
        """Return the id of a person, or the name if the id is unknown."""
        return peer_id(self._message.get(f"{key}_id")) or self._person(self._message.get(key))

    def people(self, key: str) -> list[int | str]:
        """Return the ids or names of several people; a deleted account has no name."""
        value = self._message.get(key)
        return [self._person(name) or "Deleted Account" for name in value] if isinstance(value, list) else []

    def _person(self, name: Any) -> int | str | None:
        return (self._by_name(name) or name or None) if isinstance(name, str) else None


def _photo(raw: _ActionFields) -> Values:
    return {}


def _title(raw: _ActionFields) -> Values:
    return {"title": raw.text("title")}


def _members(raw: _ActionFields) -> Values:
    return {"users": raw.people("members")}


def _removed(raw: _ActionFields) -> Values:
    return {"user_id": next(iter(raw.people("members")), None)}


def _phone_call(raw: _ActionFields) -> Values:
    reason = raw.text("discard_reason").replace("migrate_conference_all", "migrate_conference_call")
    return {"duration": raw.as_int("duration_seconds") or None, "reason": reason or None}


def _conference(raw: _ActionFields) -> Values:
    return {
        "duration": raw.as_int("duration_seconds") or None,
        "active": raw.flag("is_active"),
        "missed": raw.flag("is_missed"),
    }


def _payment(raw: _ActionFields) -> Values:
    recurring = raw.text("recurring")
    return {
        "currency": raw.text("currency"),
        "total_amount": raw.as_int("amount"),
        "recurring_used": recurring == "used" or None,
        "recurring_init": recurring == "init" or None,
    }


def _allowed(raw: _ActionFields) -> Values:
    return {"domain": raw.text("reason_domain") or None, "app": raw.text("reason_app_name") or None}


def _passport(raw: _ActionFields) -> Values:
    return {"types": raw("values")}


def _proximity(raw: _ActionFields) -> Values:
    return {"from_id": raw.person("from"), "to_id": raw.person("to"), "distance": raw.as_int("distance")}


def _peers(raw: _ActionFields) -> Values:
    """Parse the peers, which are JSON inside a text."""
    value = raw("peers")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = []
    items = value if isinstance(value, list) else []
    ids = [peer_id(item.get("id") if isinstance(item, dict) else item) for item in items]
    return {"button_id": raw.as_int("button_id"), "peers": [one for one in ids if one]}


def _days(raw: _ActionFields) -> int:
    return raw.as_int("days") or 30 * raw.as_int("months")


def _gift_code(raw: _ActionFields) -> Values:
    return {
        "slug": raw.text("gift_code"),
        "days": _days(raw),
        "boost_peer": peer_id(raw("boost_peer_id")) or None,
        "via_giveaway": raw.flag("via_giveaway"),
        "unclaimed": raw.flag("unclaimed"),
    }


def _premium(raw: _ActionFields) -> Values:
    return {"days": _days(raw), "cost": raw("cost")}


def _refund(raw: _ActionFields) -> Values:
    return {
        "peer": peer_id(raw("peer_id")) or raw.text("peer_name") or None,
        "currency": raw.text("currency"),
        "total_amount": raw.as_int("amount"),
    }


def _gift_stars(raw: _ActionFields) -> Values:
    return {"stars": raw.as_int("amount_whole"), "cost": raw("cost")}


def _gift_ton(raw: _ActionFields) -> Values:
    nano = raw.as_int("amount_whole") * 10**9 + raw.as_int("amount_nano")
    return {"crypto_currency": "TON", "crypto_amount": nano, "cost": raw("cost")}


def _prize(raw: _ActionFields) -> Values:
    return {
        "stars": raw.as_int("stars"),
        "boost_peer": peer_id(raw("boost_peer_id")) or raw.text("boost_peer_name") or None,
        "giveaway_msg_id": raw.as_int("giveaway_msg_id"),
        "transaction_id": raw.text("transaction_id"),
        "unclaimed": raw.flag("is_unclaimed"),
    }


def _star_gift(raw: _ActionFields) -> Values:
    # Before December 2024 the text of a gift had the key `text`, which the text of the message repeats.
    text = text_of(raw("gift_text") if raw("gift_text") is not None else raw("text#1"))
    gift = {"id": raw.as_int("gift_id"), "stars": raw.as_int("stars"), "limited": raw.flag("is_limited")}
    return {
        "gift": {key: value for key, value in gift.items() if value is not None},
        "name_hidden": raw.flag("is_anonymous"),
        "message": {"text": text.text} if text.text else None,
    }


def _price(raw: _ActionFields) -> Values:
    if raw("price_amount_whole") is None:
        return {}
    price = {"amount": raw.as_int("price_amount_whole"), "nanos": raw.as_int("price_amount_nano")}
    return {"price": price, "currency": raw.text("price_currency")}


def _tasks(raw: _ActionFields) -> Values:
    items = [
        {"id": as_int(item.get("id")), "title": text_of(item.get("text")).text} for item in as_objects(raw("items"))
    ]
    return {"list": items}


def _completions(raw: _ActionFields) -> Values:
    return {key: [as_int(one) for one in raw(key) or []] for key in ("completed", "incompleted")}


def _answer(raw: _ActionFields) -> Values:
    return {"answer": text_of(raw("option")).text}


def _nothing(raw: _ActionFields) -> Values:
    return {}


_ACTIONS: dict[str, tuple[str, Callable[[_ActionFields], Values]]] = {
    "create_group": ("chat_create", lambda raw: _title(raw) | _members(raw)),
    "edit_group_title": ("chat_edit_title", _title),
    "edit_group_photo": ("chat_edit_photo", _photo),
    "delete_group_photo": ("chat_delete_photo", _nothing),
    "invite_members": ("chat_add_user", _members),
    "remove_members": ("chat_delete_user", _removed),
    "join_group_by_link": ("chat_joined_by_link", lambda raw: {"inviter_id": raw.person("inviter")}),
    "join_group_by_request": ("chat_joined_by_request", _nothing),
    "create_channel": ("channel_create", _title),
    "migrate_to_supergroup": ("chat_migrate_to", _nothing),
    "migrate_from_group": ("channel_migrate_from", _title),
    "pin_message": ("pin_message", _nothing),
    "clear_history": ("history_clear", _nothing),
    "score_in_game": ("game_score", lambda raw: {"score": raw.as_int("score")}),
    "send_payment": ("payment_sent", _payment),
    "phone_call": ("phone_call", _phone_call),
    "conference_call": ("conference_call", _conference),
    "take_screenshot": ("screenshot_taken", _nothing),
    "attach_menu_bot_allowed": ("bot_allowed", lambda raw: {"attach_menu": True}),
    "web_app_bot_allowed": ("bot_allowed", lambda raw: {"from_request": True}),
    "allow_sending_messages": ("bot_allowed", _allowed),
    "send_passport_values": ("secure_values_sent", _passport),
    "joined_telegram": ("contact_sign_up", _nothing),
    "proximity_reached": ("geo_proximity_reached", _proximity),
    "requested_phone_number": ("custom_action", lambda raw: {"message": "The phone number was asked for"}),
    "group_call": ("group_call", lambda raw: {"duration": raw.as_int("duration") or None}),
    "invite_to_group_call": ("invite_to_group_call", _members),
    "set_messages_ttl": ("set_messages_ttl", lambda raw: {"period": raw.as_int("period")}),
    "group_call_scheduled": (
        "group_call_scheduled",
        lambda raw: {"schedule_date": raw.unix_time("schedule_date")},
    ),
    "edit_chat_theme": ("set_chat_theme", lambda raw: {"emoticon": raw.text("emoticon")}),
    "send_webview_data": ("web_view_data_sent", lambda raw: {"text": as_text(raw("text#1") or raw("text"))}),
    "send_premium_gift": ("gift_premium", _premium),
    "topic_created": ("topic_create", _title),
    "topic_edit": ("topic_edit", lambda raw: {"title": raw.text("new_title") or None}),
    "suggest_profile_photo": ("suggest_profile_photo", _photo),
    "requested_peer": ("requested_peer", _peers),
    "gift_code_prize": ("gift_code", _gift_code),
    "giveaway_launch": ("giveaway_launch", _nothing),
    "giveaway_results": (
        "giveaway_results",
        lambda raw: {"winners_count": raw.as_int("winners"), "unclaimed_count": raw.as_int("unclaimed")},
    ),
    "set_chat_wallpaper": ("set_chat_wall_paper", _nothing),
    "set_same_chat_wallpaper": ("set_chat_wall_paper", lambda raw: {"same": True}),
    "boost_apply": ("boost_apply", lambda raw: {"boosts": raw.as_int("boosts")}),
    "refunded_payment": ("payment_refunded", _refund),
    "send_stars_gift": ("gift_stars", _gift_stars),
    "send_ton_gift": ("gift_ton", _gift_ton),
    "stars_prize": ("prize_stars", _prize),
    "send_star_gift": ("star_gift", _star_gift),
    "paid_messages_refund": (
        "paid_messages_refunded",
        lambda raw: {"count": raw.as_int("messages_count"), "stars": raw.as_int("stars_count")},
    ),
    "paid_messages_price_change": ("paid_messages_price", lambda raw: {"stars": raw.as_int("price_stars")}),
    "todo_completions": ("todo_completions", _completions),
    "todo_append_tasks": ("todo_append_tasks", _tasks),
    "process_suggested_post": (
        "suggested_post_approval",
        lambda raw: {"rejected": raw.flag("rejected"), "reject_comment": raw.text("comment") or None} | _price(raw),
    ),
    "suggested_post_success": ("suggested_post_success", _price),
    "suggested_post_refund": (
        "suggested_post_refund",
        lambda raw: {"payer_initiated": raw.flag("user_initiated")},
    ),
    "poll_append_answer": ("poll_append_answer", _answer),
    "poll_delete_answer": ("poll_delete_answer", _answer),
    "suggest_birthday": (
        "suggest_birthday",
        lambda raw: {"day": raw.as_int("day"), "month": raw.as_int("month")},
    ),
    "no_forwards_toggle": ("no_forwards_toggle", lambda raw: {"new_value": raw.flag("new_value")}),
    "no_forwards_request": ("no_forwards_request", lambda raw: {"new_value": raw.flag("new_value")}),
    "new_creator_pending": ("new_creator_pending", lambda raw: {"new_creator_id": raw.person("new_creator")}),
    "change_creator": ("change_creator", lambda raw: {"new_creator_id": raw.person("new_creator")}),
    "managed_bot_created": ("managed_bot_created", lambda raw: {"bot_id": raw.person("bot")}),
    "change_community": ("change_community", _nothing),
}
