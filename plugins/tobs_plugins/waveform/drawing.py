"""Draw peaks as bars, mirrored at the middle."""

from __future__ import annotations

from collections.abc import Sequence

#: Height of the picture, distance of bars, and width of a bar, in pixels.
_HEIGHT = 64
_STEP = 6
_WIDTH = 3


def draw(peaks: Sequence[int], bars: int, colour: str) -> str:
    """Draw ``peaks`` (not empty) as an SVG of ``bars`` bars; the loudest has the full height."""
    loudest = max(peaks) or 1
    path = []
    for bar in range(bars):
        first = bar * len(peaks) // bars
        part = peaks[first : max(first + 1, (bar + 1) * len(peaks) // bars)]
        height = max(1, round((_HEIGHT - 2 * _WIDTH) * max(part) / loudest))
        path.append(f"M{_STEP * bar + _STEP // 2} {(_HEIGHT - height) / 2:g}v{height}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_STEP * bars}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_STEP * bars} {_HEIGHT}">'
        f'<path d="{"".join(path)}" stroke="{colour}" stroke-width="{_WIDTH}" stroke-linecap="round" fill="none"/>'
        "</svg>\n"
    )
