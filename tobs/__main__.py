"""``python -m tobs``."""

from tobs.cli.main import main

if __name__ == "__main__":
    main()
