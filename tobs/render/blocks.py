"""Rich messages: a tree of blocks to Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tobs.model import Message, RichBlock

if TYPE_CHECKING:
    from tobs.render.context import Context


def rich_markdown(rows: Sequence[RichBlock], context: Context, message: Message) -> str:
    """The blocks of a rich message as Markdown."""
    return "\n\n".join(part for part in (_flat(row, context) for row in rows) if part)


def _flat(block: RichBlock, context: Context) -> str:
    parts = [context.plain(block.text)] if block.text else []
    parts += [_flat(child, context) for child in block.children]
    return "".join(parts) if block.kind == "paragraph" else "\n\n".join(part for part in parts if part)
