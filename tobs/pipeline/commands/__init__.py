"""The commands that work with archive and vault, one module each."""
