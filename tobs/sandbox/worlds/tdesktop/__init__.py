"""A Telegram Desktop export (``result.json`` or its folder) served as if it were live.

It has a reader of its own on purpose: tests compare an import of the file with an export of this world, so the two must
not share a parser. Source of the format: telegramdesktop/tdesktop, export_output_json.cpp.
"""

from tobs.sandbox.worlds.tdesktop.world import export_world

__all__ = ["export_world"]
