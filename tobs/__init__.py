"""tobs keeps a person's Telegram in their Obsidian vault."""

__version__ = "0.2.0"
