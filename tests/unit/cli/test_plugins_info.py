"""What a plugin declares, as people read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.in_process import variables
from tobs.cli.main import run


def test_every_option_is_told_with_its_values_default_and_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with variables({"TOBS_HOME": str(tmp_path), "TOBS_PLUGIN_TRANSCRIBE_API_KEY": "sk-12345"}):
        assert run(["plugins", "info", "transcribe-api", "--vault", str(tmp_path / "vault")]) == 0
    told = capsys.readouterr().out
    assert '\nkinds (list of "voice" or "round" or "audio" or "video"; default ["voice","round"])\n' in told
    assert (
        '\nkey (secret; default "")\n  Key for the server, if it needs one\n  TOBS_PLUGIN_TRANSCRIBE_API_KEY\n' in told
    )
    assert "sk-12345" not in told
