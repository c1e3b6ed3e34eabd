-- What the platform is told of the outbox, an endpoint at a time.
CREATE TABLE letter_tries (
    endpoint      TEXT    NOT NULL,
    outbox_id     TEXT    NOT NULL REFERENCES outbox (id),
    tries         INTEGER NOT NULL CHECK (tries >= 0),
    next_at       INTEGER NOT NULL,
    claimed_until INTEGER,
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
    why           TEXT,
    PRIMARY KEY (endpoint, outbox_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_tries_next ON letter_tries (endpoint, next_at) WHERE state = 'waiting';
CREATE INDEX letter_tries_of ON letter_tries (outbox_id);
CREATE TRIGGER letter_tries_stay BEFORE DELETE ON letter_tries BEGIN
    SELECT RAISE(ABORT, 'tries are never deleted');
END;

-- failing_since: since when every try failed. disabled_at: from when on nothing is sent any more.
CREATE TABLE endpoints (
    name          TEXT PRIMARY KEY,
    failing_since INTEGER,
    disabled_at   INTEGER,
    why           TEXT
) STRICT;

CREATE INDEX outbox_to_tell ON outbox (seq) WHERE state = 'waiting'
    AND kind IN ('asset_delivered', 'asset_moved', 'asset_quarantined', 'asset_released', 'cancel_upstream', 'credits_restored');
