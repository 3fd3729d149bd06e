"""Why a file is not here is told in the language of the vault."""

from __future__ import annotations

import pytest

from tobs.media.policy import MediaPolicy, decide_fetch
from tobs.model import FileItem, Message, RemoteFile
from tobs.render.catalogue import catalogue
from tobs.render.reasons import reason_markdown
from tobs.telegram.net.rpc_errors import RPC_ERRORS

_MESSAGE = Message(chat_id=5, id=1, date=0)
_REMOTE = RemoteFile("photo", 7, 0, b"", 2)
_PHOTO = FileItem("photo", size=60_000_000, remote=_REMOTE)


def _decided() -> list[str]:
    """Every reason for which a file is not asked for."""
    verdicts = [
        decide_fetch(_MESSAGE, FileItem("photo", elsewhere=True), MediaPolicy()),
        decide_fetch(_MESSAGE, FileItem("photo", ttl=5), MediaPolicy()),
        decide_fetch(_MESSAGE, FileItem("photo"), MediaPolicy()),
        decide_fetch(_MESSAGE, _PHOTO, MediaPolicy(kinds=frozenset({"voice"}))),
        decide_fetch(_MESSAGE, _PHOTO, MediaPolicy(kinds=frozenset())),
        decide_fetch(_MESSAGE, _PHOTO, MediaPolicy()),
    ]
    return [verdict.reason for verdict in verdicts]


@pytest.mark.parametrize(
    "reason", [*_decided(), "it was deleted from the vault", RPC_ERRORS["LOCATION_INVALID"].message]
)
def test_a_reason_of_tobs_is_told_in_each_language(reason: str) -> None:
    english, german = (reason_markdown(reason, catalogue(language)) for language in ("en", "de"))
    assert english != german
    assert not english.endswith(".")


def test_what_somebody_else_said_stays_and_is_escaped() -> None:
    assert reason_markdown("disk [[full]]", catalogue("de")) == "disk \\[\\[full\\]\\]"
