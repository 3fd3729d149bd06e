"""A Telegram Desktop export (result.json, its folder, or a .zip of it) as a source of messages.

The sandbox has a reader of its own for the same format, on purpose: an import compared with an export of the same data
must not share one parser.
"""

from tobs.sources.desktop.export import DESKTOP, DESKTOP_SOURCE, ChatReader, DesktopExport, open_desktop, title_of_html
from tobs.sources.desktop.ids import unknown_group
from tobs.sources.desktop.survey import FoundChat, Survey
from tobs.sources.source import MediaMode

__all__ = [
    "DESKTOP",
    "DESKTOP_SOURCE",
    "ChatReader",
    "DesktopExport",
    "FoundChat",
    "MediaMode",
    "Survey",
    "open_desktop",
    "title_of_html",
    "unknown_group",
]
