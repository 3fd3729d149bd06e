"""What a run finds in the vault without asking Telegram: whose it is, and which chats are in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from tobs.archive import Archive
from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat, marked_channel
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.plan import known_place
from tobs.pipeline.selection import fits

#: A link that names a chat by its id or its username.
_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/(?:c/(\d+)|(\w{4,32}))", re.IGNORECASE)


def keep_account(archive: Archive, name: str, account: int) -> None:
    """Remember the user id of the account called ``name`` in the settings. What was imported before anybody had logged
    in is the first one's."""
    if not kept_account(archive, name):
        archive.adopt(account)
    archive.meta.set(f"account/{name}", str(account))


def kept_account(archive: Archive, name: str) -> int:
    """The user id of the account called ``name``; 0 (which sees channels and supergroups) when it was never here."""
    return int(archive.meta.get(f"account/{name}") or 0)


def kept_places(desk: Desk, targets: Sequence[str]) -> list[ChatPlace]:
    """The chats of the vault that ``targets`` name (none: all), by id, each with the old group it grew from.

    Raises TargetNotFound for a target that is not in the vault or fits several chats, UsageError for an empty vault.
    """
    places = {place.chat.id: place for chat in desk.archive.chats.all(desk.account) if (place := _place(desk, chat))}
    if not places:
        raise UsageError("There are no chats in this vault.", "Begin with `tobs export TARGET`.")
    if not targets:
        return list(places.values())
    named = {_named([place.chat for place in places.values()], target.strip()) for target in targets}
    return [place for id, place in places.items() if id in named or place.chat.migrated_to in named]


def _named(chats: Sequence[Chat], target: str) -> int:
    if link := _LINK.match(target):
        target = str(marked_channel(int(link[1]))) if link[1] else f"@{link[2]}"
    exact = [chat for chat in chats if chat.title.casefold() == target.casefold()]
    found = exact or [chat for chat in chats if fits(target, chat)]
    if not found:
        raise TargetNotFound(f"'{target}' is not in this vault.", f"Run `tobs export {target}` first.")
    if len(found) > 1:
        names = ", ".join(f"{chat.title} ({chat.id})" for chat in found[:5])
        raise TargetNotFound(f"'{target}' fits {len(found)} chats of the vault: {names}.", "Give the id instead.")
    return found[0].id


def _place(desk: Desk, chat: Chat) -> ChatPlace | None:
    """Where a chat is filed; None for one that was only seen in passing. A chat of which no message up to the watermark
    is here came in part."""
    archive = desk.archive
    place = known_place(desk, chat)
    if not place.note_id and chat.migrated_to:
        host = archive.chats.get(desk.account, chat.migrated_to)
        place = replace(known_place(desk, host), chat=chat) if host else place
    if not place.note_id:
        return None
    watermark = archive.coverage.watermark(desk.account, chat.id)
    return replace(place, is_part=not archive.messages.has_upto(desk.account, chat.id, watermark))
