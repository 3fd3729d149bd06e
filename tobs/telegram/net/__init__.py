"""Requests and connections: sessions, proxies, flood waits, the invoker and the errors of Telegram."""
