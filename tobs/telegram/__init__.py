"""The one door to Telegram: sessions, logins, connections, history, files, and TL objects turned into the model."""
