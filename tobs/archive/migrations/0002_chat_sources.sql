-- The source that a chat came from: the name of one in tobs.sources.registry.

ALTER TABLE chats ADD COLUMN source TEXT NOT NULL DEFAULT 'telegram';

-- What nothing but exports of Telegram Desktop told of.
UPDATE chats SET source = 'desktop'
    WHERE EXISTS (SELECT 1 FROM raw_pages WHERE source = 'desktop')
    AND EXISTS (SELECT 1 FROM message_rows m WHERE m.account = chats.account AND m.chat_id = chats.id)
    AND NOT EXISTS (
        SELECT 1 FROM message_rows m LEFT JOIN raw_pages r ON r.id = m.raw_page
        WHERE m.account = chats.account AND m.chat_id = chats.id AND r.source IS NOT 'desktop'
    );

-- The inbox, the one chat that had messages of no chat of Telegram: user 1 does not exist.
UPDATE chats SET source = 'inbox' WHERE id = 1;
