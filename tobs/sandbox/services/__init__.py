"""The answers of the sandbox: one file a topic, each function registered by its request type.

Importing this package registers them all.
"""

from tobs.sandbox.services import (
    cdn,
    chats,
    connect,
    contacts,
    dialogs,
    files,
    history,
    login,
    membership,
    password,
    qr,
    saved,
    search,
    stories,
    takeout,
    threads,
    updates,
    users,
)

__all__ = [
    "cdn",
    "chats",
    "connect",
    "contacts",
    "dialogs",
    "files",
    "history",
    "login",
    "membership",
    "password",
    "qr",
    "saved",
    "search",
    "stories",
    "takeout",
    "threads",
    "updates",
    "users",
]
