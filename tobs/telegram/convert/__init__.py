"""Telegram's TL objects into the model. Pure; no constructor is lost: what has no place of its own is walked
generically into ``Action`` or ``UnknownMedia``, and the raw object stays in the archive."""

from tobs.telegram.convert.basics import marked
from tobs.telegram.convert.media import media_of
from tobs.telegram.convert.messages import message_of
from tobs.telegram.convert.peers import chat_of, person_of, record_of

__all__ = ["chat_of", "marked", "media_of", "message_of", "person_of", "record_of"]
