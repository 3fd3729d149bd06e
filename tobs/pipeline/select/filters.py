"""Filters on fetch: which messages of a chat a run is to bring.

Ids, dates and a plain limit name an interval of ids: what is fetched of it is whole and settles its ids. Sender,
type and ``--where`` look at each message: a page of which they leave something out settles nothing, so that
a later run without them fetches it again. A topic is asked for by itself and settles nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from tobs.errors import UsageError
from tobs.model import Message
from tobs.model.requests import MessageFilter
from tobs.pipeline.select.expression import compile_where
from tobs.pipeline.select.kinds import TYPES, message_type

_AGE = re.compile(r"(\d+)\s*([hdwmy])")
_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}


class Filters(Struct, frozen=True):
    """Which messages are wanted; dates are Unix seconds (0: no bound), ``until`` is exclusive, ids are inclusive.

    ``senders`` are targets, resolved when the run knows the account.
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
        """Whether each message has to be looked at."""
        return bool(self.senders or self.types or self.where)

    @property
    def is_empty(self) -> bool:
        """Whether every message is wanted."""
        return self == Filters()


def read_filters(asked: MessageFilter, *, now: float, zone: tzinfo) -> Filters:
    """What the owner asked for. Raises UsageError that names the option and what is wrong with it."""
    numbers = [(name, getattr(asked, name)) for name in ("min_id", "max_id", "limit")]
    for name, value in (*numbers, *(("topic", topic) for topic in asked.topics)):
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} {value} is no positive number.", "Leave it out for none.")
    kinds = [kind.strip().lower() for given in asked.types for kind in given.split(",") if kind.strip()]
    for kind in kinds:
        if kind not in TYPES:
            raise UsageError(f"--type {kind} is not known.", f"Types: {', '.join(TYPES)}.")
    if asked.where is not None:
        compile_where(asked.where, zone)
    filters = Filters(
        since=_moment("--since", asked.since, now, zone, ends_day=False) if asked.since else 0,
        until=_moment("--until", asked.until, now, zone, ends_day=True) if asked.until else 0,
        min_id=asked.min_id or 0,
        max_id=asked.max_id or 0,
        limit=asked.limit or 0,
        senders=asked.senders,
        topics=tuple(dict.fromkeys(asked.topics)),
        types=frozenset(kinds),
        where=asked.where or "",
    )
    if filters.since and filters.until and filters.since >= filters.until:
        raise UsageError("--since is not before --until.", "No message is between them.")
    if filters.min_id and filters.max_id and filters.min_id > filters.max_id:
        raise UsageError("--min-id is above --max-id.", "No message is between them.")
    return filters


def _moment(option: str, text: str, now: float, zone: tzinfo, *, ends_day: bool) -> float:
    """A date (``2024-01-31``: its begin, or with ``ends_day`` its end), a time, or an age (``7d``)."""
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
    """The test a message has to pass, None when any does. ``senders`` are the marked ids of ``filters.senders``."""
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
