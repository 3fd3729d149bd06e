"""Updates: differences since a stored state, and the updates that Telegram pushes."""
