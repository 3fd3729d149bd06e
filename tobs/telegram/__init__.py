"""Access to Telegram: sessions, logins, connections, chats, history, files, and TL objects converted into the model."""
