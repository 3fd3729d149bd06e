"""Validation of the values that plugins return, before anything is done with them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tobs.plugin.api import Enrichment, Export, Exported, FieldValue, Item, RenderedNote, Result
from tobs.plugin.protocol import decoder

#: Block id at the end of a message's header in a note of a day or month; links refer to it.
_BLOCK = re.compile(r" \^[mg]\d+$", re.MULTILINE)

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")

#: Properties written by tobs: a plugin must not change, for example, the sender of a message.
RESERVED_FIELDS = frozenset(
    {
        *("tobs_id", "tobs_hash", "date", "date_unix", "chat", "sender", "topic", "reply_to", "forwarded_from", "link"),
        *("message_id", "edited", "views", "forwards", "reactions", "tags", "aliases", "media", "size", "sha256"),
        *(
            "cssclasses",
            "publish",
            "sections",
            "related",
            "files",
            "embed",
            "notes",
            "failures",
            "plugins_failed",
            "plays",
        ),
    }
)

_results = decoder(Result)
_enrichments = decoder(Enrichment)
_exports = decoder(Exported)
_texts = decoder(str)


class InvalidResult(Exception):
    """Raised for a returned value that tobs cannot use; the text says why."""


def validated_result(body: bytes, call: object) -> Result:
    """Decode and check the result (msgpack) of ``process`` for the item ``call``.

    Raises InvalidResult for a wrong type, a reserved or malformed field name, a number that front matter cannot hold,
    or a file outside the work folder of the item.
    """
    result: Result = _decoded(_results, body)
    _check_fields(result.fields)
    assert isinstance(call, Item)
    for path in (*(new.path for new in result.files), *([result.replacement] if result.replacement else [])):
        _check_path(path, call.work)
    if result.in_place:
        _check_in_place(result.replacement, call.path)
    return result


def validated_enrichment(body: bytes) -> Enrichment:
    """Decode and check the findings about a message (msgpack). Raises InvalidResult."""
    enrichment: Enrichment = _decoded(_enrichments, body)
    _check_fields(enrichment.fields)
    for note in enrichment.notes:
        _check_fields(note.fields)
    return enrichment


def validated_export(body: bytes, call: object) -> Exported:
    """Decode and check the files made for ``call`` (msgpack).

    Raises InvalidResult for a file outside its work folder.
    """
    made: Exported = _decoded(_exports, body)
    assert isinstance(call, Export)
    for path in made.files:
        _check_path(path, call.work)
    return made


def validated_body(body: bytes, call: object) -> str:
    """Decode and check the new body of the note ``call`` (msgpack).

    Raises InvalidResult if it is empty or has other block ids.
    """
    text: str = _decoded(_texts, body)
    assert isinstance(call, RenderedNote)
    if not text.strip():
        raise InvalidResult("left nothing of the note")
    if _BLOCK.findall(text) != _BLOCK.findall(call.body):
        raise InvalidResult("changed the ids of blocks, which links lead to")
    return text


def validated_text(body: bytes) -> str:
    """Decode the output of a plugin's command (msgpack). Raises InvalidResult."""
    text: str = _decoded(_texts, body)
    return text


def _decoded(decoder: msgspec.msgpack.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, TypeError) as error:
        raise InvalidResult(f"returned what no note can hold: {str(error).replace('`', '')}") from error


def _check_fields(fields: Mapping[str, FieldValue]) -> None:
    for name, value in fields.items():
        if not _FIELD.fullmatch(name):
            raise InvalidResult(f"the field name {name[:70]!r} is not of small letters, digits and underscores")
        if name in RESERVED_FIELDS or name.startswith("tobs_"):
            raise InvalidResult(f"the field {name} is tobs's own")
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidResult(f"the field {name} is {value}, which is no number a note can hold")


def _check_in_place(replacement: Path | None, original: Path) -> None:
    if replacement is None:
        raise InvalidResult("in_place without a replacement")
    if replacement.suffix.lower() != original.suffix.lower():
        raise InvalidResult(f"the file {replacement.name} cannot take the place of one that ends in {original.suffix}")


def _check_path(path: Path, work: Path) -> None:
    # A plugin may have replaced the work folder by a link; the folders above it belong to tobs.
    inside = work.parent.resolve() / work.name
    try:
        resolved = path.resolve()
        is_inside, is_file = resolved.is_relative_to(inside), resolved.is_file() and not path.is_symlink()
        size = resolved.stat().st_size if is_file else 0
    except (OSError, RuntimeError):  # a circle of links, or an invalid file name
        is_inside, is_file, size = True, False, 0
    except ValueError:
        raise InvalidResult(f"{str(path)[:70]!r} is no path of a file") from None
    if not is_inside:
        raise InvalidResult(f"the file {path} lies outside the item's work folder")
    if not is_file:
        raise InvalidResult(f"the file {path.name[:70]} is not there, or is no plain file")
    if size == 0:
        raise InvalidResult(f"the file {path.name} is empty")
