"""``python -m tobs``."""

from tobs.cli.main import main

main()
