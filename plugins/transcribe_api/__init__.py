"""What is said in voice messages, written down by a server that speaks OpenAI's interface."""

from tobs_plugins.transcribe_api.plugin import TranscribeApi, TranscribeApiConfig

__all__ = ["TranscribeApi", "TranscribeApiConfig"]
