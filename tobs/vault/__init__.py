"""The vault on disk: names, layout, what to do with a note, atomic writing, the lock. Nothing else writes into it."""
