"""Chats, histories, files and takeouts, asked for through the invoker."""
