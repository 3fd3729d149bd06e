"""Which plugins are found, and which of them may run."""

from __future__ import annotations

import ast
import json
import os
import py_compile
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tobs.config.trust import TrustStore, content_hash
from tobs.errors import ConfigError
from tobs.pipeline.context.report import start_report
from tobs.pipeline.session.run_session import report_plugins
from tobs.plugin import Item
from tobs.plugin.catalogue import Catalogue, PluginInfo, VaultPlugins, load_plugins
from tobs.plugin.host import Done, Host

SHIPPED = Path(__file__).parents[2] / "plugins" / "tobs_plugins"

#: The shipped plugins, in the order they run.
CHAIN = ["tags", "cover", "transcode", "text", "waveform"]

HELLO = """
from tobs.plugin import Item, NoConfig, Plugin, Result

class Hello(Plugin[NoConfig]):
    name = "hello"
    version = "1"
    handles = frozenset({"document"})
    band = "finish"

    def process(self, item: Item) -> Result | None:
        return Result(fields={"greeting": GREETING})

GREETING = "hello"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "vault" / ".tobs" / "plugins"
    path.mkdir(parents=True)
    return path


def load(folder: Path, *, trusted: bool = True, **more: object) -> Catalogue:
    private = folder.parents[2] / "private"
    return load_plugins(vault=VaultPlugins(folder, private, lambda _: trusted), **more)


def info(catalogue: Catalogue, name: str) -> PluginInfo:
    return next(plugin for plugin in catalogue.plugins if plugin.name == name)


async def greet(catalogue: Catalogue, item: Item) -> object:
    (processor,) = [p for p in catalogue.processors if p.name == "hello"]
    async with Host(env=os.environ) as host:
        (reply,) = await host.run(processor, [item])
    assert isinstance(reply, Done) and reply.result, reply
    return reply.result.fields["greeting"]


def test_the_shipped_plugins_are_ready() -> None:
    catalogue = load_plugins()
    tags = info(catalogue, "tags")
    assert (tags.state, tags.origin, tags.order, tags.hooks) == ("ready", "tobs", 1, ("process",))
    assert [processor.name for processor in catalogue.processors] == CHAIN


def test_a_plugin_that_lacks_its_package_is_listed_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # what Python itself takes for: not there
    catalogue = load_plugins()
    assert not {"cover", "waveform"} & {processor.name for processor in catalogue.processors}
    for name in ("cover", "waveform"):
        missing = info(catalogue, name)
        assert (missing.state, missing.order) == ("missing", 0)
        assert missing.reason == "the package PyAV is missing; pip install av pillow"

    report = start_report("run", "export", ["@x"], lambda: 0.0)
    report_plugins(report.events, catalogue, {})
    assert {("cover", "missing"), ("waveform", "missing")} <= {
        (idle.name, idle.state) for idle in report.report.plugins
    }
    assert report.finish().exit_code == 0, "what was not asked for is no fault"


def test_every_shipped_plugin_says_what_it_does_and_has_a_page() -> None:
    for plugin in load_plugins().plugins:
        assert plugin.summary
        assert all(option.description for option in plugin.options), plugin.name
        page = (SHIPPED / plugin.name.replace("-", "_") / "README.md").read_text(encoding="utf-8")
        rows = {row.split("|")[1].strip(" `"): row.split("|")[2] for row in page.splitlines() if row.startswith("| `")}
        assert set(rows) == {option.name for option in plugin.options}, plugin.name
        for option in plugin.options:
            told = option.default if isinstance(option.default, str) else json.dumps(option.default)
            assert rows[option.name].strip(" `") == told, option.name


def test_a_plugin_can_be_switched_off() -> None:
    catalogue = load_plugins(off=["tags"])
    assert info(catalogue, "tags").state == "off"
    assert [processor.name for processor in catalogue.processors] == CHAIN[1:]


def test_settings_reach_their_plugin_and_wrong_ones_are_told() -> None:
    catalogue = load_plugins(settings={"tags": {"max_length": "50"}})
    tags = next(processor for processor in catalogue.processors if processor.name == "tags")
    assert tags.plugin.config.max_length == 50
    with pytest.raises(ConfigError, match="plugin tags is wrong: max_length: expected int >= 10"):
        load_plugins(settings={"tags": {"max_length": 3}})


async def test_a_trusted_plugin_of_the_vault_runs(folder: Path, make_item: Callable[[str], Item]) -> None:
    (folder / "hello.py").write_text(HELLO)
    catalogue = load(folder)
    assert (info(catalogue, "hello").origin, info(catalogue, "hello").state) == ("vault", "ready")
    assert await greet(catalogue, make_item("x")) == "hello"


async def test_a_package_of_the_vault_runs(folder: Path, make_item: Callable[[str], Item]) -> None:
    (folder / "hello").mkdir()
    (folder / "hello" / "__init__.py").write_text("from .plugin import Hello as Hello\n")
    (folder / "hello" / "plugin.py").write_text(
        "from .words import GREETING\n" + HELLO.replace('\nGREETING = "hello"', "")
    )
    (folder / "hello" / "words.py").write_text("GREETING = 'good day'\n")
    assert await greet(load(folder), make_item("x")) == "good day"


def test_an_untrusted_plugin_is_listed_and_never_imported(folder: Path) -> None:
    (folder / "evil.py").write_text(f"open({str(folder / 'was-run')!r}, 'w').close()\n{HELLO}")
    catalogue = load(folder, trusted=False)
    assert info(catalogue, "evil").state == "untrusted"
    assert "tobs plugins trust evil" in info(catalogue, "evil").reason
    assert not (folder / "was-run").exists()
    assert not list((folder.parents[2] / "private").iterdir())


def test_a_changed_plugin_is_untrusted_again(folder: Path, tmp_path: Path) -> None:
    plugin = folder / "hello.py"
    plugin.write_text(HELLO)
    store = TrustStore(tmp_path)
    places = VaultPlugins(folder, tmp_path / "private", store.trusts)
    assert info(load_plugins(vault=places), "hello").state == "untrusted"
    store.add(plugin)
    assert info(load_plugins(vault=places), "hello").state == "ready"
    plugin.write_text(HELLO + "# more\n")
    assert info(load_plugins(vault=places), "hello").state == "untrusted"


async def test_what_runs_is_what_was_trusted_even_when_the_vault_changes(
    folder: Path, make_item: Callable[[str], Item]
) -> None:
    (folder / "hello.py").write_text(HELLO)
    catalogue = load(folder)
    (folder / "hello.py").write_text(HELLO.replace('"hello"\n', '"gotcha"\n'))
    assert await greet(catalogue, make_item("x")) == "hello"


async def test_bytecode_of_the_vault_is_not_run(folder: Path, make_item: Callable[[str], Item]) -> None:
    package = folder / "hello"
    package.mkdir()
    source = package / "__init__.py"
    source.write_text(HELLO.replace('"hello"\n', '"gotcha"\n'))
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert list((package / "__pycache__").iterdir())
    source.write_text(HELLO)
    trusted = content_hash(package)
    places = VaultPlugins(folder, folder.parents[2] / "private", lambda path: content_hash(path) == trusted)
    assert await greet(load_plugins(vault=places), make_item("x")) == "hello"


def test_a_plugin_with_a_link_in_it_is_not_even_copied(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(HELLO)
    (folder / "hello.py").symlink_to(tmp_path / "elsewhere.py")
    found = info(load(folder), "hello")
    assert (found.state, found.reason) == (
        "untrusted",
        "it holds a link or a special file, so what runs could change unseen",
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(1)", "SystemExit: 1"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("x = 1", "NoPlugin: it defines no plugin with a name"),
        (HELLO.replace('version = "1"', ""), "it has no version"),
        (HELLO.replace('version = "1"', 'version = "1"; api = 2'), "it needs version 2 of the plugin interface"),
        (HELLO.replace('"finish"', '"last"'), "its band is 'last'; allowed are read, convert, describe, finish"),
        (HELLO.replace('{"document"}', '{"paper"}'), "it handles ['paper']; kinds are photo, video"),
        (HELLO.replace('name = "hello"', "name = 5"), "its declarations are malformed"),
        (HELLO.replace("Plugin[NoConfig]", "Plugin[int]"), "its configuration type is no msgspec.Struct"),
        (
            HELLO.replace("    def process", "    def available(self): return 1 / 0\n    def process"),
            "ZeroDivisionError",
        ),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_the_others_run(folder: Path, source: str, reason: str) -> None:
    (folder / "broken.py").write_text(source)
    catalogue = load(folder)
    (broken,) = [plugin for plugin in catalogue.plugins if plugin.origin == "vault"]
    assert broken.state == "broken"
    assert reason in broken.reason
    assert [processor.name for processor in catalogue.processors] == CHAIN


def test_a_broken_plugin_beside_a_good_one_in_its_file_is_listed_by_its_name(folder: Path) -> None:
    future = HELLO.replace("class Hello", "class Future").replace('name = "hello"', 'name = "future"; api = 2')
    (folder / "both.py").write_text(HELLO + future)
    catalogue = load(folder)
    assert (info(catalogue, "hello").state, info(catalogue, "future").state) == ("ready", "broken")
    assert "needs version 2 of the plugin interface" in info(catalogue, "future").reason


def test_a_plugin_that_lacks_something_says_what_and_how_to_get_it(folder: Path) -> None:
    body = "    def available(self): return Requirement('the model tiny', 'set its path')\n\n    def process"
    (folder / "hello.py").write_text(
        HELLO.replace("    def process", body).replace("Result\n", "Requirement, Result\n", 1)
    )
    found = info(load(folder), "hello")
    assert (found.state, found.reason) == ("missing", "the model tiny is missing; set its path")


def test_a_vault_cannot_take_the_name_of_a_shipped_plugin(folder: Path) -> None:
    (folder / "mine.py").write_text(HELLO.replace('"hello"', '"tags"', 1))
    catalogue = load(folder)
    assert info(catalogue, "tags").origin == "tobs"
    (mine,) = [plugin for plugin in catalogue.plugins if plugin.origin == "vault"]
    assert (mine.state, mine.reason) == ("broken", "the name is taken by tobs_plugins.tags")


def test_other_things_in_the_folder_are_left_alone(folder: Path) -> None:
    (folder / "README.md").write_text("mine")
    (folder / "notes").mkdir()
    assert all(plugin.origin == "tobs" for plugin in load(folder).plugins)


def test_a_vault_without_plugins_is_fine(folder: Path) -> None:
    shutil.rmtree(folder)
    assert load(folder).plugins


@pytest.mark.parametrize("source", sorted(SHIPPED.rglob("*.py")), ids=lambda path: str(path.relative_to(SHIPPED)))
def test_a_shipped_plugin_knows_of_tobs_what_every_author_may_know(source: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert {name for name in imported if name.split(".")[0] == "tobs"} <= {"tobs.plugin"}
    own = ".".join(("tobs_plugins", source.relative_to(SHIPPED).parts[0]))
    assert all(name.startswith(own) for name in imported if name.startswith("tobs_plugins"))
