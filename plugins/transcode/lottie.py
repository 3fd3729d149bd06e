"""Drawings that would never end, or end the process: told before they are drawn.

Source: https://lottie.github.io/lottie-spec (precomposition layers, repeaters)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Layers of a drawing, each counted as often as it is drawn (Telegram has a few hundred); copies one repeater makes.
_MOST_LAYERS = 20_000
_MOST_COPIES = 1_000


class Harmful(Exception):
    """A drawing that must not be drawn."""


def require_harmless(drawing: Mapping[str, Any]) -> None:
    """Raises Harmful for a drawing whose parts hold themselves, or together far more layers than a sticker has."""
    assets = {asset.get("id"): asset.get("layers") for asset in _dicts(drawing.get("assets"))}
    counted: dict[Any, int] = {}
    open_ones: set[Any] = set()

    def layers_of(name: Any) -> int:
        if name in open_ones:
            raise Harmful("a part of it holds itself")
        if name not in counted:
            open_ones.add(name)
            counted[name] = count(assets.get(name))
            open_ones.remove(name)
        return counted[name]

    def count(layers: Any) -> int:
        total = 0
        for layer in _dicts(layers):
            total += 1 + (layers_of(layer["refId"]) if layer.get("refId") in assets else 0)
            if total > _MOST_LAYERS:
                raise Harmful("it has far too many layers")
        return total

    try:
        count(drawing.get("layers"))
        _require_few_copies(drawing)
    except (RecursionError, TypeError) as error:  # nested without an end; names that are no names
        raise Harmful("its parts are nested without an end") from error


def _require_few_copies(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("ty") == "rp" and _largest(part.get("c")) > _MOST_COPIES:
            raise Harmful("it repeats itself without an end")
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        if isinstance(each, (dict, list)):
            _require_few_copies(each)


def _largest(value: Any) -> float:
    """The largest number anywhere in ``value``."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, dict):
        value = list(value.values())
    return max((_largest(each) for each in value), default=0.0) if isinstance(value, list) else 0.0


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
