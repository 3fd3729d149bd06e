"""The plugin ``notify``: apprise sends to a server of the test's own."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.plugin.box import SECRET, Box
from tobs.plugin import FinishedRun, Run
from tobs.plugin.host import Done, Host, PluginFailure
from tobs.plugin.loading import load_class
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef
from tobs_plugins.notify import Notify, NotifyConfig
from tobs_plugins.notify.message import has_news, message_for


def ended(*, problems: int = 0, error: str = "", **counts: dict[str, int]) -> FinishedRun:
    told = [{"what": "media", "item": f"file {n}", "reason": "gone\naway"} for n in range(problems)]
    return FinishedRun(
        Run("r1", "sync", ("@x",)), ok=not (problems or error), error=error, report=counts | {"problems": told}
    )


def test_a_run_that_came_right_tells_what_it_brought() -> None:
    told = message_for(
        ended(messages={"new": 12, "edited": 1}, notes={"created": 9}, media={"downloaded": 2}), details=True
    )
    assert (told.title, told.weight) == ("tobs sync finished", "success")
    assert told.text == "Messages: 12 new, 1 edited\nNotes: 9 created\nFiles: 2 downloaded"
    assert message_for(ended(), details=True).text == "Messages: nothing new"


def test_problems_are_named_or_only_counted() -> None:
    told = message_for(ended(problems=7), details=True)
    assert (told.title, told.weight) == ("tobs sync finished with 7 problems", "warning")
    lines = told.text.splitlines()
    assert lines[1] == "media: file 0: gone away" and lines[-1] == "… and 2 more" and len(lines) == 7
    assert message_for(ended(problems=1), details=False).text == "Messages: nothing new"


def test_a_run_that_was_given_up_says_why() -> None:
    told = message_for(ended(error="Telegram does not answer."), details=True)
    assert (told.title, told.weight) == ("tobs sync failed", "failure")
    assert told.text.startswith("The run failed: Telegram does not answer.")
    assert "Telegram" not in message_for(ended(error="Telegram does not answer."), details=False).text


def test_runs_that_brought_nothing_are_not_told_of() -> None:
    assert not has_news(ended(messages={"new": 0, "fetched": 5}, notes={"updated": 0}))
    assert has_news(ended(messages={"deleted": 1})) and has_news(ended(problems=1)) and has_news(ended(error="x"))


async def tell(run: FinishedRun, **options: Any) -> Any:
    """Tell the plugin of ``run`` in its worker process; the host's reply."""
    ref = PluginRef("tobs_plugins.notify", "Notify")
    plugin = load_class(ref)
    async with Host(env=os.environ) as host:
        return await host.notify(Processor.of(plugin(NotifyConfig(**options)), ref), run)


@pytest.mark.parametrize(("when", "sent"), [("always", 3), ("news", 2), ("problems", 1)])
async def test_each_run_is_told_of_as_asked_for(box: Box, when: str, sent: int) -> None:
    for run in (ended(), ended(messages={"new": 1}), ended(error="gone")):
        assert isinstance(await tell(run, urls=(box.url,), when=when), Done)
    assert len(box.got) == sent
    assert (box.got[-1]["title"], box.got[-1]["type"]) == ("tobs sync failed", "failure")


async def test_an_address_that_does_not_take_it_is_told_without_its_key(box: Box) -> None:
    box.status = 500
    urls = (box.url, f"nonsense://{SECRET}", SECRET)
    reply = await tell(ended(problems=1), urls=urls)
    assert isinstance(reply, PluginFailure)
    assert reply.reason == (
        "NotSent: not sent to 1 (json), 2 (nonsense, which apprise does not understand), "
        "3 (no address, which apprise does not understand) of 3 addresses"
    )
    assert len(box.got) == 1


def test_without_an_address_it_says_what_is_missing() -> None:
    missing = Notify(NotifyConfig()).available()
    assert missing is not None and missing.what == "the option urls"
    assert Notify(NotifyConfig(urls=("json://localhost",))).available() is None
