"""What a run finds in the vault without asking Telegram: whose it is, and which chats are in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from tobs.archive import Archive
from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat, marked_channel, story_peer
from tobs.pipeline.context.run_context import ChatPlace, RunContext
from tobs.pipeline.notes.planning import known_place
from tobs.pipeline.select.selection import fits

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


def kept_places(context: RunContext, targets: Sequence[str]) -> list[ChatPlace]:
    """The chats of the vault that ``targets`` name (none: all), by id, each with what is filed in its folder: the old
    group it grew from, stories, comments.

    Raises TargetNotFound for a target that is not in the vault or fits several chats, UsageError for an empty vault.
    """
    chats = context.archive.chats.all(context.account, stories=True)
    places = [place for chat in chats if (place := _place(context, chat)) is not None]
    if not places:
        raise UsageError("There are no chats in this vault.", "Begin with `tobs export TARGET`.")
    places.sort(key=lambda place: place.is_guest)
    if not targets:
        return places
    named = {_named(places, target.strip()).note_id for target in targets}
    return [place for place in places if place.note_id in named]


def _named(places: Sequence[ChatPlace], target: str) -> ChatPlace:
    if link := _LINK.match(target):
        target = str(marked_channel(int(link[1]))) if link[1] else f"@{link[2]}"
    own = [place for place in places if not (place.is_guest or place.chat.migrated_to)]
    others = [place for place in places if place not in own and not story_peer(place.chat.id)]
    found = _fitting(own, target) or _fitting(others, target)
    if not found:
        raise TargetNotFound(f"'{target}' is not in this vault.", f"Run `tobs export {target}` first.")
    if len(found) > 1:
        names = ", ".join(f"{place.chat.title} ({place.chat.id})" for place in found[:5])
        raise TargetNotFound(f"'{target}' fits {len(found)} chats of the vault: {names}.", "Give the id instead.")
    return found[0]


def _fitting(places: Sequence[ChatPlace], target: str) -> list[ChatPlace]:
    exact = [place for place in places if place.chat.title.casefold() == target.casefold()]
    return exact or [place for place in places if fits(target, place.chat)]


def _place(context: RunContext, chat: Chat) -> ChatPlace | None:
    """Where a chat is filed; None for one that was only seen in passing. A chat of which no message up to the watermark
    is here came in part."""
    archive, place = context.archive, known_place(context, chat)
    if not place.note_id:
        return None
    watermark = archive.coverage.watermark(context.account, chat.id)
    return replace(place, is_part=not archive.messages.has_upto(context.account, chat.id, watermark))
