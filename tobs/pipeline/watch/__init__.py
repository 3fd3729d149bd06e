"""One process that keeps a vault live: what Telegram pushes, what happens in the vault, and the clock."""
