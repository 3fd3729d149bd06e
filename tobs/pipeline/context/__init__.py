"""The context of a run: the archive in its thread, the vault, the events and the report."""
