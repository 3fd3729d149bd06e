"""Resolve ``--from``: a username, a link, an id, ``me``, or a part of a name that only one sender has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tobs.errors import RequestRefused, TargetNotFound, UsageError
from tobs.model import Chat, Person
from tobs.telegram.client.targets import is_name
from tobs.telegram.facade import Telegram

#: Senders that an error names.
_MOST_LISTED = 6
#: Chats whose members are searched for a name.
_MOST_CHATS = 20

Known = Callable[[str], Awaitable[Sequence[Person]]]
"""The senders that the archive knows whose name contains a text."""


async def sender_ids(telegram: Telegram, senders: Sequence[str], chats: Sequence[Chat], known: Known) -> list[int]:
    """Return the marked ids of ``senders``, searched in the members of ``chats`` and in the people ``known`` from
    earlier runs.

    Raises TargetNotFound, and UsageError for a name that several senders have.
    """
    return [await _sender(telegram, sender.strip(), chats, known) for sender in senders]


async def _sender(telegram: Telegram, sender: str, chats: Sequence[Chat], known: Known) -> int:
    if sender.lstrip("-").isdigit():
        return int(sender)
    if not is_name(sender):
        return (await telegram.resolve(sender)).id
    people = {person.id: person for person in await known(sender)}
    for chat in chats[:_MOST_CHATS]:
        try:
            people |= {person.id: person for person in await telegram.members(chat.id, sender)}
        except RequestRefused:
            continue  # members are hidden
    exact = [person for person in people.values() if person.name.casefold() == sender.casefold()]
    matches = exact or list(people.values())
    if len(matches) == 1:
        return matches[0].id
    if matches:
        names = ", ".join(
            f"{person.name} ({person.id})" for person in sorted(matches, key=lambda person: person.id)[:_MOST_LISTED]
        )
        raise UsageError(
            f"--from '{sender}' fits {len(matches)} senders: {names}.", "Give the id, or more of the name."
        )
    try:
        return (await telegram.resolve(sender)).id
    except TargetNotFound as missing:
        raise TargetNotFound(
            f"No sender is called '{sender}' in these chats.", "Give the @username, or the id behind a person's name."
        ) from missing
