"""Download a model for the plugin: ``python -m tobs_plugins.whisper small``."""

from __future__ import annotations

import sys

from tobs_plugins.whisper.models import download


def main() -> int:
    """Download the model named on the command line; return 2 if there is none."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.stderr.write("Usage: python -m tobs_plugins.whisper MODEL (tiny, base, small, medium, large-v3, turbo)\n")
        return 2
    try:
        folder = download(sys.argv[1])
    except (OSError, ValueError, ImportError) as error:
        sys.stderr.write(f"The model {sys.argv[1]} was not downloaded: {' '.join(str(error).split())[:300]}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
