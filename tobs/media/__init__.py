"""The media chain: what is wanted, fetched, verified, processed. Works in a staging folder and returns files."""

from tobs.media.chain import Chain, Counts, Incoming, Processed, Produced
from tobs.media.transfer import Fetch, Transferred, transfer
from tobs.media.wants import Allowance, ChatWish, MediaPolicy, Verdict, decide

__all__ = [
    "Allowance",
    "Chain",
    "ChatWish",
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
