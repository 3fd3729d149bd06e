"""Transcribe voice messages with a server that has OpenAI's interface."""

from tobs_plugins.transcribe_api.plugin import TranscribeApi, TranscribeApiConfig

__all__ = ["TranscribeApi", "TranscribeApiConfig"]
