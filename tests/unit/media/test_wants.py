"""Which files are fetched."""

from __future__ import annotations

import pytest

from tobs.media import MediaPolicy, Verdict, decide
from tobs.model import FileItem, Message, RemoteFile

REMOTE = RemoteFile("document", 1, 2, b"", 4)
MESSAGE = Message(chat_id=-5, id=1, date=0)


@pytest.mark.parametrize(
    ("item", "policy", "verdict"),
    [
        (FileItem("photo", size=9, remote=REMOTE), MediaPolicy(), Verdict("wanted")),
        (FileItem("photo", size=50_000_000, remote=REMOTE), MediaPolicy(), Verdict("wanted")),
        (
            FileItem("video", size=50_100_000, remote=REMOTE),
            MediaPolicy(),
            Verdict("skipped", "50.1 MB is over the limit of 50 MB"),
        ),
        (
            FileItem("video", size=9, remote=REMOTE),
            MediaPolicy(kinds=frozenset({"photo"})),
            Verdict("skipped", "video is not among the wanted kinds"),
        ),
        (
            FileItem("photo", size=9, remote=REMOTE),
            MediaPolicy(kinds=frozenset()),
            Verdict("skipped", "media are not wanted"),
        ),
        (FileItem("photo", path="photos/1.jpg"), MediaPolicy(), Verdict("wanted")),
        (FileItem("photo"), MediaPolicy(), Verdict("unavailable", "the source does not have the file")),
        (FileItem("photo", ttl=10), MediaPolicy(), Verdict("unavailable", "it has destroyed itself")),
        (FileItem("photo", ttl=10, remote=REMOTE), MediaPolicy(), Verdict("wanted")),
    ],
)
def test_a_file_is_wanted_skipped_or_unavailable(item: FileItem, policy: MediaPolicy, verdict: Verdict) -> None:
    assert decide(MESSAGE, item, policy) == verdict
