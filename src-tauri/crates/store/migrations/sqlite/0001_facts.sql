-- What the platform said, row by row, in its own words. Instants are UTC microseconds, credits are
-- whole numbers, yes and no are 1 and 0.

CREATE TABLE providers (
    id               TEXT PRIMARY KEY,
    retention_hours  INTEGER,
    retention_source TEXT NOT NULL
) STRICT;

CREATE TABLE models (
    id           TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    family       TEXT NOT NULL,
    provider_id  TEXT NOT NULL REFERENCES providers (id),
    media        TEXT NOT NULL,
    mode         TEXT NOT NULL
) STRICT;

CREATE TABLE model_aliases (
    model_id TEXT    NOT NULL REFERENCES models (id),
    position INTEGER NOT NULL,
    alias    TEXT    NOT NULL,
    PRIMARY KEY (model_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id       TEXT PRIMARY KEY,
    email    TEXT NOT NULL,
    timezone TEXT,
    locale   TEXT
) STRICT;

CREATE TABLE accounts (
    id                  TEXT PRIMARY KEY,
    kind                TEXT    NOT NULL CHECK (kind IN ('personal', 'workspace')),
    owner_user_id       TEXT    NOT NULL REFERENCES users (id),
    storage_quota_mb    INTEGER NOT NULL,
    storage_used_mb     INTEGER NOT NULL,
    subscription_status TEXT,
    period_start        INTEGER,
    period_end          INTEGER,
    CHECK ((subscription_status IS NULL) = (period_start IS NULL)),
    CHECK ((subscription_status IS NULL) = (period_end IS NULL))
) STRICT;
CREATE INDEX accounts_by_owner ON accounts (owner_user_id, kind);

CREATE TABLE workspaces (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id)
) STRICT;
CREATE INDEX workspaces_by_account ON workspaces (account_id);

