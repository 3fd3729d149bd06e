"""Files through the chain: order, joining, and paying only once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tobs.media import Chain, Incoming, Produced
from tobs.model import FileItem, Message
from tobs.model.outcomes import ProcessorCounts
from tobs.plugin import Section
from tobs.plugin.host import Host, HostLimits
from tobs.plugin.loading import load_class
from tobs.plugin.ordering import OrderEntry, sort_plugins
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef
from tobs.plugin.results import ResultKey

SAMPLES = Path(__file__).parent / "sample_plugins.py"


def sample(name: str, **values: Any) -> Processor:
    ref = PluginRef("sample_plugins_of_the_chain", name, str(SAMPLES))
    plugin = load_class(ref)
    return Processor.of(plugin(plugin.config_type(**values)), ref)


class Results:
    """A result store that lives as long as the test."""

    def __init__(self) -> None:
        self.rows: dict[ResultKey, bytes] = {}

    async def get(self, keys: Sequence[ResultKey]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    async def put(self, rows: Sequence[tuple[ResultKey, bytes]]) -> None:
        self.rows.update(rows)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host(env=os.environ, limits=HostLimits(cpu=1)) as host:
        yield host


@pytest.fixture
def results() -> Results:
    return Results()


def incoming(tmp_path: Path, text: str, *, message: int = 1, kind: str = "document", chat: str = "Papers") -> Incoming:
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = tmp_path / "staging" / f"{digest}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    item = FileItem(kind, mime="text/plain", size=len(text), name="paper.txt")  # type: ignore[arg-type]
    return Incoming(path, digest, len(text), item, Message(chat_id=-5, id=message, date=0), chat, f"-5/{message}")


def text_of(made: Produced) -> str:
    return Path(made.path).read_text()


def move(made: Produced, place: Path) -> None:
    Path(made.path).rename(place)


def chain(tmp_path: Path, host: Host, results: Results, *processors: Processor, **more: Any) -> Chain:
    order = sort_plugins(OrderEntry(p.name, p.plugin.band, p.plugin.after) for p in processors)
    by_name = {processor.name: processor for processor in processors}
    return Chain([by_name[name] for name in order], host, results, staging=tmp_path / "staging", **more)


async def test_results_are_joined_in_the_order_of_the_chain(tmp_path: Path, host: Host, results: Results) -> None:
    steps = chain(tmp_path, host, results, sample("Shout"), sample("Words"))
    (found,) = await steps.run([incoming(tmp_path, "one two")])
    # ``words`` reads, ``shout`` describes: it comes later and wins the field both of them set.
    assert found.fields == {"words": 2, "said_by": "shout"}
    assert found.sections == (Section("Words", "- one\n- two"), Section("Shout", "ONE TWO!", folded=True))
    assert found.tags == ("words", "both", "loud")
    assert found.related == ("Grammar",)
    assert found.failures == ()


async def test_a_plugin_gets_only_the_kinds_it_handles(tmp_path: Path, host: Host, results: Results) -> None:
    steps = chain(tmp_path, host, results, sample("Words"))
    paper, photo = await steps.run([incoming(tmp_path, "one"), incoming(tmp_path, "two", kind="photo")])
    assert paper.fields and not photo.fields
    assert steps.counts == {"words": ProcessorCounts(done=1)}


async def test_equal_files_are_processed_once_in_a_batch_and_across_runs(
    tmp_path: Path, host: Host, results: Results
) -> None:
    first = chain(tmp_path, host, results, sample("Words"))
    papers = [incoming(tmp_path, f"paper {n % 10}", message=n) for n in range(900)]
    found = await first.run(papers)
    assert first.counts["words"] == ProcessorCounts(done=10, cached=890)
    again = chain(tmp_path, host, results, sample("Words"))
    assert await again.run(papers) == found
    assert again.counts["words"] == ProcessorCounts(cached=900)


async def test_that_a_plugin_kept_a_file_is_remembered_too(tmp_path: Path, host: Host, results: Results) -> None:
    for counts in (ProcessorCounts(done=1), ProcessorCounts(cached=1)):
        steps = chain(tmp_path, host, results, sample("Words"))
        assert (await steps.run([incoming(tmp_path, "")]))[0].fields == {}
        assert steps.counts["words"] == counts


async def test_another_configuration_version_or_kind_is_computed_anew(
    tmp_path: Path, host: Host, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = incoming(tmp_path, "one two")
    await chain(tmp_path, host, results, sample("Shout")).run([paper])
    (found,) = await chain(tmp_path, host, results, sample("Shout", mark="?")).run([paper])
    assert found.sections[0].text == "ONE TWO?"
    await chain(tmp_path, host, results, sample("Shout")).run([replace(paper, item=FileItem("audio"))])
    changed = sample("Shout")
    monkeypatch.setattr(type(changed.plugin), "version", "2")
    steps = chain(tmp_path, host, results, changed)
    await steps.run([paper])
    assert steps.counts["shout"] == ProcessorCounts(done=1)
    assert len(results.rows) == 4


async def test_force_computes_anew(tmp_path: Path, host: Host, results: Results) -> None:
    for _ in range(2):
        steps = chain(tmp_path, host, results, sample("Words"), force=True)
        await steps.run([incoming(tmp_path, "one")])
        assert steps.counts["words"].done == 1


async def test_a_plugin_that_sees_the_message_works_for_each_message(
    tmp_path: Path, host: Host, results: Results
) -> None:
    steps = chain(tmp_path, host, results, sample("Letterhead"))
    first, other, same = await steps.run(
        [incoming(tmp_path, "x"), incoming(tmp_path, "x", message=2), incoming(tmp_path, "x")]
    )
    assert (first.fields["head"], other.fields["head"]) == ("Papers/1/paper.txt", "Papers/2/paper.txt")
    assert first == same
    assert steps.counts["letterhead"] == ProcessorCounts(done=2, cached=1)


async def test_a_plugin_that_sees_the_content_sees_nothing_else(tmp_path: Path, host: Host, results: Results) -> None:
    (found,) = await chain(tmp_path, host, results, sample("Nosy")).run([incoming(tmp_path, "x")])
    assert found.fields == {"seen": "None None ''"}


async def test_new_files_are_staged_and_the_work_folders_vanish(tmp_path: Path, host: Host, results: Results) -> None:
    steps = chain(tmp_path, host, results, sample("Cover"))
    (found,) = await steps.run([incoming(tmp_path, "one")])
    (cover,) = found.files
    assert (cover.role, cover.name, cover.plugin, cover.size) == ("cover", "cover.svg", "cover", 10)
    assert cover.path == str(tmp_path / "staging" / f"{cover.sha256}.svg")
    assert text_of(cover) == "<svg>one</"
    assert not list((tmp_path / "staging" / "work").iterdir())


async def test_a_stored_result_whose_files_are_gone_is_computed_anew(
    tmp_path: Path, host: Host, results: Results
) -> None:
    paper = incoming(tmp_path, "one")
    (found,) = await chain(tmp_path, host, results, sample("Cover")).run([paper])
    kept = tmp_path / "vault.svg"
    move(found.files[0], kept)

    async def locate(sha256: str) -> Path | None:
        return kept if kept.exists() and sha256 == found.files[0].sha256 else None

    steps = chain(tmp_path, host, results, sample("Cover"), locate=locate)
    (again,) = await steps.run([paper])
    assert again.files == (replace(found.files[0], path=str(kept)),)
    kept.unlink()
    assert await steps.run([paper]) == [found]
    assert steps.counts["cover"] == ProcessorCounts(done=1, cached=1)


async def test_another_form_of_the_file_is_embedded_and_goes_on_through_the_chain(
    tmp_path: Path, host: Host, results: Results
) -> None:
    paper = incoming(tmp_path, "one two")
    for _ in range(2):  # the second time from stored results
        steps = chain(tmp_path, host, results, sample("Double"), sample("Shout"))
        (found,) = await steps.run([paper])
        assert found.embed is not None and text_of(found.embed) == "one twoone two"
        assert found.sections[0].text == "ONE TWOONE TWO!"
        assert paper.path.read_text() == "one two"


async def test_a_plugin_after_one_that_made_another_form_is_told_the_type_of_that_form(
    tmp_path: Path, host: Host, results: Results
) -> None:
    paper = incoming(tmp_path, "one")
    for counts in (ProcessorCounts(done=1), ProcessorCounts(cached=1)):
        steps = chain(tmp_path, host, results, sample("Page"), sample("Form"))
        (found,) = await steps.run([paper])
        assert found.fields["seen"] == "text/html .html 10 <p>one</p>"
        assert steps.counts["form"] == counts


async def test_what_several_plugins_write_into_a_file_takes_the_place_of_the_file_that_came(
    tmp_path: Path, host: Host, results: Results
) -> None:
    paper = incoming(tmp_path, "one")
    plugins = sample("Stamp", mark="!"), sample("Seal", mark="?"), sample("Form")
    for _ in range(2):  # the second time from stored results
        (found,) = await chain(tmp_path, host, results, *plugins).run([paper])
        assert found.body is not None and found.embed is None
        assert (text_of(found.body), found.body.made_of) == ("one!?", paper.sha256)
        assert (found.body.plugin, found.fields["seen"]) == ("seal", "text/plain .txt 5 one!?")
    # Of the file as it is now nothing is left to be changed.
    now = tmp_path / "staging" / "now.txt"
    now.write_text("one!?")
    changed = replace(paper, path=now, sha256=found.body.sha256, size=5)
    (found,) = await chain(tmp_path, host, results, sample("Seal", mark="?")).run([changed])
    assert found.body is None


async def test_what_a_plugin_writes_into_another_form_of_a_file_leaves_the_file_alone(
    tmp_path: Path, host: Host, results: Results
) -> None:
    paper = incoming(tmp_path, "one")
    (found,) = await chain(tmp_path, host, results, sample("Page"), sample("Seal")).run([paper])
    assert found.body is None and found.embed is not None
    assert text_of(found.embed) == "<p>one</p>!" and paper.path.read_text() == "one"


async def test_a_failure_stays_with_its_file_and_is_not_stored(tmp_path: Path, host: Host, results: Results) -> None:
    steps = chain(tmp_path, host, results, sample("Words"), sample("Picky"))
    good, bad, twin = await steps.run(
        [
            incoming(tmp_path, "fine"),
            incoming(tmp_path, "bad words", message=2),
            incoming(tmp_path, "bad words", message=3),
        ]
    )
    assert good.failures == ()
    assert [(f.plugin, f.item, f.reason) for f in bad.failures] == [("picky", "-5/2", "ValueError: bad words")]
    assert [f.item for f in twin.failures] == ["-5/3"]
    assert bad.fields == {"words": 2, "said_by": "words"}
    assert steps.counts["picky"] == ProcessorCounts(done=1, failed=2)
    assert len([key for key in results.rows if key.plugin == "picky"]) == 1


async def test_what_a_plugin_that_is_off_did_not_do_is_counted(tmp_path: Path, results: Results) -> None:
    async with Host(env=os.environ, limits=HostLimits(cpu=1, failures=2)) as host:
        steps = chain(tmp_path, host, results, sample("Picky"))
        await steps.run([incoming(tmp_path, f"bad {n}", message=n) for n in range(5)])
        assert steps.counts["picky"] == ProcessorCounts(failed=2, skipped=3)


async def test_what_an_interrupted_run_left_in_work_folders_is_swept(
    tmp_path: Path, host: Host, results: Results
) -> None:
    left = tmp_path / "staging" / "work" / "cover-1"
    left.mkdir(parents=True)
    (left / "old.svg").write_text("old")
    await chain(tmp_path, host, results, sample("Cover")).run([incoming(tmp_path, "one")])
    assert not left.exists()


async def test_a_stored_result_that_cannot_be_read_is_computed_anew(
    tmp_path: Path, host: Host, results: Results
) -> None:
    paper = incoming(tmp_path, "one")
    (found,) = await chain(tmp_path, host, results, sample("Words")).run([paper])
    results.rows = dict.fromkeys(results.rows, b'{"fields": 7}')
    assert await chain(tmp_path, host, results, sample("Words")).run([paper]) == [found]
