"""Where messages come from: live Telegram; later exports, an inbox folder, URLs. Sources know no vault."""

from tobs.sources.live import live_source
from tobs.sources.source import FetchFile, Gap, Source, Walk

__all__ = ["FetchFile", "Gap", "Source", "Walk", "live_source"]
