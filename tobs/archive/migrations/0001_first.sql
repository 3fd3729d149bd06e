-- The first schema. Times are Unix seconds, peer ids are marked. `account` is the account that sees a chat,
-- or 0 where ids are everybody's (channels and supergroups): see tobs.model.MessageKey.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE chats (
    account INTEGER NOT NULL,
    id INTEGER NOT NULL,
    title TEXT NOT NULL,
    username TEXT NOT NULL,
    model BLOB NOT NULL,                -- tobs.model.Chat as JSON
    PRIMARY KEY (account, id)
) WITHOUT ROWID;

-- The topics of forums.
CREATE TABLE topics (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    id INTEGER NOT NULL,                -- of the message that began it; 1 is the general topic
    title TEXT NOT NULL,
    former TEXT NOT NULL,               -- earlier titles, oldest first, a JSON list
    model BLOB NOT NULL,                -- tobs.model.Topic as JSON
    PRIMARY KEY (account, chat_id, id)
) WITHOUT ROWID;

-- Posts of channels whose comments are known: the copy of the post in the discussion group that they answer.
CREATE TABLE threads (
    channel_id INTEGER NOT NULL,
    post_id INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,           -- the discussion group
    root_id INTEGER NOT NULL,           -- the copy in it
    counted INTEGER NOT NULL DEFAULT 0, -- comments by Telegram's count when they were last asked for by themselves
    walked INTEGER NOT NULL DEFAULT 0,  -- the newest of them then
    PRIMARY KEY (channel_id, post_id)
) WITHOUT ROWID;
CREATE INDEX threads_root ON threads (chat_id, root_id);

CREATE TABLE comments (
    chat_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    post_id INTEGER NOT NULL,
    PRIMARY KEY (chat_id, id)
) WITHOUT ROWID;
CREATE INDEX comments_post ON comments (channel_id, post_id, id);

CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    username TEXT NOT NULL,
    model BLOB NOT NULL                 -- tobs.model.Person as JSON
);

CREATE INDEX people_username ON people (username COLLATE NOCASE) WHERE username <> '';

-- Notes of the owner about people: a user name in lower case or an id as text, and the note's path.
CREATE TABLE own_people (
    name TEXT PRIMARY KEY,
    path TEXT NOT NULL
) WITHOUT ROWID;

-- What a chat or person was called before.
CREATE TABLE former_names (
    peer_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    until REAL NOT NULL,                -- when another name was first seen
    PRIMARY KEY (peer_id, name)
) WITHOUT ROWID;

-- How the messages of a chat are laid out in notes: decided once, changed only when asked to.
CREATE TABLE chat_layouts (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    layout TEXT NOT NULL,               -- message, day, month
    reason TEXT NOT NULL,               -- why: a sentence for the plan
    PRIMARY KEY (account, chat_id)
) WITHOUT ROWID;

-- Access hashes are an account's own; `min` ones open only what the peer showed itself in.
CREATE TABLE peers (
    account INTEGER NOT NULL,
    id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,       -- 0: not known, or none needed
    username TEXT NOT NULL,             -- lower case, without @
    title TEXT NOT NULL,
    min INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX peers_username ON peers (account, username) WHERE username <> '';

-- One history response as Telegram sent it: TL bytes of a layer, zlib.
CREATE TABLE raw_pages (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    layer INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    tobs_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,                 -- message, day, month, chat, person, audio ...
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,           -- 0 where the note belongs to no chat
    message_id INTEGER NOT NULL,        -- the first message of the note, 0 where it has none
    period TEXT NOT NULL DEFAULT '',    -- the day or month of a note that has all messages of one
    path TEXT NOT NULL,                 -- inside the vault, with forward slashes
    state TEXT NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'written', 'deleted', 'retired')),
    revision INTEGER NOT NULL DEFAULT 1,        -- grows with every change of what the note shows
    written_revision INTEGER NOT NULL DEFAULT 0,
    text_hash TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL DEFAULT 0,
    mtime_ns INTEGER NOT NULL DEFAULT 0,
    base BLOB,                          -- the text last written, zlib
    made_in INTEGER,                    -- the run that wrote it first
    behind INTEGER NOT NULL DEFAULT 0   -- 1: counters of its messages came since, which it need not show
);
CREATE INDEX notes_behind ON notes (id) WHERE behind = 1;
CREATE INDEX notes_stale ON notes (chat_id, account, message_id, id)
    WHERE revision <> written_revision AND state <> 'deleted' AND state <> 'retired';

-- Where messages were shown before their chat was laid out anew, until the notes of the old layout are gone.
CREATE TABLE moved_messages (
    message_row INTEGER PRIMARY KEY REFERENCES message_rows (row),
    note_id INTEGER NOT NULL REFERENCES notes (id)
);
CREATE INDEX moved_messages_note ON moved_messages (note_id);

