"""Filters: select the messages of a chat that a run fetches.

Ids, dates and a plain limit give an interval of ids: it is fetched completely and settles its ids. Sender, type and
``--where`` are tests of each message: a page with messages that fail settles nothing, so that a later run without
filters fetches it again. A topic is fetched alone and settles only ids of the topic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from tobs.errors import UsageError
from tobs.model import Message
from tobs.model.requests import MessageFilter
from tobs.pipeline.select.expression import TYPES, compile_where, message_type

_AGE = re.compile(r"(\d+)\s*([hdwmy])")
_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}


class Filters(Struct, frozen=True):
    """The selected messages. Dates are Unix seconds (0: no bound), ``until`` is exclusive, ids are inclusive.

    ``senders`` are targets; they are resolved in the run.
    """

    since: float = 0
    until: float = 0
    min_id: int = 0
    max_id: int = 0
    limit: int = 0
    senders: tuple[str, ...] = ()
    topics: tuple[int, ...] = ()
    types: frozenset[str] = frozenset()
    where: str = ""

    @property
    def by_content(self) -> bool:
        """Report whether each message has to be tested."""
        return bool(self.senders or self.types or self.where)

    @property
    def is_empty(self) -> bool:
        """Report whether every message is selected."""
        return self == Filters()


def read_filters(request: MessageFilter, *, now: float, zone: tzinfo) -> Filters:
    """Parse and check the filters of a request. Raises UsageError that names the option and the fault."""
    numbers = [(name, getattr(request, name)) for name in ("min_id", "max_id", "limit")]
    for name, value in (*numbers, *(("topic", topic) for topic in request.topics)):
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} {value} is no positive number.", "Leave it out for none.")
    kinds = [kind.strip().lower() for given in request.types for kind in given.split(",") if kind.strip()]
    for kind in kinds:
        if kind not in TYPES:
            raise UsageError(f"--type {kind} is not known.", f"Types: {', '.join(TYPES)}.")
    if request.where is not None:
        compile_where(request.where, zone)
    filters = Filters(
        since=_moment("--since", request.since, now, zone, ends_day=False) if request.since else 0,
        until=_moment("--until", request.until, now, zone, ends_day=True) if request.until else 0,
        min_id=request.min_id or 0,
        max_id=request.max_id or 0,
        limit=request.limit or 0,
        senders=request.senders,
        topics=tuple(dict.fromkeys(request.topics)),
        types=frozenset(kinds),
        where=request.where or "",
    )
    if filters.since and filters.until and filters.since >= filters.until:
        raise UsageError("--since is not before --until.", "No message is between them.")
    if filters.min_id and filters.max_id and filters.min_id > filters.max_id:
        raise UsageError("--min-id is above --max-id.", "No message is between them.")
    return filters


def _moment(option: str, text: str, now: float, zone: tzinfo, *, ends_day: bool) -> float:
    """Parse a date (``2024-01-31``: its start, or with ``ends_day`` its end), a time, or an age (``7d``) to Unix
    seconds."""
    text = text.strip()
    if age := _AGE.fullmatch(text.lower()):
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        when = datetime.fromisoformat(text)
        is_day = len(text) <= len("2024-01-31")
        when = when if when.tzinfo else when.replace(tzinfo=zone)
        return (when + timedelta(days=1) if is_day and ends_day else when).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option} {text!r} is no date.", "Write it like 2024-01-31, 2024-01-31T18:30 or 7d (h, d, w, m, y)."
        ) from error


def message_test(filters: Filters, senders: Sequence[int], zone: tzinfo) -> Callable[[Message], bool] | None:
    """Return the test of a message, None if every message passes. ``senders`` are the marked ids of
    ``filters.senders``."""
    if not filters.by_content:
        return None
    where = compile_where(filters.where, zone) if filters.where else None

    def test(message: Message) -> bool:
        if filters.senders and message.sender_id not in senders:
            return False
        if filters.types and message_type(message) not in filters.types:
            return False
        return where is None or where(message)

    return test
