"""A Telegram Desktop export (``result.json`` or its folder) served as if it were live.

A reader of its own, on purpose: an import that is compared with an export must not share one parser with it. What the
exporter writes is read from its source (telegramdesktop/tdesktop, export_output_json.cpp).
"""

from tobs.sandbox.worlds.tdesktop.world import export_world

__all__ = ["export_world"]
