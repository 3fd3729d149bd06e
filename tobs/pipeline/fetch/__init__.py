"""Fetching: histories, comments, stories and what belongs to a chat, into the archive."""
