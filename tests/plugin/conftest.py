"""Real plugin files, real worker processes, real files to work on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.box import Box, serving
from tobs.plugin import Item
from tobs.plugin.host import Host, HostLimits
from tobs.plugin.loading import load_class
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str, values: dict[str, Any] | None = None, *, file: str = "misbehaving.py") -> Processor:
    """A plugin class of the samples, ready to run."""
    ref = PluginRef(f"samples_{Path(file).stem}", name, str(SAMPLES / file))
    plugin = load_class(ref)
    return Processor.of(plugin(plugin.config_type(**(values or {}))), ref)


@pytest.fixture
def make_item(tmp_path: Path) -> Callable[[str], Item]:
    """A text file as an item; the text tells the sample plugins what to do."""
    numbers = iter(range(10**6))

    def make(text: str) -> Item:
        number = next(numbers)
        path = tmp_path / f"{number}.txt"
        path.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        work = tmp_path / "work" / str(number)
        return Item(path, "document", "text/plain", digest, len(text), work, label=f"-5/{number}")

    return make


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """A host that never gives a plugin up."""
    async with Host(env=os.environ, limits=HostLimits(cpu=1, failures=1000)) as host:
        yield host


@pytest.fixture
def box() -> Iterator[Box]:
    """A server that takes messages."""
    with serving() as server:
        yield server
