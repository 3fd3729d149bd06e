"""Keeping a vault in step with Telegram: what changed since the last run, and only that."""
