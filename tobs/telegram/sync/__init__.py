"""Updates: differences since a stored state, and what Telegram pushes."""
