-- Copies of our own: a provider's file that is in the vault, whatever becomes of its item. Of two files of
-- the same item of the same job the first one counts, until it is taken out of the vault: then its next turn begins.
CREATE TABLE captures (
    job_id      TEXT    NOT NULL REFERENCES jobs (id),
    item        INTEGER NOT NULL CHECK (item >= 1),
    turn        INTEGER NOT NULL CHECK (turn >= 1),
    run_id      TEXT    NOT NULL REFERENCES runs (id),
    sha256      TEXT    NOT NULL REFERENCES files (sha256),
    captured_at INTEGER NOT NULL,
    captured_by TEXT    NOT NULL,
    PRIMARY KEY (job_id, item, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX captures_by_run ON captures (run_id, item);
CREATE INDEX captures_by_file ON captures (sha256);

CREATE TRIGGER captures_kept BEFORE UPDATE ON captures BEGIN
    SELECT RAISE(ABORT, 'what was captured is never edited');
END;
CREATE TRIGGER captures_stay BEFORE DELETE ON captures BEGIN
    SELECT RAISE(ABORT, 'what was captured is never forgotten');
END;

-- Those whose file was not taken out of the vault since, at most one for each item of a job.
CREATE VIEW standing_captures AS
    SELECT c.job_id, c.item, c.run_id, c.sha256, f.bytes, f.media_type, c.captured_at, c.captured_by
    FROM captures c JOIN files f ON f.sha256 = c.sha256
    WHERE NOT EXISTS (SELECT 1 FROM removals r WHERE r.sha256 = c.sha256 AND r.claimed_at >= c.captured_at);
