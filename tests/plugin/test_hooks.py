"""The hooks that are not about files: what plugins say about messages, runs and commands, and how they fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.plugin.conftest import sample
from tobs.errors import PluginError
from tobs.model import Message
from tobs.plugin import Enrichment, Export, FinishedRun, MessageItem, NewMessage, RenderedNote, Run
from tobs.plugin.host import Done, Host, PluginFailure
from tobs.plugin.new_messages import write_messages
from tobs.plugin.processor import Processor


def reader() -> Processor:
    return sample("Reader", file="hooks.py")


def about(text: str) -> MessageItem:
    return MessageItem(Message(chat_id=-1, id=7, date=0, text=text), "Chat", "Ada", f"message 7: {text}")


async def test_a_plugin_is_asked_about_messages_in_their_order(host: Host) -> None:
    two, none, one = await host.enrich(reader(), [about("one two"), about(""), about("one")])
    assert isinstance(two, Done) and isinstance(two.result, Enrichment)
    assert two.result.fields == {"words": 2}
    assert two.result.sections[0].text == "Chat, Ada"
    assert two.result.notes[0].title == "About one two"
    assert none == Done(None)
    assert isinstance(one, Done) and one.result and one.result.fields == {"words": 1}


FAULTS = {
    "hang": "took longer than its limit of 0.5 s",
    "raise": "RuntimeError: the moon is wrong",
    "nonsense": "returned a dict instead of a Enrichment or None",
    "kill": "its process was ended by SIGKILL",
    "own_field": "the field sender is tobs's own",
    "own_field_of_a_note": "the field tobs_id is tobs's own",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_about_a_message_is_told_and_the_other_messages_pass(host: Host, fault: str) -> None:
    before, faulty, after = await host.enrich(reader(), [about("fine"), about(fault), about("fine")])
    assert isinstance(faulty, PluginFailure)
    assert faulty.item == f"message 7: {fault}"
    assert FAULTS[fault] in faulty.reason
    assert isinstance(before, Done) and isinstance(after, Done)


def export_of(folder: Path, *texts: str) -> Export:
    source = folder / "brought"
    with source.open("wb") as file:
        count = write_messages(file, [NewMessage("new", about(text).message, "Chat") for text in texts])
    return Export(FinishedRun(Run("r1", "sync"), ok=True), count, source, folder / "made", folder)


async def test_a_plugin_hands_on_what_a_run_brought(host: Host, tmp_path: Path) -> None:
    export = export_of(tmp_path, "one", "two 😀")
    reply = await host.export(sample("Teller", file="hooks.py"), export)
    assert isinstance(reply, Done) and reply.result is not None
    (path,) = reply.result.files
    assert path == tmp_path / "made" / "told.txt"
    assert path.read_text() == "new Chat one\nnew Chat two 😀\n"


EXPORT_FAULTS = {
    "hang": "took longer than its limit of 0.5 s",
    "raise": "RuntimeError: the moon is wrong",
    "nonsense": "returned a list instead of a Exported or None",
    "kill": "its process was ended by SIGKILL",
    "outside": "lies outside the item's work folder",
    "link": "lies outside the item's work folder",
}


@pytest.mark.parametrize("fault", EXPORT_FAULTS)
async def test_a_fault_of_an_exporter_is_told(host: Host, tmp_path: Path, fault: str) -> None:
    reply = await host.export(sample("Teller", file="hooks.py"), export_of(tmp_path, fault))
    assert isinstance(reply, PluginFailure)
    assert reply.item == "the export of the run" and EXPORT_FAULTS[fault] in reply.reason


def rendered(body: str) -> RenderedNote:
    return RenderedNote(f"Telegram/Chat/{body[:5]}.md", "message", body, Path("/vault"), "Chat", (about("x").message,))


async def test_a_plugin_has_the_last_word_on_notes(host: Host) -> None:
    replies = await host.post_render(sample("Finisher", file="hooks.py"), [rendered("one"), rendered("keep")])
    assert replies == [Done("ONE message Chat 1"), Done(None)]


LAST_FAULTS = {
    "hang": "took longer than its limit of 0.5 s",
    "raise": "RuntimeError: the moon is wrong",
    "nonsense": "returned a int instead of a str or None",
    "kill": "its process was ended by SIGKILL",
    "empty": "left nothing of the note",
    "surrogate": "returned what no note can hold",
    "blocks: Ada ^m1\n\nhello\n\nAda ^m2": "changed the ids of blocks",
}


@pytest.mark.parametrize("fault", LAST_FAULTS)
async def test_a_fault_of_who_has_the_last_word_leaves_the_other_notes_alone(host: Host, fault: str) -> None:
    before, faulty, after = await host.post_render(
        sample("Finisher", file="hooks.py"), [rendered("fine"), rendered(fault), rendered("fine")]
    )
    assert isinstance(faulty, PluginFailure), faulty
    assert faulty.item == rendered(fault).path and LAST_FAULTS[fault] in faulty.reason
    assert before == after == Done("FINE message Chat 1")


async def test_a_plugin_is_told_of_runs_and_has_a_command(host: Host, tmp_path: Path) -> None:
    herald = sample("Herald", {"log": str(tmp_path / "log")}, file="hooks.py")
    run = Run("r1", "export", ("@a", "@b"))
    report = {"messages": {"new": 3}}
    assert await host.notify(herald, run) == Done(None)
    assert await host.notify(herald, FinishedRun(run, ok=True, report=report)) == Done(None)
    failed = await host.notify(herald, FinishedRun(run, ok=False, error="The line is cut.", report=report))
    assert failed == PluginFailure("herald", "the end of the run", "RuntimeError: nobody listens")
    assert (tmp_path / "log").read_text().splitlines() == [
        "export of @a, @b started",
        "ok True, 3 new, no error",
        "ok False, 3 new, The line is cut.",
    ]
    assert await host.command(herald, ["you", "me"], tmp_path) == Done("heard you me")


async def test_a_command_that_fails_in_a_strict_host_is_raised(tmp_path: Path) -> None:
    herald = sample("Herald", {"log": str(tmp_path / "log")}, file="hooks.py")
    async with Host(env=os.environ, strict=True) as host:
        with pytest.raises(PluginError, match="Plugin herald failed on its command: ZeroDivisionError"):
            await host.command(herald, [], tmp_path)


def test_a_plugin_has_the_hooks_it_defines() -> None:
    assert [name for name in ("process", "enrich", "run_ended", "command") if reader().has(name)] == ["enrich"]
