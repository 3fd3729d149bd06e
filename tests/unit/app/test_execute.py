"""Requests and their handlers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from tests.e2e.in_process import variables
from tobs.app import execute as executing
from tobs.app.context import open_app_context, with_settings
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.app.prompt import NoPrompt, Question
from tobs.app.threads import in_thread
from tobs.app.watch import _finish_when_cancelled
from tobs.errors import ConfigError, LoginError, VaultError
from tobs.model.requests import ExportRequest, FetchOptions, Request, VerifyRequest


def test_every_request_has_a_handler_that_takes_it() -> None:
    handlers = executing._HANDLERS
    assert set(handlers) == set(get_args(Request))
    assert len(set(handlers.values())) == len(handlers)


@contextmanager
def home(folder: Path) -> Iterator[Path]:
    with variables({"TOBS_HOME": str(folder / "home")}):
        yield folder


async def test_options_of_a_request_hold_for_it_alone(tmp_path: Path) -> None:
    with home(tmp_path):
        context = open_app_context({"vault": str(tmp_path / "vault"), "workers": 2}, cwd=tmp_path)
        other = with_settings(context, media="photo", max_size="1MB", workers=None)
        assert (other.settings.max_size, other.settings.workers) == (1_000_000, 2)
        assert other.vault == context.vault and context.settings.max_size != 1_000_000
        assert with_settings(context, media=None) is context
        with pytest.raises(ConfigError, match="enormous"):
            await execute(ExportRequest(fetch=FetchOptions(max_size="enormous")), context, Events())


async def test_a_request_in_a_folder_without_a_vault_makes_none(tmp_path: Path) -> None:
    with home(tmp_path):
        context = open_app_context({}, cwd=tmp_path)
        assert context.vault == tmp_path / "vault"
        with pytest.raises(VaultError):
            await execute(VerifyRequest(), context, Events())
        assert not context.vault.exists()


def test_nobody_answers_a_question_without_a_prompt() -> None:
    prompt = NoPrompt()
    with pytest.raises(LoginError, match="The code is needed") as raised:
        prompt.ask(Question("The code", remedy="Give --code."))
    assert raised.value.remedy == "Give --code."
    assert prompt.confirm("A plugin.", "Trust it?") is False


async def test_a_blocking_function_gives_its_result_or_its_error() -> None:
    assert await in_thread(lambda: threading.current_thread() is threading.main_thread()) is False
    with pytest.raises(VaultError, match="broken"):
        await in_thread(_fail)


def _fail() -> None:
    raise VaultError("broken")


async def test_a_cancelled_task_does_not_wait_for_a_blocking_function() -> None:
    release = threading.Event()
    task = asyncio.create_task(in_thread(lambda: release.wait(30)))
    await asyncio.sleep(0.05)
    task.cancel()
    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 10
    release.set()


@pytest.mark.parametrize("ends_in_order", [True, False])
async def test_a_cancelled_watch_is_asked_to_end_and_then_ended(
    ends_in_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tobs.app.watch._PATIENCE", 5.0 if ends_in_order else 0.05)
    stop, ended = asyncio.Event(), []

    async def work() -> None:
        try:
            await (stop if ends_in_order else asyncio.Event()).wait()
            ended.append("in order")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    task = asyncio.create_task(_finish_when_cancelled(work(), stop))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["in order" if ends_in_order else "cancelled"] and stop.is_set()


async def test_an_error_of_a_watch_is_raised() -> None:
    async def work() -> None:
        raise VaultError("broken")

    with pytest.raises(VaultError, match="broken"):
        await _finish_when_cancelled(work(), asyncio.Event())


def test_the_handlers_say_what_they_take() -> None:
    for kind, handler in executing._HANDLERS.items():
        hints: dict[str, Any] = handler.__annotations__
        assert hints["request"] == kind.__name__, handler
    assert get_type_hints(Events)
