-- What was done: the journal, the audit, and what waits to go out. All of it only grows.

CREATE TABLE actions (
    key         TEXT PRIMARY KEY,
    case_id     TEXT    NOT NULL REFERENCES cases (id),
    kind        TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    reason      TEXT,
    plan        TEXT    NOT NULL CHECK (json_valid(plan)),
    state       TEXT    NOT NULL CHECK (state IN ('running', 'done', 'refused', 'failed_before_effect', 'unknown')),
    why         TEXT,
    retry       INTEGER CHECK (retry IN (0, 1)),
    finished_at INTEGER,
    CHECK ((state IN ('running', 'unknown')) = (finished_at IS NULL))
) STRICT;
CREATE INDEX actions_by_case ON actions (case_id, at DESC);
-- One at a time on a case, until its outcome is known.
CREATE UNIQUE INDEX actions_one_a_case ON actions (case_id) WHERE finished_at IS NULL;
CREATE TRIGGER actions_kept BEFORE UPDATE ON actions BEGIN
    SELECT RAISE(ABORT, 'an action keeps what was asked')
    WHERE NEW.key <> OLD.key OR NEW.case_id <> OLD.case_id OR NEW.kind <> OLD.kind OR NEW.digest <> OLD.digest
       OR NEW.agent <> OLD.agent OR NEW.at <> OLD.at OR NEW.reason IS NOT OLD.reason OR NEW.plan <> OLD.plan;
    SELECT RAISE(ABORT, 'a finished action stays as it is') WHERE OLD.finished_at IS NOT NULL;
END;
CREATE TRIGGER actions_stay BEFORE DELETE ON actions BEGIN SELECT RAISE(ABORT, 'actions are never deleted'); END;

-- The receipt of each effect: asked again, it is the answer.
CREATE TABLE action_steps (
    key     TEXT    NOT NULL REFERENCES actions (key),
    step    INTEGER NOT NULL,
    part    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    effect  TEXT    NOT NULL CHECK (json_valid(effect)),
    receipt TEXT    NOT NULL CHECK (json_valid(receipt)),
    PRIMARY KEY (key, step, part)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER action_steps_kept BEFORE UPDATE ON action_steps BEGIN SELECT RAISE(ABORT, 'receipts are never edited'); END;
CREATE TRIGGER action_steps_stay BEFORE DELETE ON action_steps BEGIN SELECT RAISE(ABORT, 'receipts are never deleted'); END;

CREATE TABLE incidents (
    id         TEXT PRIMARY KEY,
    case_id    TEXT    NOT NULL REFERENCES cases (id),
    run_id     TEXT,
    summary    TEXT    NOT NULL,
    opened_at  INTEGER NOT NULL,
    action_key TEXT    NOT NULL REFERENCES actions (key)
) STRICT;

CREATE TABLE incident_outputs (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    output_id   TEXT NOT NULL REFERENCES outputs (id),
    PRIMARY KEY (incident_id, output_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id         TEXT PRIMARY KEY,
    seq        INTEGER NOT NULL UNIQUE,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    case_id    TEXT,
    action_key TEXT,
    summary    TEXT    NOT NULL,
    payload    TEXT    NOT NULL CHECK (json_valid(payload)),
    state      TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'failed'))
) STRICT;
CREATE TRIGGER outbox_kept BEFORE UPDATE ON outbox BEGIN
    SELECT RAISE(ABORT, 'what goes out is never edited')
    WHERE NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.at <> OLD.at OR NEW.kind <> OLD.kind
       OR NEW.case_id IS NOT OLD.case_id OR NEW.action_key IS NOT OLD.action_key
       OR NEW.summary <> OLD.summary OR NEW.payload <> OLD.payload OR OLD.state = 'sent';
END;
CREATE TRIGGER outbox_stay BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'what goes out is never deleted'); END;

-- Each line holds the hash of the line before it.
CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    act       TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    prev_hash TEXT    NOT NULL,
    hash      TEXT    NOT NULL CHECK (length(hash) = 64)
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE TRIGGER audit_chained BEFORE INSERT ON audit BEGIN
    SELECT RAISE(ABORT, 'an audit line follows the newest one')
    WHERE NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM audit)
       OR NEW.prev_hash <> (SELECT coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), ''));
END;
CREATE TRIGGER audit_kept BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit lines are never edited'); END;
CREATE TRIGGER audit_stay BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit lines are never deleted'); END;
