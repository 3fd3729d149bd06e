"""Names of languages in Whisper: some servers return ``english``, others ``en``."""

from __future__ import annotations

import re

_CODE = re.compile(r"[a-z]{2,3}")

# Source: https://github.com/openai/whisper, whisper/tokenizer.py (names and codes of languages).
_NAMES = """\
afrikaans af albanian sq amharic am arabic ar armenian hy assamese as azerbaijani az bashkir ba basque eu belarusian be
bengali bn bosnian bs breton br bulgarian bg burmese my cantonese yue catalan ca chinese zh croatian hr czech cs
danish da dutch nl english en estonian et faroese fo finnish fi french fr galician gl georgian ka german de greek el
gujarati gu hausa ha hawaiian haw hebrew he hindi hi hungarian hu icelandic is indonesian id italian it japanese ja
javanese jw kannada kn kazakh kk khmer km korean ko lao lo latin la latvian lv lingala ln lithuanian lt
luxembourgish lb macedonian mk malagasy mg malay ms malayalam ml maltese mt maori mi marathi mr mongolian mn nepali ne
norwegian no nynorsk nn occitan oc pashto ps persian fa polish pl portuguese pt punjabi pa romanian ro russian ru
sanskrit sa serbian sr shona sn sindhi sd sinhala si slovak sk slovenian sl somali so spanish es sundanese su
swahili sw swedish sv tagalog tl tajik tg tamil ta tatar tt telugu te thai th tibetan bo turkish tr turkmen tk
ukrainian uk urdu ur uzbek uz vietnamese vi welsh cy yiddish yi yoruba yo
"""

_CODES = dict(re.findall(r"(\S+)\s+(\S+)", _NAMES))


def language_code(name: str) -> str:
    """Return the code of a language named by its code or its name; empty for anything else."""
    name = name.strip().lower()
    return _CODES.get(name) or (name if _CODE.fullmatch(name) else "")
