"""Options of the command line and the layers of settings below them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tobs.cli.main import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOBS_HOME", str(tmp_path / "home"))
    for name in ("TOBS_API_ID", "TOBS_API_HASH"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", ["export", "plan"])
def test_an_option_wins_over_a_wrong_value_in_a_lower_layer(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOBS_PROFILE", "nonsense")
    assert run([command, "@club", "--profile", "balanced"]) == 2
    assert "The API id" in capsys.readouterr().err
    assert run([command, "@club"]) == 2
    assert "profile (environment)" in capsys.readouterr().err


def test_the_end_of_the_input_at_a_question_ends_the_command_with_one_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end_of_input(*_: object) -> None:
        raise EOFError

    monkeypatch.setattr("tobs.cli.common.Common.open", end_of_input)
    assert run(["verify", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == 130
