"""Fetch details of a chat beside its messages: its picture, and the custom emoji among the reactions."""

from __future__ import annotations

import hashlib
from functools import partial

from loguru import logger

from tobs.errors import RequestRefused, TransferFailed
from tobs.media import MediaPolicy
from tobs.media.staging import StagedFile
from tobs.media.transfer import transfer
from tobs.model import FileItem, MessageKey
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.render.catalogue import catalogue
from tobs.sources import FetchFile
from tobs.telegram.facade import Telegram
from tobs.vault.layout import picture_candidates

#: Custom emoji in one request. Source: https://core.telegram.org/method/messages.getCustomEmojiDocuments
_EMOJI_BATCH = 200


async def fetch_picture(
    context: RunContext,
    archive_thread: ArchiveThread,
    fetch_file: FetchFile,
    chat_folder: ChatFolder,
    policy: MediaPolicy,
) -> None:
    """Download the picture of a chat and attach it, if it is new and photos are wanted. A failure is reported."""
    item, wanted = chat_folder.chat.photo, policy.of(chat_folder.chat)
    if item is None or item.remote is None or "photo" not in wanted.kinds or item.size > wanted.max_size:
        return
    if await archive_thread(_has_picture, context, chat_folder, item.remote.key):
        return
    key = MessageKey.of(context.account, chat_folder.chat.id, 0)
    part = context.staging / f"{hashlib.sha256(item.remote.key.encode()).hexdigest()[:32]}.part"
    try:
        file = await transfer(item, partial(fetch_file, item, key), part=part, staging=context.staging)
    except TransferFailed as error:
        if error.retryable:
            context.events.problem("media", f"picture of {chat_folder.chat.title}", str(error))
        return
    await archive_thread(_attach_picture, context, chat_folder, item, key, file)


def _has_picture(context: RunContext, chat_folder: ChatFolder, key: str) -> bool:
    """Report whether the picture is in the vault: as picture, or as the photo of a message that set it."""
    archive, chat_id = context.archive, chat_folder.chat.id
    known = archive.files.picture(chat_id)
    if known is not None and known[0] == key:
        return True
    sha256 = archive.media.attached_hash(key)
    if sha256 is None:
        return False
    archive.files.set_picture(chat_id, key, sha256)
    return True


def _attach_picture(
    context: RunContext, chat_folder: ChatFolder, item: FileItem, key: MessageKey, file: StagedFile
) -> None:
    archive, remote = context.archive, item.remote
    assert remote is not None
    label = catalogue(context.render_context.options.language)("name.picture")
    names = context.blobs.free_paths(picture_candidates(chat_folder.folder, label), file.sha256)
    row = archive.files.get(file.sha256) or archive.files.claim(file.sha256, key, names, size=file.size, mime=item.mime)
    if not context.blobs.put(file.path, file.sha256, row.path, mtime=chat_folder.chat.created):
        context.events.problem("media", row.path, "another file is at its path; it was left as it is")
    archive.files.set_picture(chat_folder.chat.id, remote.key, file.sha256)


async def fetch_reaction_emoji(context: RunContext, archive_thread: ArchiveThread, telegram: Telegram) -> bool:
    """Fetch the custom emoji that are not known; report whether there were any. Their notes become stale."""
    emoji = context.archive.emoji
    has_new = False
    while ids := await archive_thread(emoji.unknown, _EMOJI_BATCH):
        try:
            names = await telegram.custom_emoji(ids)
        except RequestRefused as refused:
            logger.info("Telegram refuses custom emoji: {}", refused)
            return has_new
        await archive_thread(emoji.put, {emoji_id: names.get(emoji_id, "") for emoji_id in ids})
        has_new = True
    return has_new
