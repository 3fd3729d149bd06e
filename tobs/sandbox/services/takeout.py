"""Takeout sessions: start, delay, end, and the ranges that divide them."""

from __future__ import annotations

import math
from typing import Any, Final

from telethon.tl import functions, types

from tobs.model import is_channel_id
from tobs.sandbox.context import ServiceContext
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.state import Takeout
from tobs.sandbox.worlds import RpcError, World
from tobs.sandbox.worlds.world import SERVICE_USER

_FIRST_ID: Final = 1000
_QUESTION: Final = "Somebody asked to export the data of this account. Allow it, if that was you."


def allow(context: ServiceContext) -> None:
    """Allow the takeout, as the account's owner does with a button; Telegram's chat confirms it."""
    context.state.takeout_allowed = True
    context.world.post(SERVICE_USER, "The export of your data is allowed.")


@serves(functions.account.InitTakeoutSessionRequest)
def init_takeout_session(call: Call, request: Any) -> Any:
    """Start a takeout; raise TAKEOUT_INIT_DELAY_X if it has to wait X more seconds and is not allowed.

    The first request posts a question to the owner in Telegram's own chat.
    """
    state, user = call.state, call.key.user_id
    now = call.clock()
    if call.options.takeout_delay and user not in state.takeout_asked:
        call.world.post(SERVICE_USER, _QUESTION)
    asked = state.takeout_asked.setdefault(user, now)
    left = asked + call.options.takeout_delay - now
    if left > 0 and not state.takeout_allowed:
        raise RpcError(420, f"TAKEOUT_INIT_DELAY_{math.ceil(left)}")
    for other in state.takeouts.values():
        if other.user_id == user and not other.finished:
            other.finished = True  # Telegram knows one takeout at a time
    takeout = Takeout(_FIRST_ID + len(state.takeouts), user, request)
    state.takeouts[takeout.id] = takeout
    return types.account.Takeout(takeout.id)


@serves(functions.account.FinishTakeoutSessionRequest)
def finish_takeout_session(call: Call, request: Any) -> bool:
    """End the takeout of the request; raise TAKEOUT_REQUIRED outside invokeWithTakeout."""
    if not call.takeout:
        raise RpcError(400, "TAKEOUT_REQUIRED")
    takeout = call.state.takeouts[call.takeout]
    takeout.finished, takeout.success = True, bool(request.success)
    call.state.takeout_asked.pop(call.key.user_id, None)
    call.state.takeout_allowed = False
    return True


@serves(functions.messages.GetSplitRangesRequest)
def get_split_ranges(call: Call, request: Any) -> Any:
    """Return ``split_ranges`` ranges that cover all message ids of private chats and basic groups."""
    pieces = max(1, call.options.split_ranges)
    top = _highest_common_id(call.world)
    step = max(1, math.ceil(top / pieces))
    starts = range(1, step * pieces + 1, step)
    return [
        types.MessageRange(start, start + step - 1 if number < pieces else 0x7FFFFFFF)
        for number, start in enumerate(starts, 1)
    ]


def _highest_common_id(world: World) -> int:
    common = [marked for marked in world.dialogs() if not is_channel_id(marked)]
    return max((world.history(marked).highest_id for marked in common), default=1)
