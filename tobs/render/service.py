"""Service messages: one sentence each, from the catalogue.

The placeholders of a sentence name the values it needs (``{who}``, ``{users}``, ``{title}``); ``_PLACES`` makes each of
them from the values of the action. ``_VARIANTS`` chooses variants (``.self``, ``.missed``). An unknown kind has a
sentence that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tobs.model import Action, Message
from tobs.render.catalogue import Translate, has_text, placeholder_names
from tobs.render.escape import escape_name

_CURRENCY_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "UGX": 0, "PYG": 0, "XTR": 0, "KWD": 3, "TON": 9}


class SentenceContext:
    """Functions that a sentence needs: ``name`` of a marked id and ``target``, the message replied to (both return
    Markdown), and ``date``, which formats Unix seconds.
    """

    def __init__(
        self, translate: Translate, name: Callable[[int], str], target: Callable[[], str], date: Callable[[int], str]
    ) -> None:
        self.translate = translate
        self.name = name
        self.target = target
        self.date = date

    def peer(self, value: Any) -> str:
        """Render a person or chat, given by marked id, or by name if an export contains only the name."""
        return escape_name(value) if isinstance(value, str) and value else self.name(_as_int(value))

    def names(self, people: Iterable[int | str]) -> str:
        """Join several names to a list."""
        known = [self.peer(each) for each in people]
        if len(known) < 2:
            return "".join(known) or self.translate("someone")
        return self.translate("and", first=", ".join(known[:-1]), last=known[-1])

    def period(self, seconds: int) -> str:
        """Format a number of seconds in its largest whole unit."""
        for unit, size in (("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds >= size and seconds % size == 0:
                return self.translate(unit, n=seconds // size)
        if seconds > 3_600:
            return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
        if seconds > 60:
            return f"{seconds // 60}:{seconds % 60:02d}"
        return self.translate("seconds", n=seconds)


def money(amount: int, currency: str) -> str:
    """Format an amount given in the smallest unit of its currency. Source: core.telegram.org/bots/payments"""
    digits = _CURRENCY_DIGITS.get(currency, 2)
    whole = amount / 10**digits
    if digits == 9:
        return escape_name(f"{whole:.9f}".rstrip("0").rstrip(".") + f" {currency}")
    return escape_name(f"{whole:.{digits}f} {currency}")


def service_sentence(action: Action, message: Message, sentence: SentenceContext) -> str:
    """Render the sentence of a service message as Markdown on one line."""
    key = f"action.{action.kind}"
    if not has_text(key):
        return sentence.translate("action.unknown", kind=escape_name(action.kind))
    written = _written_text(action, sentence.translate)
    variant = _VARIANTS.get(action.kind)
    if variant is not None and (chosen := variant(action.values, message)) and has_text(f"{key}.{chosen}"):
        key = f"{key}.{chosen}"
    return sentence.translate(key, **_places(key, action.values, message, sentence)) + written


def _written_text(action: Action, translate: Translate) -> str:
    """Return the text sent with a gift or as the reason of a refusal; empty if there is none."""
    text = _as_text(action.values.get("message") or action.values.get("reject_comment"))
    return f": {translate('quoted', text=text)}" if text and action.kind != "custom_action" else ""


def _as_int(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _as_ints(value: Any) -> list[int]:
    if isinstance(value, list | tuple):
        return [each for each in value if isinstance(each, int)]
    return [value] if isinstance(value, int) and value else []


def _peers(value: Any) -> list[int | str]:
    """Return marked ids, and names of peers without a known id."""
    if isinstance(value, list | tuple):
        return [each for each in value if isinstance(each, int | str)]
    return [value] if isinstance(value, int | str) and value else []


def _as_text(value: Any) -> str:
    """Return a text value: a string, or the text of a mapping with entities."""
    if isinstance(value, Mapping):
        value = value.get("text", "")
    return escape_name(str(value)) if value is not None else ""


def _stars(value: Any, translate: Translate) -> str:
    if isinstance(value, Mapping):
        value = value.get("amount", 0)
    return translate("stars", n=_as_int(value))


def _tasks(value: Any) -> str:
    titles = [_as_text(item.get("title")) for item in value or () if isinstance(item, Mapping)]
    return ", ".join(title for title in titles if title)


_Place = Callable[[Mapping[str, Any], Message, SentenceContext], object]
_PLACES: dict[str, _Place] = {
    "who": lambda values, message, sentence: sentence.name(message.sender_id or message.chat_id),
    "users": lambda values, message, sentence: sentence.names(_peers(values.get("users"))),
    "user": lambda values, message, sentence: sentence.peer(values.get("user_id")),
    "inviter": lambda values, message, sentence: sentence.peer(values.get("inviter_id")),
    "new_creator": lambda values, message, sentence: sentence.peer(values.get("new_creator_id")),
    "bot": lambda values, message, sentence: sentence.peer(values.get("bot_id")),
    "from": lambda values, message, sentence: sentence.peer(values.get("from_id")),
    "to": lambda values, message, sentence: sentence.peer(values.get("to_id")),
    "peer": lambda values, message, sentence: sentence.peer(values.get("peer")),
    "peers": lambda values, message, sentence: sentence.names(_peers(values.get("peers"))),
    "target": lambda values, message, sentence: sentence.target(),
    "duration": lambda values, message, sentence: sentence.period(_as_int(values.get("duration"))),
    "period": lambda values, message, sentence: sentence.period(_as_int(values.get("period"))),
    "days": lambda values, message, sentence: sentence.translate("days", n=_as_int(values.get("days"))),
    "distance": lambda values, message, sentence: sentence.translate("metres", n=_as_int(values.get("distance"))),
    "stars": lambda values, message, sentence: _stars(_star_value(values), sentence.translate),
    "winners": lambda values, message, sentence: sentence.translate(
        "giveaway.winners", n=_as_int(values.get("winners_count"))
    ),
    "schedule_date": lambda values, message, sentence: sentence.date(_as_int(values.get("schedule_date"))),
    "money": lambda values, message, sentence: money(
        _as_int(values.get("total_amount")), str(values.get("currency") or "")
    ),
    "amount": lambda values, message, sentence: money(
        _as_int(values.get("crypto_amount") or values.get("amount")),
        str(values.get("crypto_currency") or values.get("currency") or ""),
    ),
    "tasks": lambda values, message, sentence: _tasks(values.get("list")),
    "n": lambda values, message, sentence: len(
        _as_ints(values.get("completed")) or _as_ints(values.get("incompleted"))
    ),
}


def _star_value(values: Mapping[str, Any]) -> Any:
    gift = values.get("gift")
    return values.get("stars") or (gift.get("stars") if isinstance(gift, Mapping) else 0)


def _places(key: str, values: Mapping[str, Any], message: Message, sentence: SentenceContext) -> dict[str, object]:
    """Return values for the placeholders of the sentence only, because making a link also records it."""
    places: dict[str, object] = {}
    for name in placeholder_names(key):
        make = _PLACES.get(name)
        places[name] = make(values, message, sentence) if make else _as_text(values.get(name))
    return places


def _call(values: Mapping[str, Any], message: Message) -> str:
    reason = str(values.get("reason") or "").lower()
    state = "missed" if "missed" in reason or values.get("missed") else "busy" if "busy" in reason else ""
    if not state and values.get("duration"):
        state = "duration"
    video = "video" if values.get("video") else ""
    return "_".join(part for part in (video, state) if part)


def _topic(values: Mapping[str, Any], message: Message) -> str:
    if values.get("title"):
        return "title"
    for field, yes, no in (("closed", "closed", "reopened"), ("hidden", "hidden", "shown")):
        if values.get(field) is not None:
            return yes if values[field] else no
    return ""


def _by_flags(*flags: str) -> Callable[[Mapping[str, Any], Message], str]:
    return lambda values, message: next((flag for flag in flags if values.get(flag)), "")


_VARIANTS: dict[str, Callable[[Mapping[str, Any], Message], str]] = {
    "bot_allowed": _by_flags("domain"),
    # A group is created by a person, a channel by itself.
    "channel_create": lambda values, message: "group" if message.sender_id not in (0, message.chat_id) else "",
    "chat_add_user": lambda values, message: "self" if _as_ints(values.get("users")) == [message.sender_id] else "",
    "chat_create": _by_flags("users"),
    "chat_delete_user": lambda values, message: "self" if values.get("user_id") == message.sender_id else "",
    "chat_joined_by_link": lambda values, message: "inviter" if values.get("inviter_id") else "",
    "conference_call": _by_flags("missed", "duration"),
    "group_call": _by_flags("duration"),
    "no_forwards_toggle": lambda values, message: "on" if values.get("new_value") else "",
    "paid_messages_price": lambda values, message: "" if values.get("stars") else "free",
    "phone_call": _call,
    "set_messages_ttl": lambda values, message: "" if values.get("period") else "off",
    "star_gift": lambda values, message: "stars" if _star_value(values) else "",
    "star_gift_purchase_offer": _by_flags("accepted", "declined"),
    "star_gift_purchase_offer_declined": _by_flags("expired"),
    "star_gift_unique": _by_flags("upgrade", "transferred"),
    "suggested_post_approval": lambda values, message: (
        "balance" if values.get("balance_too_low") else "rejected" if values.get("rejected") else ""
    ),
    "todo_completions": lambda values, message: (
        "done" if values.get("completed") else "undone" if values.get("incompleted") else ""
    ),
    "topic_edit": _topic,
}
