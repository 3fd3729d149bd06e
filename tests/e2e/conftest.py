"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.harness import Served
from tests.e2e.in_process import InProcess, serve_in_process, serving


class Serve(Protocol):
    """Serves a world; the person is logged in unless told otherwise."""

    def __call__(self, world: str, *options: str, login: bool = True) -> Served: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve worlds that end with the test."""
    with ExitStack() as stack:
        count = 0

        def start(world: str, *options: str, login: bool = True) -> Served:
            nonlocal count
            count += 1
            ready, home = stack.enter_context(serving(tmp_path / f"sandbox{count}", world, *options))
            if login:
                InProcess(ready, home).login()
            return Served(ready, home)

        yield start


class ServeInProcess(Protocol):
    """Serves a world in this process, with its person logged in."""

    def __call__(self, world: str) -> InProcess: ...


@pytest.fixture
def in_process_world(tmp_path: Path) -> Iterator[ServeInProcess]:
    """Serve worlds that end with the test; commands run in this process."""
    with ExitStack() as stack:
        count = iter(range(1, 100))
        yield lambda world: stack.enter_context(serve_in_process(tmp_path / f"sandbox{next(count)}", world))
