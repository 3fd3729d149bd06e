"""The demo story's service messages: ``do="pin #label"``, ``do="join Jonas"`` …"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from telethon.tl import types

from tobs.sandbox.worlds.demo.assets import Assets
from tobs.sandbox.worlds.demo.story import Entry
from tobs.sandbox.worlds.seeds import access_hash
from tobs.sandbox.worlds.tl import Tl

_CALL = 4_711_000


def action_of(entry: Entry, labels: dict[str, Entry], people: dict[str, int], assets: Assets) -> tuple[Tl, Tl]:
    """Return the action and, if it is about a message, the reply header that names the message."""
    verb, _, rest = entry.keys["do"].partition(" ")
    if verb in _ABOUT:
        return _ABOUT[verb](rest), types.MessageReplyHeader(
            reply_to_msg_id=labels[rest.split()[0].removeprefix("#")].id
        )
    if verb == "photo":
        return types.MessageActionChatEditPhoto(assets.photo(rest, entry.date)), None
    if verb in _PEOPLE:
        return _PEOPLE[verb]([people[name] for name in rest.split()]), None
    if verb == "create-group":
        title, _, names = rest.partition(": ")
        return types.MessageActionChatCreate(title, [people[name] for name in names.split()]), None
    if verb == "schedule":
        when = entry.date.replace(second=0) + dt.timedelta(hours=int(rest))
        return types.MessageActionGroupCallScheduled(_call(), when), None
    return _PLAIN[verb](rest), None


def _call() -> Tl:
    return types.InputGroupCall(_CALL, access_hash("call", _CALL))


def _task_done(rest: str) -> Tl:
    return types.MessageActionTodoCompletions([int(rest.split()[1])], [])


def _task_added(rest: str) -> Tl:
    words = types.TextWithEntities(rest.partition(" ")[2], [])
    return types.MessageActionTodoAppendTasks([types.TodoItem(9, words)])


_ABOUT: dict[str, Callable[[str], Tl]] = {
    "pin": lambda rest: types.MessageActionPinMessage(),
    "score": lambda rest: types.MessageActionGameScore(1, int(rest.split()[1])),
    "task-done": _task_done,
    "task-added": _task_added,
}

_PEOPLE: dict[str, Callable[[list[int]], Tl]] = {
    "add": types.MessageActionChatAddUser,
    "join": types.MessageActionChatAddUser,
    "leave": lambda ids: types.MessageActionChatDeleteUser(ids[0]),
    "link": lambda ids: types.MessageActionChatJoinedByLink(ids[0]),
    "invite-call": lambda ids: types.MessageActionInviteToGroupCall(_call(), ids),
}

_PLAIN: dict[str, Callable[[str], Tl]] = {
    "create": types.MessageActionChannelCreate,
    "title": types.MessageActionChatEditTitle,
    "no-photo": lambda rest: types.MessageActionChatDeletePhoto(),
    "request": lambda rest: types.MessageActionChatJoinedByRequest(),
    "call": lambda rest: types.MessageActionGroupCall(_call(), duration=int(rest) if rest else None),
    "phone": lambda rest: types.MessageActionPhoneCall(
        _CALL,
        reason=None if rest != "missed" else types.PhoneCallDiscardReasonMissed(),
        duration=None if rest == "missed" else int(rest),
    ),
    "ttl": lambda rest: types.MessageActionSetMessagesTTL(int(rest)),
    "theme": lambda rest: types.MessageActionSetChatTheme(types.ChatTheme(rest)),
    "boost": lambda rest: types.MessageActionBoostApply(int(rest)),
    "signed-up": lambda rest: types.MessageActionContactSignUp(),
    "screenshot": lambda rest: types.MessageActionScreenshotTaken(),
    "note": types.MessageActionCustomAction,
}
