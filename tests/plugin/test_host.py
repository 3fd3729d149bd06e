"""A plugin may fail in every way there is; the other items never notice."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.plugin.conftest import sample
from tobs.errors import PluginError
from tobs.plugin import Item
from tobs.plugin.host import Done, Host, HostLimits, PluginFailure, Skipped

MakeItem = Callable[[str], Item]


async def test_replies_come_in_the_order_of_the_items(host: Host, make_item: MakeItem) -> None:
    replies = await host.run(sample("Quiet"), [make_item("one two"), make_item(""), make_item("one")])
    assert [r.result and r.result.fields["words"] for r in replies if isinstance(r, Done)] == [2, None, 1]


async def test_a_plugin_works_in_a_process_of_its_own_that_is_used_again(host: Host, make_item: MakeItem) -> None:
    first = await host.run(sample("Quiet"), [make_item("a")])
    second = await host.run(sample("Quiet"), [make_item("b")])
    pids = [r.result.fields["pid"] for r in (*first, *second) if isinstance(r, Done) and r.result]
    assert pids[0] == pids[1] != os.getpid()


async def test_a_plugin_that_wants_one_process_has_one(make_item: MakeItem) -> None:
    async with Host(env=os.environ, limits=HostLimits(cpu=4)) as host:
        groups = [[make_item(f"a{group}{n}") for n in range(3)] for group in range(3)]
        replies = await asyncio.gather(*(host.run(sample("Lonely"), items) for items in groups))
    pids = [r.result.fields["pid"] for group in replies for r in group if isinstance(r, Done) and r.result]
    assert len(pids) == 9 and len(set(pids)) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such limits")
def test_a_limit_above_what_the_system_allows_is_that_of_the_system() -> None:
    code = (
        "import resource\nfrom tobs.plugin.worker import _limit_memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n_limit_memory(2**33)\n"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == str(2**31), ran.stderr


FAULTS = {
    "hang": "took longer than its limit of 0.5 s",
    "raise": "RuntimeError: the moon is wrong",
    "unreadable": "not my kind of file",
    "exit": "its process ended with exit code 3",
    "kill": "its process was ended by SIGKILL",
    "last_words": "its process ended with exit code 7 (something went very wrong)",
    "junk": "its process answered what tobs does not understand",
    "memory": "needed more memory than its limit of 400 MiB",
    "dict": "returned a dict instead of a Result or None",
    "wrong_field": "returned what no note can hold: Expected bool | int | float | str | array, got object",
    "object": "returned what no note can hold: a value of type object",
    "huge_number": "returned what no note can hold: can't serialize ints",
    "not_a_number": "the field track is nan, which is no number a note can hold",
    "own_field": "the field tobs_id is tobs's own",
    "bad_name": "the field name 'a: b\\nc' is not of small letters, digits and underscores",
    "bad_tag": "returned what no note can hold: Expected str matching regex '^[\\\\w/-]{1,100}$' - at $.tags[0]",
    "long_text": "returned what no note can hold: Expected str of length <= 2000 - at $.fields[...]",
    "huge_result": "bytes; 16777216 are allowed",
    "outside": "the file /etc/passwd lies outside the item's work folder",
    "dots": "lies outside the item's work folder",
    "link": "lies outside the item's work folder",
    "absent": "the file never-made.jpg is not there, or is no plain file",
    "empty_file": "the file cover.jpg is empty",
    "other_format": "the file tagged.mp3 cannot take the place of one that ends in .txt",
    "nothing_in_place": "in_place without a replacement",
    "work_elsewhere": "lies outside the item's work folder",
    "folder_elsewhere": "lies outside the item's work folder",
    "circle": "the file one.jpg is not there, or is no plain file",
    "nul": "is no path of a file",
    "long_name": "the file aaaa",
    "relative": "the file pyproject.toml lies outside the item's work folder",
    "pipe": "the file cover.jpg is not there, or is no plain file",
    "close_everything": "its process ended with exit code 1",
    "recurse": "RecursionError: maximum recursion depth exceeded",
    "raise_oddly": "Odd: it says nothing about itself",
    "interrupt": "KeyboardInterrupt",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_told_and_the_other_items_pass(host: Host, make_item: MakeItem, fault: str) -> None:
    before, faulty, after = await host.run(sample("Bad"), [make_item("fine"), make_item(fault), make_item("fine")])
    assert isinstance(faulty, PluginFailure)
    assert (faulty.plugin, faulty.item) == ("bad", "-5/1")
    assert FAULTS[fault] in faulty.reason
    assert isinstance(before, Done) and isinstance(after, Done)


async def test_threads_and_another_folder_left_behind_harm_no_other_item(host: Host, make_item: MakeItem) -> None:
    threads, elsewhere, after = await host.run(
        sample("Bad"), [make_item("threads"), make_item("elsewhere"), make_item("fine")]
    )
    assert isinstance(threads, Done) and isinstance(elsewhere, Done)
    assert elsewhere.result is not None and elsewhere.result.fields == {"here": "/"}
    assert isinstance(after, Done)


async def test_a_plugin_that_forks_never_answers_for_another_item(host: Host, make_item: MakeItem) -> None:
    items = [make_item(text) for text in ("fork", "raise", "fine") * 10]
    replies = await host.run(sample("Bad"), items)
    assert [type(reply) for reply in replies] == [Done, PluginFailure, Done] * 10


async def test_what_a_plugin_prints_and_reads_is_not_the_host_s(host: Host, make_item: MakeItem) -> None:
    printed, read = await host.run(sample("Bad"), [make_item("print"), make_item("read_input")])
    assert isinstance(printed, Done)
    assert isinstance(read, Done) and read.result and read.result.fields == {"input": ""}


async def test_a_plugin_does_not_see_the_secrets_of_tobs(make_item: MakeItem) -> None:
    async with Host(env={**os.environ, "TOBS_API_HASH": "0123", "tobs_phone": "+1"}) as host:
        (reply,) = await host.run(sample("Bad"), [make_item("secret")])
    assert isinstance(reply, Done) and reply.result and reply.result.fields == {"seen": []}


async def test_what_a_hanging_plugin_started_ends_with_it(host: Host, make_item: MakeItem) -> None:
    item = make_item("hang_with_child")
    await host.run(sample("Bad"), [item])
    child = int((item.path.parent / "child.pid").read_text())
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_child_that_got_away_holds_nobody_up(host: Host, make_item: MakeItem, tmp_path: Path) -> None:
    started = time.monotonic()
    replies = await host.run(sample("Bad"), [make_item("hang_with_escaped_child"), make_item("fine")])
    psutil.Process(int((tmp_path / "child.pid").read_text())).kill()
    assert [type(reply) for reply in replies] == [PluginFailure, Done]
    assert time.monotonic() - started < 20


async def test_a_plugin_that_keeps_failing_is_off_for_the_run(make_item: MakeItem) -> None:
    async with Host(env=os.environ, limits=HostLimits(cpu=1, failures=3)) as host:
        replies = await host.run(sample("Bad"), [make_item("raise") for _ in range(6)])
        later = await host.run(sample("Bad"), [make_item("fine")])
        assert [type(reply) for reply in replies] == [PluginFailure] * 3 + [Skipped] * 3
        assert later == [Skipped("it failed 3 times in a row, the last time: RuntimeError: the moon is wrong")]
        assert list(host.off) == ["bad"]


async def test_failures_with_successes_between_them_switch_nothing_off(make_item: MakeItem) -> None:
    async with Host(env=os.environ, limits=HostLimits(cpu=1, failures=2)) as host:
        replies = await host.run(sample("Bad"), [make_item(what) for what in ("raise", "fine") * 4])
    assert not any(isinstance(reply, Skipped) for reply in replies)


async def test_unreadable_files_speak_not_against_the_plugin(make_item: MakeItem) -> None:
    async with Host(env=os.environ, limits=HostLimits(cpu=1, failures=2)) as host:
        replies = await host.run(sample("Bad"), [make_item("unreadable") for _ in range(5)])
    assert all(isinstance(reply, PluginFailure) for reply in replies)


async def test_a_plugin_that_cannot_start_is_asked_once(host: Host, make_item: MakeItem) -> None:
    replies = await host.run(sample("Unstartable", {"pid": os.getpid()}), [make_item("a"), make_item("b")])
    reason = "did not start: OSError: the model is not here"
    assert replies == [PluginFailure("unstartable", "-5/0", reason), Skipped(reason)]


async def test_a_strict_host_raises_what_went_wrong(make_item: MakeItem) -> None:
    async with Host(env=os.environ, strict=True) as host:
        with pytest.raises(PluginError, match=r"Plugin bad failed on -5/1: RuntimeError: the moon is wrong\."):
            await host.run(sample("Bad"), [make_item("fine"), make_item("raise")])


async def test_several_processes_share_the_items(make_item: MakeItem) -> None:
    processor = sample("Quiet")
    items = [make_item("word") for _ in range(3 * processor.plugin.batch)]
    async with Host(env=os.environ, limits=HostLimits(cpu=2)) as host:
        replies = await host.run(processor, items)
    assert len({r.result.fields["pid"] for r in replies if isinstance(r, Done) and r.result}) == 2


async def test_the_end_of_the_host_is_the_end_of_its_processes(make_item: MakeItem) -> None:
    async with Host(env=os.environ) as host:
        (reply,) = await host.run(sample("Quiet"), [make_item("a")])
    assert isinstance(reply, Done) and reply.result
    assert not psutil.pid_exists(int(str(reply.result.fields["pid"])))


async def test_an_interrupted_run_leaves_no_process(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item("hang_with_child")
    async with Host(env=os.environ) as host:
        task = asyncio.create_task(host.run(sample("Bad"), [item]))
        done, _ = await asyncio.wait([task], timeout=0.2)  # it would hang for 0.5 s
        assert not done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        children = [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
        assert not [p for p in children if "tobs.plugin.worker" in " ".join(p.cmdline())]
