"""Names of tags in each audio format, and the property of each.

Sources: https://mutagen.readthedocs.io (formats), https://id3.org/id3v2.4.0-frames,
https://xiph.org/vorbis/doc/v-comment.html
"""

from __future__ import annotations

#: ID3 frames (MP3, WAV, AIFF, DSF, TrueAudio), newest first.
ID3 = {
    "title": ("TIT2",),
    "performer": ("TPE1", "TPE2"),
    "album": ("TALB",),
    "genre": ("TCON",),
    "year": ("TDRC", "TDOR", "TYER"),
    "track": ("TRCK",),
}

#: iTunes atoms (M4A, M4B, MP4).
MP4 = {
    "title": ("\xa9nam",),
    "performer": ("\xa9ART", "aART"),
    "album": ("\xa9alb",),
    "genre": ("\xa9gen",),
    "year": ("\xa9day",),
    "track": ("trkn",),
}

#: Windows Media.
ASF = {
    "title": ("title",),
    "performer": ("author", "wm/albumartist"),
    "album": ("wm/albumtitle",),
    "genre": ("wm/genre",),
    "year": ("wm/year",),
    "track": ("wm/tracknumber", "wm/track"),
}

#: Vorbis comments (Ogg Vorbis, Opus, FLAC, Speex) and APEv2 (Monkey's Audio, WavPack, Musepack).
PLAIN = {
    "title": ("title",),
    "performer": ("artist", "albumartist", "album artist", "performer"),
    "album": ("album",),
    "genre": ("genre",),
    "year": ("date", "year", "originaldate"),
    "track": ("tracknumber", "track"),
}