-- Every path tobs gave away, folded so that no two differ only in case or composition.
CREATE TABLE paths (
    key TEXT PRIMARY KEY,
    owner TEXT NOT NULL                 -- the tobs_id of a note or the SHA-256 of a file
) WITHOUT ROWID;

CREATE TABLE message_rows (
    row INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    date INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender_id INTEGER NOT NULL,
    album_id INTEGER NOT NULL,
    topic_id INTEGER NOT NULL,
    edited INTEGER NOT NULL,
    deleted_at REAL,
    hidden INTEGER NOT NULL DEFAULT 0,  -- a plugin wants no note of it
    note_id INTEGER REFERENCES notes (id),
    block_id INTEGER,                   -- the message whose note or block it is part of (album); NULL: its own
    raw_page INTEGER REFERENCES raw_pages (id),
    raw_index INTEGER,                  -- which message of the raw page
    state BLOB NOT NULL,                -- tobs.model.message_state
    model BLOB NOT NULL,                -- tobs.model.Message as JSON
    UNIQUE (account, chat_id, id)
);
CREATE INDEX message_rows_topic ON message_rows (chat_id, topic_id, id) WHERE topic_id <> 0 AND deleted_at IS NULL;
-- NULL first: what is to be planned stands in id order, then the messages of each note.
CREATE INDEX message_rows_note ON message_rows (note_id, account, chat_id, id);
-- What somebody sent, by date; a channel's own posts are not among it.
CREATE INDEX message_rows_sender ON message_rows (sender_id, date, chat_id, id)
    WHERE sender_id <> chat_id AND sender_id <> 0 AND deleted_at IS NULL;
-- What the note of a chat lists: service messages that told its titles, and what is pinned ("pinned":true in the JSON; a
-- quote within a text is escaped there).
CREATE INDEX message_rows_service ON message_rows (account, chat_id, id) WHERE kind = 'service';
CREATE INDEX message_rows_pinned ON message_rows (account, chat_id, id)
    WHERE instr(model, x'2270696E6E6564223A74727565') > 0;
-- updateDeleteMessages names no chat.
CREATE INDEX message_rows_account ON message_rows (account, id) WHERE account <> 0;
CREATE INDEX message_rows_deleted ON message_rows (account, chat_id) WHERE deleted_at IS NOT NULL;

-- One row a live message: for readers from outside.
CREATE VIEW messages AS
    SELECT account, chat_id, id, date, kind, sender_id, album_id, topic_id, edited, note_id,
           CAST(model AS TEXT) AS model
    FROM message_rows
    WHERE deleted_at IS NULL;

-- What an edit replaced, oldest first by id.
CREATE TABLE message_versions (
    id INTEGER PRIMARY KEY,
    message_row INTEGER NOT NULL REFERENCES message_rows (row),
    replaced_at REAL NOT NULL,
    raw_page INTEGER REFERENCES raw_pages (id),
    raw_index INTEGER,
    model BLOB NOT NULL
);
CREATE INDEX message_versions_row ON message_versions (message_row);

-- Up to where the changes of a box are known: a channel's, or (chat_id 0) that of all other chats of an account.
CREATE TABLE update_states (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    pts INTEGER NOT NULL,
    date INTEGER NOT NULL,
    qts INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id)
) WITHOUT ROWID;

-- Chats that are kept in step: what has an id from `low` on is wanted, what has one above `top` comes as a change.
-- Messages up to `look_back` may have been edited without Telegram telling: they have still to be fetched again.
-- `news`: what came that notes may not show yet (1: messages, 2: the chat itself is another; added up).
CREATE TABLE followed (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    low INTEGER NOT NULL,
    top INTEGER NOT NULL,
    look_back INTEGER NOT NULL DEFAULT 0,
    news INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, chat_id)
) WITHOUT ROWID;

-- Ids whose content is settled: merged, never touching intervals, both ends included.
CREATE TABLE coverage (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id, low)
) WITHOUT ROWID;

-- The same for topics of forums that were fetched by themselves: of these ids every message of the topic is here.
CREATE TABLE topic_coverage (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    topic_id INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id, topic_id, low)
) WITHOUT ROWID;

CREATE TABLE unreadable (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (account, chat_id, id)
) WITHOUT ROWID;

-- A Bloom filter over the ids of a chat that holds every row up to `covers`.
CREATE TABLE blooms (
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    covers INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (account, chat_id)
);

