"""Requests for chats, histories, files and takeouts, sent through the invoker."""
