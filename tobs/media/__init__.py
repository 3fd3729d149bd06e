"""Media: policy, transfer and processors. Works in a staging folder and returns files."""

from tobs.media.chain import Chain, Incoming, Processed, Produced
from tobs.media.policy import ChatMediaPolicy, DownloadLimits, FetchDecision, MediaPolicy, decide_fetch
from tobs.media.staging import StagedFile
from tobs.media.transfer import Fetch, transfer

__all__ = [
    "Chain",
    "ChatMediaPolicy",
    "DownloadLimits",
    "Fetch",
    "FetchDecision",
    "Incoming",
    "MediaPolicy",
    "Processed",
    "Produced",
    "StagedFile",
    "decide_fetch",
    "transfer",
]
