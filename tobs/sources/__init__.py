"""Where messages come from: Telegram, its Desktop exports, the inbox folder. Sources do not know the vault."""

from tobs.sources.source import FetchFile, FetchOptions, Gap, Source, SourceConfig, SourceType, Walk

__all__ = ["FetchFile", "FetchOptions", "Gap", "Source", "SourceConfig", "SourceType", "Walk"]
