"""Options that several commands share, and the requests they become."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.make_reference import commands
from tobs.cli.options import ChatGroup, FetchGroup, MessageGroup
from tobs.errors import UsageError
from tobs.model.requests import ChatSelection, FetchOptions, MessageFilter

BY_NAME: dict[str, Any] = dict(commands())


def options(command: str) -> dict[str, tuple[Any, ...]]:
    """Each option of a command with what --help says of it."""
    return {each.name: (each.opts, each.help, each.metavar, each.default) for each in BY_NAME[command].params}


def test_export_and_plan_have_the_same_options_but_for_a_few_of_an_export() -> None:
    export, plan = options("export"), options("plan")
    assert {name: export[name] for name in plan} == plan
    own = {"join", "media_later", "media_budget", "bandwidth", "strict", "accept_missing"}
    assert set(export) - set(plan) == own


@pytest.mark.parametrize("name", ["media_budget", "bandwidth", "strict"])
def test_export_and_process_share_the_options_of_a_download(name: str) -> None:
    assert options("export")[name] == options("process")[name]


def test_every_command_that_counts_missing_notes_says_it_in_the_same_words() -> None:
    every = [options(name)["accept_missing"] for name in BY_NAME if "accept_missing" in options(name)]
    assert len(every) == 6 and every.count(every[0]) == 6


def test_every_field_of_a_selection_and_a_filter_is_an_option() -> None:
    assert set(MessageGroup.__struct_fields__) == set(MessageFilter.__struct_fields__)
    assert {*ChatGroup.__struct_fields__, "targets", "join"} == set(ChatSelection.__struct_fields__)
    fetch = {*FetchGroup.__struct_fields__, "takeout", "media_budget", "bandwidth"} - {"no_takeout", "no_media"}
    assert fetch == set(FetchOptions.__struct_fields__)


def test_what_is_given_reaches_the_request() -> None:
    group = MessageGroup(since="7d", min_id=3, senders=["@ada", "@bo"], topics=[4], where="views > 1")
    assert group.request() == MessageFilter(
        since="7d", min_id=3, senders=("@ada", "@bo"), topics=(4,), where="views > 1"
    )
    chats = ChatGroup(all=True, exclude=["folder:Work"], comments=False)
    assert chats.request(["@a"], join=True) == ChatSelection(
        targets=("@a",), all=True, exclude=("folder:Work",), comments=False, join=True
    )
    fetch = FetchGroup(workers=3, no_media=True, no_takeout=True)
    assert fetch.request(bandwidth="1MB/s") == FetchOptions(workers=3, media="none", takeout=False, bandwidth="1MB/s")
    assert msgspec.structs.astuple(FetchGroup().request()) == (None,) * 8


def test_media_and_no_media_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        FetchGroup(media="photo", no_media=True).request()
