"""Conversion of Telegram's TL objects into the model, without I/O.

No constructor is lost: one without a type of its own becomes ``Action`` or ``UnknownMedia`` with plain fields, and the
raw object stays in the archive.
"""

from tobs.telegram.convert.basics import marked
from tobs.telegram.convert.media import media_of
from tobs.telegram.convert.messages import message_of
from tobs.telegram.convert.peers import chat_of, person_of, record_of

__all__ = ["chat_of", "marked", "media_of", "message_of", "person_of", "record_of"]
