"""Texts of synthetic messages: sentences in several languages, in the worlds' markup."""

from __future__ import annotations

TITLES = (
    "Harbour log", "Night shift", "Field notes", "Reading list", "Signal report", "Kitchen table", "Weather desk",
    "Workshop", "Линия связи", "Заметки", "دفتر اليوم", "یادداشت", "יומן", "観測ノート", "读书笔记", "Carnet de route",
)  # fmt: skip

SENTENCES = (
    "The ferry left eleven minutes late and nobody on the pier seemed to mind.",
    "**Remember:** the gate code changes on the first of the month, and the old one opens nothing.",
    "We counted forty-two swifts over the mill tonight, __twice as many__ as last year. #birds",
    "If the pump stops again, run `systemctl restart pump.service` and wait for the green light.",
    "There is a longer write-up at https://example.org/notes/2024/05/pump?id=7&lang=en for whoever wants it.",
    "Thanks to @harbour_master for the photographs and to everyone who carried the chairs back.",
    "~~Tuesday~~ **Thursday** is the new date; the room stays the same. #meeting",
    "||The answer is nineteen.|| Do not read the spoiler before you have tried it yourself.",
    "[The second chapter](https://example.com/book/chapter-2) is shorter than the first, and better.",
    "<q>Any sufficiently slow tide is indistinguishable from a still sea.</q>",
    "Costs so far: 12.40 for bolts, 3.15 for paint, and one cake. $EUR",
    "Die Werkstatt ist ab neun Uhr offen, __Kaffee gibt es erst um zehn__. #werkstatt",
    "Wer den Schlüssel für den Schuppen hat, möge ihn bitte heute noch zurückbringen – danke!",
    "Straße, Größe, Übermut: ein kleiner Gruß an alle Umlaute. 🙂",
    "Le vent tourne au nord-ouest vers **minuit** ; gardez les fenêtres fermées. #météo",
    "On a retrouvé le carnet bleu sous l'escalier, intact, avec toutes ses pages.",
    "El tren de las siete llega a las ocho, como siempre. ¡Paciencia! #trenes",
    "Сегодня проверили антенну: **всё работает**, но кабель пора менять. #связь",
    "Кто завтра идёт на рынок? Нужны яблоки, нитки и одна __очень__ большая тыква.",
    "Подробности в записи https://example.org/ru/zapis/118, там же схема и список деталей.",
    "وصلت الرسالة بعد ثلاثة أيام، **لكنها وصلت كاملة**. #بريد",
    "الطقس غدًا معتدل، والبحر هادئ حتى المساء بإذن الله.",
    "הספר מחכה לך על המדף השלישי, __ליד החלון__. #ספרים",
    "امشب ساعت ۹ شب همه در حیاط جمع می‌شویم؛ **چای با ما**. #دورهمی",
    "今日は風が弱いので、**観測**は九時から始めます。#観測",
    "请把钥匙放回原处，谢谢大家的配合。",
    "오늘 회의는 세 시에 시작합니다. 늦지 마세요! #회의",
    "Family photo at noon: 👨‍👩‍👧‍👦 in the garden, 🏳️‍🌈 on the balcony, 👩🏽‍🚀 if the suit fits.",
    "Two short ones, one long one: that is the signal, and it has not changed since 1931.",
    "__A note on **method**__: we measure at the same minute each day, or we do not measure at all.",
    "The list: (1) rope, (2) lamp oil, (3) patience. Bring at least two of them.",
    "Math aside, 3*4*5 = 60 and a_b_c is a name, not a style. 100% [sic].",
    "Somebody left C:\\\\Users\\\\guest\\\\notes.txt open on the shared machine, please close it.",
    "Mail me at desk@example.org or call +44 20 7946 0958 before six.",
    "Rain from four, heavy from five, gone by eight. The old barometer agrees. ☔",
    "It took three of us to lift the stone and one of us to say we should put it back.",
    "| not | a | table | but it looks like one",
    "# not a heading either, just somebody who likes number signs",
    "> an arrow at the start of a line, because people quote by hand",
    "- [ ] and this is how a to-do looks when nobody presses a button",
)

CODE = (
    "```python\ndef tide(hour: float) -> float:\n    return 2.1 * sin(hour / 12.42 * tau)\n```",
    "```sh\nfor file in *.log; do\n  gzip -9 \"$file\"\ndone\n```",
    "```\n08:00  +0.4 m\n14:12  +2.3 m\n20:31  +0.3 m\n```",
)  # fmt: skip

NAMES = (
    ("Ada", "Lindqvist"), ("Bruno", "Okafor"), ("Chiara", "Weiss"), ("Dmitri", "Соколов"), ("Esra", "Yılmaz"),
    ("Farid", "حداد"), ("Greta", "Ångström"), ("Haruto", "佐藤"), ("Inés", "Moreno"), ("Jonas", ""),
    ("Katya", "Ильина"), ("Leila", "رضایی"), ("Mina", "Park"), ("Noam", "לוי"), ("Olu", "Adeyemi"), ("Pia 🌿", "Holm"),
)  # fmt: skip

HIDDEN_NAMES = ("A quiet reader", "Somebody", "Гость", "Deleted Account")

REACTIONS = ("👍", "❤", "🔥", "👏", "😁", "🤔", "🎉", "🙏")
