"""Sources of messages: Telegram, exports of Telegram Desktop, the inbox folder. They do not know the vault."""

from tobs.sources.source import FetchFile, FetchOptions, Gap, Source, SourceConfig, SourceType, Walk

__all__ = ["FetchFile", "FetchOptions", "Gap", "Source", "SourceConfig", "SourceType", "Walk"]
