"""The session of a run: archive, plugins, Telegram and the stages of a chat, opened and closed in order."""
