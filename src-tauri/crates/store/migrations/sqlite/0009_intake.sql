-- The way in: which tellings were taken, what could not be, and how far files were read.

-- Events that were taken, so that one that is delivered again, after a newer one of the same row, is not
-- taken again.
CREATE TABLE events_taken (
    source TEXT NOT NULL,
    id     TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_taken_by_time ON events_taken (at);

-- What could not be read, or was rejected.
CREATE TABLE dead_letters (
    id         INTEGER PRIMARY KEY,
    -- What a letter is told apart by: the same one again is counted, and not kept twice.
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- What it is of, where it could be read; else empty.
    kind       TEXT NOT NULL,
    row_id     TEXT NOT NULL,
    source     TEXT,
    event_id   TEXT,
    told_at    INTEGER,
    -- What came, or its beginning. Of a fact that was rejected: the fact.
    raw        TEXT NOT NULL,
    whole      INTEGER NOT NULL CHECK (whole IN (0, 1)),
    reason     TEXT NOT NULL,
    -- The row without which it can't be taken: when that is told, it is tried again.
    lacks_kind TEXT,
    lacks_id   TEXT,
    place      TEXT NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    tries      INTEGER NOT NULL CHECK (tries >= 1),
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'retried', 'dropped')),
    CHECK ((source IS NULL) = (event_id IS NULL)),
    CHECK ((lacks_kind IS NULL) = (lacks_id IS NULL))
) STRICT;
CREATE INDEX dead_letters_waiting_by_row ON dead_letters (kind, row_id) WHERE state = 'waiting';
CREATE INDEX dead_letters_waiting_by_lack ON dead_letters (lacks_kind, lacks_id) WHERE state = 'waiting';

-- How far a file was taken in, by its path and the beginning of its content.
CREATE TABLE import_positions (
    file TEXT PRIMARY KEY,
    byte INTEGER NOT NULL,
    line INTEGER NOT NULL,
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
