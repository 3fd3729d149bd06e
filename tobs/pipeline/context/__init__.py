"""The context of a run: the archive in its thread, the vault, the report; nothing here works on messages."""
