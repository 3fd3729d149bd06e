"""The vault on disk: names, layout, decisions about notes, atomic writes, the lock. Nothing else writes into it."""
