"""Writes what is generated from the code: .env.example and docs/reference. Run by `make reference`."""

from __future__ import annotations

from pathlib import Path

from tobs.config.describe import env_example, settings_reference

REPO = Path(__file__).parents[1]


def main() -> None:
    """Write every generated file of the repository."""
    (REPO / ".env.example").write_text(env_example(), encoding="utf-8")
    (REPO / "docs" / "reference" / "settings.md").write_text(settings_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
