"""``python -m tobs_plugins.whisper small``: download a model once, so that the plugin finds it."""

from __future__ import annotations

import sys

from tobs_plugins.whisper.models import download


def main() -> int:
    """Download the model named on the command line; 2 when none is."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.stderr.write("Usage: python -m tobs_plugins.whisper MODEL (tiny, base, small, medium, large-v3, turbo)\n")
        return 2
    sys.stdout.write(f"{download(sys.argv[1])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
