"""Rendering of model structs to Markdown. Pure: no files, no network, no clock, no environment.

The only exception is ``builtin``, which reads the templates shipped with tobs.
"""

from tobs.render.builtin import builtin_templates, load_builtin
from tobs.render.frontmatter import managed_hash, stored_hash
from tobs.render.markdown import MarkdownOptions, hashtags, to_markdown
from tobs.render.notes import render_message
from tobs.render.overview import render_audio, render_chat, render_person
from tobs.render.period import PeriodNote, block_anchor, render_period
from tobs.render.templates import Templates
from tobs.render.views import (
    Attachment,
    AudioItem,
    ChatStats,
    Links,
    PersonStats,
    Rendered,
    RenderOptions,
    Topic,
    Year,
)

__all__ = [
    "Attachment", "AudioItem", "ChatStats", "Links", "MarkdownOptions", "PeriodNote", "PersonStats",
    "RenderOptions", "Rendered", "Templates", "Topic", "Year", "block_anchor", "builtin_templates", "hashtags",
    "load_builtin", "managed_hash", "render_audio", "render_chat", "render_message", "render_period",
    "render_person", "stored_hash", "to_markdown",
]  # fmt: skip
