"""Sync of a vault with Telegram: only the changes since the last run are fetched."""
