"""Notes: planned, rendered, merged and written from the archive; the vault scanned for changes of its owner."""
