-- Tickets, the cases made of them, and the queue.

CREATE TABLE tickets (
    id                 TEXT PRIMARY KEY,
    subject            TEXT    NOT NULL,
    body               TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    requester_user_id  TEXT,
    requester_email    TEXT    NOT NULL,
    requester_locale   TEXT,
    requester_timezone TEXT,
    desk               TEXT
) STRICT;

-- Bytes by content: the same picture sent ten times is kept once.
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE attachments (
    ticket_id   TEXT    NOT NULL REFERENCES tickets (id),
    position    INTEGER NOT NULL,
    id          TEXT UNIQUE,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    media_type  TEXT,
    sha256      TEXT REFERENCES blobs (sha256),
    PRIMARY KEY (ticket_id, position)
) STRICT;

CREATE TABLE messages (
    id        TEXT PRIMARY KEY,
    ticket_id TEXT    NOT NULL REFERENCES tickets (id),
    seq       INTEGER NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('customer', 'reply', 'note')),
    author    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    locale    TEXT,
    text      TEXT    NOT NULL,
    UNIQUE (ticket_id, seq)
) STRICT;
CREATE TRIGGER messages_kept BEFORE UPDATE ON messages BEGIN SELECT RAISE(ABORT, 'messages are never edited'); END;

-- The columns after finding_seq are copies from the newest finding and from the ledger, kept in the
-- same transaction, so that the queue reads one table. closed: settled or linked. lost_key sorts what
-- can be lost; what has been lost since is told apart by the queue, which knows the time.
CREATE TABLE cases (
    row_no        INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    ticket_id     TEXT    NOT NULL UNIQUE REFERENCES tickets (id),
    state         TEXT    NOT NULL CHECK (state IN ('open', 'waiting', 'settled', 'linked')),
    assignee      TEXT,
    opened_at     INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    follow_up_at  INTEGER,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    linked_to     TEXT,
    desk          TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    customer      TEXT    NOT NULL,
    finding_seq   INTEGER NOT NULL DEFAULT 0,
    verdict       TEXT,
    remedy        TEXT,
    matched_run   TEXT,
    model         TEXT,
    amount        INTEGER,
    file_deadline INTEGER,
    saved         INTEGER NOT NULL DEFAULT 0 CHECK (saved IN (0, 1)),
    search_text   TEXT    NOT NULL,
    closed        INTEGER GENERATED ALWAYS AS (state IN ('settled', 'linked')) STORED,
    lost_key      INTEGER GENERATED ALWAYS AS (
                      CASE WHEN saved = 0 AND file_deadline IS NOT NULL THEN file_deadline
                           ELSE 9223372036854775807 END) STORED
) STRICT;
CREATE INDEX cases_lost_first ON cases (closed, lost_key, due_at, row_no);
CREATE INDEX cases_due ON cases (closed, due_at, row_no);
CREATE INDEX cases_newest ON cases (closed, opened_at DESC, row_no DESC);
CREATE INDEX cases_amount ON cases (closed, amount DESC, row_no);
CREATE INDEX cases_all_lost_first ON cases (lost_key, due_at, row_no);
CREATE INDEX cases_all_due ON cases (due_at, row_no);
CREATE INDEX cases_all_newest ON cases (opened_at DESC, row_no DESC);
CREATE INDEX cases_all_amount ON cases (amount DESC, row_no);
-- Everything that the queue filters and adds up by, so that totals never touch the rows
-- (a query that names a generated column always does).
CREATE INDEX cases_totals ON cases (state, verdict, desk, remedy, assignee, due_at, file_deadline, amount);
CREATE INDEX cases_unread ON cases (row_no) WHERE finding_seq = 0;
CREATE INDEX cases_by_run ON cases (matched_run) WHERE matched_run IS NOT NULL;
CREATE TRIGGER cases_revision BEFORE UPDATE OF revision ON cases WHEN NEW.revision < OLD.revision BEGIN
    SELECT RAISE(ABORT, 'the revision of a case never falls');
END;

CREATE VIRTUAL TABLE case_search USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');
CREATE TRIGGER cases_search_add AFTER INSERT ON cases BEGIN
    INSERT INTO case_search (rowid, text) VALUES (NEW.row_no, NEW.search_text);
END;
CREATE TRIGGER cases_search_renew AFTER UPDATE OF search_text ON cases WHEN NEW.search_text <> OLD.search_text BEGIN
    DELETE FROM case_search WHERE rowid = OLD.row_no;
    INSERT INTO case_search (rowid, text) VALUES (NEW.row_no, NEW.search_text);
END;

CREATE TABLE findings (
    case_id  TEXT    NOT NULL REFERENCES cases (id),
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    at       INTEGER NOT NULL,
    document TEXT    NOT NULL CHECK (json_valid(document)),
    PRIMARY KEY (case_id, seq)
) STRICT;
CREATE TRIGGER findings_kept BEFORE UPDATE ON findings BEGIN SELECT RAISE(ABORT, 'findings are never edited'); END;
CREATE TRIGGER findings_stay BEFORE DELETE ON findings BEGIN SELECT RAISE(ABORT, 'findings are never deleted'); END;

-- The runs that the newest finding of a case is about, and the items whose files can be lost.
CREATE TABLE case_runs (
    case_id TEXT NOT NULL REFERENCES cases (id),
    run_id  TEXT NOT NULL,
    PRIMARY KEY (case_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_runs_by_run ON case_runs (run_id);

CREATE TABLE case_items (
    case_id TEXT    NOT NULL REFERENCES cases (id),
    run_id  TEXT    NOT NULL,
    item    INTEGER NOT NULL,
    PRIMARY KEY (case_id, run_id, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE chosen_runs (
    case_id  TEXT    NOT NULL REFERENCES cases (id),
    seq      INTEGER NOT NULL,
    document TEXT    NOT NULL CHECK (json_valid(document)),
    PRIMARY KEY (case_id, seq)
) STRICT;
CREATE TRIGGER chosen_runs_kept BEFORE UPDATE ON chosen_runs BEGIN SELECT RAISE(ABORT, 'choices are never edited'); END;
CREATE TRIGGER chosen_runs_stay BEFORE DELETE ON chosen_runs BEGIN SELECT RAISE(ABORT, 'choices are never deleted'); END;

-- The text that counts, and every text that was ever sent to be saved.
CREATE TABLE drafts (
    case_id  TEXT    NOT NULL REFERENCES cases (id),
    kind     TEXT    NOT NULL,
    author   TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (case_id, kind, author)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft_history (
    id            INTEGER PRIMARY KEY,
    case_id       TEXT    NOT NULL REFERENCES cases (id),
    kind          TEXT    NOT NULL,
    author        TEXT    NOT NULL,
    text          TEXT    NOT NULL,
    base_revision INTEGER NOT NULL,
    revision      INTEGER,
    at            INTEGER NOT NULL
) STRICT;
CREATE INDEX draft_history_by_case ON draft_history (case_id, kind, author);
CREATE TRIGGER draft_history_kept BEFORE UPDATE ON draft_history BEGIN SELECT RAISE(ABORT, 'texts are never edited'); END;
CREATE TRIGGER draft_history_stay BEFORE DELETE ON draft_history BEGIN SELECT RAISE(ABORT, 'texts are never deleted'); END;

CREATE TABLE saved_views (
    agent TEXT NOT NULL,
    name  TEXT NOT NULL,
    query TEXT NOT NULL CHECK (json_valid(query)),
    PRIMARY KEY (agent, name)
) STRICT, WITHOUT ROWID;