CREATE TABLE media (
    id INTEGER PRIMARY KEY,
    message_row INTEGER NOT NULL REFERENCES message_rows (row),
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,           -- which file of the message, from 0
    date INTEGER NOT NULL,
    key TEXT NOT NULL,                  -- tobs.model.RemoteFile.key: the same key, the same bytes
    rank INTEGER NOT NULL DEFAULT 0,    -- lower ones are fetched first
    state TEXT NOT NULL
        CHECK (state IN ('wanted', 'staged', 'placed', 'failed', 'unavailable', 'skipped', 'gone')),
    reason TEXT NOT NULL DEFAULT '',
    retryable INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    part_offset INTEGER NOT NULL DEFAULT 0,     -- bytes of the part file known to be right
    sha256 TEXT,
    size INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX media_message ON media (message_row, ordinal) WHERE state <> 'gone';
CREATE INDEX media_order ON media (account, chat_id, state, date, message_id, ordinal);
CREATE INDEX media_wanted ON media (account, chat_id, rank, date, message_id, ordinal)
    WHERE state = 'wanted' AND reason = '';
CREATE INDEX media_key ON media (key, state);
CREATE INDEX media_hash ON media (sha256) WHERE sha256 IS NOT NULL;

-- Custom emoji among reactions: the emoji that stands for one, '' where there is none, NULL before Telegram was asked.
CREATE TABLE custom_emoji (
    id INTEGER PRIMARY KEY,
    emoji TEXT
);

-- The picture of a chat that is in the vault, for the chat's note.
CREATE TABLE pictures (
    peer_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,                  -- tobs.model.RemoteFile.key
    sha256 TEXT NOT NULL
);

-- Attachments by content. The owner is the first message that has it.
CREATE TABLE files (
    sha256 TEXT PRIMARY KEY,            -- as it came
    size INTEGER NOT NULL,              -- as it lies in the vault
    mime TEXT NOT NULL,
    path TEXT NOT NULL,
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    found BLOB NOT NULL,                -- what each processor found out, JSON object by its name
    lost INTEGER NOT NULL DEFAULT 0,    -- 1: its owner deleted it
    changed TEXT NOT NULL DEFAULT '',   -- SHA-256 of what a plugin made of it in its place; '': it lies there as it came
    number INTEGER NOT NULL             -- files are counted as they come
) WITHOUT ROWID;
CREATE UNIQUE INDEX files_number ON files (number);
CREATE INDEX files_changed ON files (changed) WHERE changed <> '';

-- Messages a note points at; those not in the vault yet heal when they come.
CREATE TABLE note_links (
    note_id INTEGER NOT NULL REFERENCES notes (id),
    account INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    PRIMARY KEY (note_id, account, chat_id, message_id)
) WITHOUT ROWID;
CREATE INDEX note_links_unresolved ON note_links (account, chat_id, message_id) WHERE resolved = 0;

-- What else a note points at and did not find: person/<id>, a chat's id, @username (lower case).
CREATE TABLE note_mentions (
    note_id INTEGER NOT NULL REFERENCES notes (id),
    target TEXT NOT NULL,
    PRIMARY KEY (note_id, target)
) WITHOUT ROWID;
CREATE INDEX note_mentions_target ON note_mentions (target);

CREATE TABLE processor_results (
    sha256 TEXT NOT NULL,
    plugin TEXT NOT NULL,
    version TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (sha256, plugin, version, config_hash)
) WITHOUT ROWID;

-- What a plugin said about a message in the version `state`; `digest` is of the plugin's version and configuration,
-- empty when it failed and is to be asked again.
CREATE TABLE enrichments (
    message_row INTEGER NOT NULL REFERENCES message_rows (row),
    plugin TEXT NOT NULL,
    digest TEXT NOT NULL,
    state BLOB NOT NULL,
    place INTEGER NOT NULL,             -- of the plugin in the order
    hides INTEGER NOT NULL,             -- no note is to be made of the message
    found BLOB NOT NULL,                -- JSON object, {} for nothing
    PRIMARY KEY (message_row, plugin)
) WITHOUT ROWID;

-- Notes that plugins made: tobs.archive.enrichments.Page as JSON.
CREATE TABLE pages (
    tobs_id TEXT PRIMARY KEY,
    page BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    command TEXT NOT NULL,
    targets BLOB NOT NULL,              -- JSON list of text
    started REAL NOT NULL,
    finished REAL,                      -- NULL: interrupted or still going
    report BLOB                         -- JSON
);

-- Texts that runs wrote over, zlib, so that a run can be undone.
CREATE TABLE replaced (
    run INTEGER NOT NULL REFERENCES runs (number),
    note_id INTEGER NOT NULL REFERENCES notes (id),
    was BLOB NOT NULL,                  -- what the note held
    was_base BLOB,                      -- its base then, where that is something else
    wrote_hash TEXT NOT NULL,           -- of what the run wrote; empty: it removed the note
    wrote BLOB,                         -- that text, where it is not the base of the note now
    PRIMARY KEY (run, note_id)
);
CREATE INDEX replaced_note ON replaced (note_id);
