"""The public name of an exported channel: the exporter leaves it out, links of the channel to its own posts tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tobs.sandbox.worlds.tdesktop.reading import Json

_LINK = re.compile(r"(?:https?://)?t\.me/([A-Za-z]\w{3,31})/(\d{1,10})/?")
#: So many different posts of its own must be linked to, and none that is not there.
_ENOUGH = 5


def own_username(messages: Iterable[Json]) -> str:
    """The one name under which enough of these messages are linked to and nothing else is; empty if none is."""
    told = list(messages)
    there = {int(message.get("id") or 0) for message in told}
    linked: dict[str, set[int]] = {}
    spelled: dict[str, str] = {}
    for message in told:
        for part in message.get("text_entities") or ():
            match = _LINK.fullmatch(str(part.get("href") or part.get("text") or ""))
            if match is not None:
                name = match[1].lower()
                spelled.setdefault(name, match[1])
                linked.setdefault(name, set()).add(int(match[2]))
    found = [name for name, ids in linked.items() if len(ids) >= _ENOUGH and ids <= there]
    return spelled[found[0]] if len(found) == 1 else ""
