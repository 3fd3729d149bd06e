"""Reject animations whose rendering would not end or would crash the process.

Source: https://lottie.github.io/lottie-spec (precomposition layers, repeaters)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Most rendered layers of an animation (Telegram's have a few hundred), and most copies of a repeater.
_MOST_LAYERS = 20_000
_MOST_COPIES = 1_000


class UnsafeAnimation(Exception):
    """An animation that must not be rendered."""


def require_safe(drawing: Mapping[str, Any]) -> None:
    """Check an animation. Raises UnsafeAnimation if parts contain themselves, or if it has far too many layers."""
    assets = {asset.get("id"): asset.get("layers") for asset in _dicts(drawing.get("assets"))}
    counted: dict[Any, int] = {}
    open_ones: set[Any] = set()

    def layers_of(name: Any) -> int:
        if name in open_ones:
            raise UnsafeAnimation("a part contains itself")
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
                raise UnsafeAnimation("it has far too many layers")
        return total

    try:
        count(drawing.get("layers"))
        _require_few_copies(drawing)
    except (RecursionError, TypeError) as error:  # endless nesting; invalid names
        raise UnsafeAnimation("its parts are nested endlessly") from error


def _require_few_copies(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("ty") == "rp" and _largest(part.get("c")) > _MOST_COPIES:
            raise UnsafeAnimation("it repeats endlessly")
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        if isinstance(each, (dict, list)):
            _require_few_copies(each)


def _largest(value: Any) -> float:
    """Return the largest number anywhere in ``value``."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, dict):
        value = list(value.values())
    return max((_largest(each) for each in value), default=0.0) if isinstance(value, list) else 0.0


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