CREATE TABLE workspace_members (
    workspace_id TEXT    NOT NULL REFERENCES workspaces (id),
    user_id      TEXT    NOT NULL REFERENCES users (id),
    position     INTEGER NOT NULL,
    role         TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('active', 'left')),
    left_at      INTEGER,
    PRIMARY KEY (workspace_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX workspace_members_by_user ON workspace_members (user_id);

CREATE TABLE projects (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    account_id   TEXT NOT NULL REFERENCES accounts (id),
    workspace_id TEXT REFERENCES workspaces (id),
    status       TEXT NOT NULL,
    deleted_at   INTEGER
) STRICT;
CREATE INDEX projects_by_account ON projects (account_id);

CREATE TABLE nodes (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    label      TEXT NOT NULL,
    status     TEXT NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX nodes_by_project ON nodes (project_id);

-- root_id: the first run of the logical run, found over retries that the system made (P2).
CREATE TABLE runs (
    id              TEXT PRIMARY KEY,
    root_id         TEXT    NOT NULL REFERENCES runs (id),
    project_id      TEXT    NOT NULL REFERENCES projects (id),
    node_id         TEXT    NOT NULL REFERENCES nodes (id),
    started_by      TEXT    NOT NULL REFERENCES users (id),
    model_id        TEXT    NOT NULL REFERENCES models (id),
    started_at      INTEGER NOT NULL,
    requested_items INTEGER NOT NULL CHECK (requested_items >= 0),
    status          TEXT    NOT NULL,
    cancelled_at    INTEGER,
    retry_of        TEXT REFERENCES runs (id),
    retry_initiator TEXT,
    params          TEXT    NOT NULL CHECK (json_valid(params))
) STRICT;
CREATE INDEX runs_by_project ON runs (project_id);
CREATE INDEX runs_by_starter ON runs (started_by);
CREATE INDEX runs_by_root ON runs (root_id);
CREATE INDEX runs_by_retry ON runs (retry_of) WHERE retry_of IS NOT NULL;

-- The newest word about a job. looked_up_at: when its provider was asked; null where only a feed has told
-- of it. A feed's word never stands in for a look-up.
CREATE TABLE jobs (
    id                    TEXT PRIMARY KEY,
    run_id                TEXT    NOT NULL REFERENCES runs (id),
    provider_id           TEXT    NOT NULL REFERENCES providers (id),
    submitted_at          INTEGER NOT NULL,
    state                 TEXT    NOT NULL,
    processing_started_at INTEGER,
    finished_at           INTEGER,
    error                 TEXT,
    looked_up_at          INTEGER,
    locator               TEXT
) STRICT;
CREATE INDEX jobs_by_run ON jobs (run_id);

CREATE TABLE job_items (
    job_id               TEXT    NOT NULL REFERENCES jobs (id),
    item                 INTEGER NOT NULL,
    state                TEXT    NOT NULL,
    finished_at          INTEGER,
    file_bytes           INTEGER,
    file_sha256_prefix   TEXT,
    file_available_until INTEGER,
    file_exists_now      INTEGER CHECK (file_exists_now IN (0, 1)),
    PRIMARY KEY (job_id, item),
    CHECK ((file_bytes IS NULL) = (file_sha256_prefix IS NULL))
) STRICT, WITHOUT ROWID;

-- Look-up answers as they came. Kept apart from the job: an answer is never edited.
CREATE TABLE look_ups (
    id         INTEGER PRIMARY KEY,
    job_id     TEXT    NOT NULL REFERENCES jobs (id),
    url        TEXT    NOT NULL,
    status     INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT;
CREATE INDEX look_ups_by_job ON look_ups (job_id, fetched_at);

CREATE TABLE webhooks (
    id                TEXT PRIMARY KEY,
    job_id            TEXT    NOT NULL,
    run_id            TEXT    NOT NULL REFERENCES runs (id),
    received_at       INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    result            TEXT    NOT NULL,
    routed_project_id TEXT,
    routed_node_id    TEXT,
    CHECK ((routed_project_id IS NULL) = (routed_node_id IS NULL))
) STRICT;
CREATE INDEX webhooks_by_run ON webhooks (run_id);

CREATE TABLE uploads (
    run_id       TEXT    NOT NULL REFERENCES runs (id),
    item         INTEGER NOT NULL,
    attempted_at INTEGER NOT NULL,
    result       TEXT    NOT NULL,
    PRIMARY KEY (run_id, item, attempted_at)
) STRICT, WITHOUT ROWID;

-- Files in the vault, by content.
CREATE TABLE files (
    sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    bytes      INTEGER NOT NULL CHECK (bytes > 0),
    media_type TEXT    NOT NULL
) STRICT;

-- origin: who put it there. vault: the sha256 of our own copy.
CREATE TABLE outputs (
    id                TEXT PRIMARY KEY,
    run_id            TEXT    NOT NULL REFERENCES runs (id),
    item              INTEGER NOT NULL,
    project_id        TEXT    NOT NULL REFERENCES projects (id),
    node_id           TEXT REFERENCES nodes (id),
    stored_at         INTEGER NOT NULL,
    bytes             INTEGER NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('stored', 'corrupt', 'held')),
    in_history        INTEGER NOT NULL CHECK (in_history IN (0, 1)),
    on_canvas         INTEGER NOT NULL CHECK (on_canvas IN (0, 1)),
    sha256            TEXT,
    vault             TEXT REFERENCES files (sha256),
    origin            TEXT    NOT NULL CHECK (origin IN ('feed', 'makegood')),
    hold_until        INTEGER,
    quarantined_at    INTEGER,
    quarantine_reason TEXT,
    CHECK ((quarantined_at IS NULL) = (quarantine_reason IS NULL)),
    CHECK (origin = 'feed' OR vault IS NOT NULL)
) STRICT;
CREATE INDEX outputs_by_run ON outputs (run_id, item);
CREATE INDEX outputs_by_project ON outputs (project_id);

-- Where an output has been. The newest line is where it is.
CREATE TABLE placements (
    output_id  TEXT    NOT NULL REFERENCES outputs (id),
    seq        INTEGER NOT NULL,
    project_id TEXT    NOT NULL,
    node_id    TEXT,
    hold_until INTEGER,
    at         INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    PRIMARY KEY (output_id, seq)
) STRICT, WITHOUT ROWID;

-- Tickets of elsewhere, and the runs that they are known to be about (P12).
CREATE TABLE ticket_links (
    id                TEXT PRIMARY KEY,
    created_at        INTEGER NOT NULL,
    status            TEXT    NOT NULL,
    outcome           TEXT,
    requester_user_id TEXT
) STRICT;

CREATE TABLE ticket_runs (
    ticket_id TEXT    NOT NULL REFERENCES ticket_links (id),
    position  INTEGER NOT NULL,
    run_id    TEXT    NOT NULL,
    PRIMARY KEY (ticket_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_runs_by_run ON ticket_runs (run_id);

-- The newest thing that the feed said about a row: the same again changes nothing, also where the
-- row has been changed here since, and so does what was said before it and comes after it.
CREATE TABLE fact_digests (
    kind        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    imported_at INTEGER NOT NULL,
    -- As of when it was said: the time of its event, else when it came.
    told_at     INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Facts that are true one by one and cannot be true together.
CREATE TABLE discrepancies (
    kind      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER look_ups_kept BEFORE UPDATE ON look_ups BEGIN SELECT RAISE(ABORT, 'look_ups are never edited'); END;
CREATE TRIGGER placements_kept BEFORE UPDATE ON placements BEGIN SELECT RAISE(ABORT, 'placements are never edited'); END;
CREATE TRIGGER placements_stay BEFORE DELETE ON placements BEGIN SELECT RAISE(ABORT, 'placements are never deleted'); END;
