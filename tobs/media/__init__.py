"""The media chain: what is wanted, fetched, verified, processed. Works in a staging folder and returns files."""

from tobs.media.chain import Chain, Counts, Incoming, Processed, Produced
from tobs.media.transfer import Fetch, Transferred, transfer
from tobs.media.wants import Allowance, ChatMediaPolicy, MediaPolicy, Verdict, decide

__all__ = [
    "Allowance",
    "Chain",
    "ChatMediaPolicy",
    "Counts",
    "Fetch",
    "Incoming",
    "MediaPolicy",
    "Processed",
    "Produced",
    "Transferred",
    "Verdict",
    "decide",
    "transfer",
]
