"""The language of ``--where``: an expression over the fields of a message, evaluated by simpleeval.

There are no statements, no imports, and only a few methods of text. Errors name the column.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any
from unicodedata import east_asian_width

from simpleeval import InvalidExpression, SimpleEval

from tobs.errors import UsageError
from tobs.model import (
    Contact,
    Dice,
    FileItem,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Message,
    PaidMedia,
    Poll,
    StoryRef,
    TodoList,
    WebPage,
    message_files,
)

_FILES = ("photo", "video", "round", "gif", "sticker", "audio", "voice", "document")
_MEDIA = {
    Poll: "poll",
    TodoList: "todo",
    Location: "location",
    Contact: "contact",
    Game: "game",
    Invoice: "invoice",
    PaidMedia: "paid",
    Giveaway: "giveaway",
    GiveawayResults: "giveaway",
    Dice: "dice",
    StoryRef: "story",
}
TYPES = ("text", *_FILES, *dict.fromkeys(_MEDIA.values()), "service", "other")
"""Every word ``message_type`` may answer."""


def message_type(message: Message) -> str:
    """Return the type of a message, one of ``TYPES``. A link with its preview is text."""
    if message.kind in ("service", "story"):
        return message.kind
    match message.media:
        case None | WebPage():
            return "text" if message.kind == "message" else "other"
        case FileItem(kind=kind):
            return kind
        case media:
            return _MEDIA.get(type(media), "other")


_METHODS = frozenset({"lower", "upper", "casefold", "strip", "startswith", "endswith", "find", "count", "split"})
_FUNCTIONS: dict[str, Callable[..., Any]] = {"len": len, "lower": lambda text: text.lower(), "abs": abs}
_FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, InvalidExpression)

#: Every field with a value of its type, for a trial before the fetch.
SAMPLE: Mapping[str, Any] = {
    "id": 1,
    "date": "2024-01-31T12:00:00",
    "unix": 1706702400,
    "year": 2024,
    "month": 1,
    "day": 31,
    "hour": 12,
    "text": "a",
    "type": "text",
    "sender_id": 1,
    "signature": "",
    "views": 1,
    "forwards": 1,
    "comments": 1,
    "reactions": 1,
    "file_name": "a",
    "file_size": 1,
    "duration": 1,
    "mime": "a",
    "has_media": True,
    "is_reply": False,
    "is_forward": False,
    "is_edited": False,
    "is_pinned": False,
    "is_out": False,
    "album_id": 0,
    "topic_id": 0,
}


def compile_where(expression: str, zone: tzinfo) -> Callable[[Message], bool]:
    """Compile ``expression`` to a test of a message; dates are in ``zone``. Raises UsageError that names the
    column."""
    expression = " ".join(expression.strip().splitlines())
    evaluator = _evaluator()
    tree = _parse(expression, evaluator)
    _try_out(expression, tree, evaluator)

    def test(message: Message) -> bool:
        evaluator.names = fields_of(message, zone)
        try:
            return bool(evaluator.eval(expression, previously_parsed=tree))
        except _FAILURES as error:
            raise UsageError(
                f"--where fails on message {message.id}: {error}.", "Ask for what every message has."
            ) from error

    return test


def fields_of(message: Message, zone: tzinfo) -> dict[str, Any]:
    """Return the fields of a message for an expression. A missing number is 0, a missing text is empty."""
    when = datetime.fromtimestamp(message.date, zone).replace(tzinfo=None)
    files = message_files(message)
    file = files[0] if files else FileItem("document")
    return {
        "id": message.id,
        "date": when.isoformat(),
        "unix": message.date,
        "year": when.year,
        "month": when.month,
        "day": when.day,
        "hour": when.hour,
        "text": message.text,
        "type": message_type(message),
        "sender_id": message.sender_id,
        "signature": message.signature,
        "views": message.views or 0,
        "forwards": message.forwards or 0,
        "comments": message.comments or 0,
        "reactions": sum(reaction.count for reaction in message.reactions),
        "file_name": file.name,
        "file_size": file.size,
        "duration": file.duration or 0,
        "mime": file.mime,
        "has_media": bool(files),
        "is_reply": message.reply is not None,
        "is_forward": message.forward is not None,
        "is_edited": bool(message.edited),
        "is_pinned": message.pinned,
        "is_out": message.out,
        "album_id": message.album_id,
        "topic_id": message.topic_id,
    }


def _evaluator() -> SimpleEval:
    """Return the evaluator: simpleeval, with lists of values after ``in``."""
    evaluator = SimpleEval(functions=_FUNCTIONS)
    for kind in (ast.Tuple, ast.List):
        evaluator.nodes[kind] = lambda node: tuple(evaluator._eval(item) for item in node.elts)
    return evaluator


def _parse(expression: str, evaluator: SimpleEval) -> ast.expr:
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # The parser says 0 at the end of an incomplete expression.
        column = getattr(error, "offset", None) or len(expression) + 1
        raise _wrong(expression, column, getattr(error, "msg", str(error))) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            _check(expression, node, evaluator)
    return tree


def _check(expression: str, node: ast.expr, evaluator: SimpleEval) -> None:
    column = _column(expression, node)
    if isinstance(node, ast.Name) and node.id not in SAMPLE and node.id not in _FUNCTIONS:
        fields = ", ".join(SAMPLE)
        raise _wrong(expression, column, f"there is no field '{node.id}'", f"Fields: {fields}.")
    if isinstance(node, ast.Attribute) and node.attr not in _METHODS:
        raise _wrong(expression, column, f"'.{node.attr}' is not known", f"Known: {', '.join(sorted(_METHODS))}.")
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
        raise _wrong(expression, column, "this cannot be called")
    if type(node) not in evaluator.nodes:
        raise _wrong(expression, column, f"{type(node).__name__} is not part of this language")


def _try_out(expression: str, tree: ast.expr, evaluator: SimpleEval) -> None:
    """Evaluate on sample values, so that wrong types are found before a fetch; the error names the innermost part."""
    evaluator.names = dict(SAMPLE)
    for node in _innermost_first(tree):
        try:
            evaluator.eval(expression, previously_parsed=node)
        except (TypeError, AttributeError, InvalidExpression) as error:
            raise _wrong(expression, _column(expression, node), str(error).rstrip(".")) from error
        except _FAILURES:
            continue  # such as an index outside the sample


def _innermost_first(node: ast.expr) -> list[ast.expr]:
    """Return the parts of an expression that have a value, inner parts first."""
    parts: list[ast.expr] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.Call) and child is node.func):
            parts += _innermost_first(child)
    return [*parts, node]


def _column(expression: str, node: ast.expr) -> int:
    """Return the column of a part in characters, from 1; the parser counts bytes."""
    return len(expression.encode()[: node.col_offset].decode()) + 1


def _wrong(expression: str, column: int, reason: str, remedy: str = "") -> UsageError:
    """Return the error at ``column`` (from 1, in characters), with the expression and a caret below it."""
    text = expression.strip()
    place = f"column {column}, at '{text[column - 1 :][:20]}'" if column <= len(text) else "at its end"
    before = "".join("  " if east_asian_width(letter) in "WF" else " " for letter in text[: column - 1])
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return UsageError(
        f"--where {place}: {reason}.",
        remedy or "An example: views > 100 and 'bell' in lower(text).",
        detail=f"    {shown}\n    {before}^",
    )
