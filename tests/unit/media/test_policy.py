"""Which files are fetched."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tobs.media import ChatMediaPolicy, DownloadLimits, FetchDecision, MediaPolicy, decide_fetch
from tobs.media.policy import LimitReached, rank
from tobs.model import Chat, FileItem, FileKind, Message, RemoteFile, stories_of

REMOTE = RemoteFile("document", 1, 2, b"", 4)
MESSAGE = Message(chat_id=-5, id=1, date=0)


@pytest.mark.parametrize(
    ("item", "policy", "verdict"),
    [
        (FileItem("photo", size=9, remote=REMOTE), MediaPolicy(), FetchDecision("wanted")),
        (FileItem("photo", size=50_000_000, remote=REMOTE), MediaPolicy(), FetchDecision("wanted", rank=2)),
        (
            FileItem("video", size=50_100_000, remote=REMOTE),
            MediaPolicy(),
            FetchDecision("skipped", "50.1 MB is over the limit of 50 MB"),
        ),
        (
            FileItem("video", size=9, remote=REMOTE),
            MediaPolicy(kinds=frozenset({"photo"})),
            FetchDecision("skipped", "video is not among the wanted kinds"),
        ),
        (
            FileItem("photo", size=9, remote=REMOTE),
            MediaPolicy(kinds=frozenset()),
            FetchDecision("skipped", "media are not wanted"),
        ),
        (FileItem("photo", path="photos/1.jpg"), MediaPolicy(), FetchDecision("wanted")),
        (FileItem("photo"), MediaPolicy(), FetchDecision("unavailable", "the source does not have the file")),
        (FileItem("photo", ttl=10), MediaPolicy(), FetchDecision("unavailable", "it has destroyed itself")),
        (FileItem("photo", ttl=10, remote=REMOTE), MediaPolicy(), FetchDecision("wanted")),
    ],
)
def test_a_file_is_wanted_skipped_or_unavailable(item: FileItem, policy: MediaPolicy, verdict: FetchDecision) -> None:
    assert decide_fetch(MESSAGE, item, policy) == verdict


@pytest.mark.parametrize(
    ("item", "when"),
    [
        (FileItem("voice", size=300_000), 0),
        (FileItem("photo", size=300_000), 0),
        (FileItem("video", size=3_000_000), 1),
        (FileItem("audio"), 1),
        (FileItem("video", size=30_000_000), 2),
        (FileItem("document", size=30_000_000), 2),
    ],
)
def test_what_people_say_and_show_comes_before_large_files(item: FileItem, when: int) -> None:
    assert rank(item) == when


def test_a_run_fetches_what_its_budget_and_the_disk_allow() -> None:
    download_limits = DownloadLimits(budget=100_000, floor=1_000_000)
    assert download_limits.limit_reached(60_000, 40_000, 2_000_000) is None
    assert download_limits.limit_reached(60_001, 40_000, 2_000_000) == LimitReached("one run may fetch 0.1 MB")
    full = LimitReached("1 MB are free on the disk, of which 1 MB are to stay so", is_fault=True)
    assert download_limits.limit_reached(1, 0, 1_000_000) == full
    assert DownloadLimits().limit_reached(10**12, 10**12, 10**13) is None


CHANNEL = Chat(id=-1000000000005, kind="channel", title="Relay 7", username="relay7")
WISHES = (
    ChatMediaPolicy("@Relay7", kinds=frozenset({"photo"})),
    ChatMediaPolicy("-1000000000005", kinds=frozenset()),
    ChatMediaPolicy("relay 8", max_size=7),
    ChatMediaPolicy("me", kinds=frozenset({"voice"}), max_size=9),
)


@pytest.mark.parametrize(
    ("chat", "kinds", "max_size"),
    [
        (CHANNEL, {"photo"}, 5),
        (replace(CHANNEL, username=""), set(), 5),
        (replace(CHANNEL, id=stories_of(CHANNEL.id), username=""), set(), 5),
        (replace(CHANNEL, id=-7, username="", migrated_to=CHANNEL.id), set(), 5),
        (replace(CHANNEL, id=-8, title="Relay 8", username="other"), {"audio"}, 7),
        (replace(CHANNEL, id=-9, title="Relay 80", username="relay70"), {"audio"}, 5),
        (Chat(id=4, kind="saved", title="Saved Messages"), {"voice"}, 9),
    ],
)
def test_of_a_chat_is_wanted_what_the_first_wish_about_it_says(chat: Chat, kinds: set[FileKind], max_size: int) -> None:
    policy = MediaPolicy(frozenset({"audio"}), 5, WISHES)
    assert policy.of(chat) == MediaPolicy(frozenset(kinds), max_size)
    assert policy.has_policy_for(chat) == (chat.title != "Relay 80")
