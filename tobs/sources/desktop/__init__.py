"""A Telegram Desktop export (result.json, its folder, or a .zip of it) as a source of messages.

The sandbox has a separate reader of the same format, on purpose: comparing an import with an export of the same data
must not depend on a shared parser.
"""

from tobs.sources.desktop.export import DESKTOP, DESKTOP_SOURCE, ChatReader, DesktopExport, open_desktop, title_of_html
from tobs.sources.desktop.summary import ExportedChat, ExportSummary

__all__ = [
    "DESKTOP",
    "DESKTOP_SOURCE",
    "ChatReader",
    "DesktopExport",
    "ExportSummary",
    "ExportedChat",
    "open_desktop",
    "title_of_html",
]
