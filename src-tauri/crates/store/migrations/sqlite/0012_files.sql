-- Files that are taken out of the vault. claimed_at: from when on; removed_at: the vault has it no longer.
-- What comes again later and is taken away again has its line anew.
CREATE TABLE removals (
    sha256     TEXT PRIMARY KEY REFERENCES files (sha256),
    claimed_at INTEGER NOT NULL,
    removed_at INTEGER CHECK (removed_at >= claimed_at),
    why        TEXT    NOT NULL
) STRICT;
CREATE INDEX removals_under_way ON removals (sha256) WHERE removed_at IS NULL;
CREATE TRIGGER removals_stay BEFORE DELETE ON removals BEGIN
    SELECT RAISE(ABORT, 'removals are never deleted');
END;

-- What this record is known by in a vault, which is one record's. It is not copied into another database: that is
-- another record.
CREATE TABLE this_record (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT    NOT NULL
) STRICT;
INSERT INTO this_record VALUES (1, lower(hex(randomblob(16))));
CREATE TRIGGER this_record_stays BEFORE UPDATE ON this_record BEGIN
    SELECT RAISE(ABORT, 'what a record is known by stays');
END;
CREATE TRIGGER this_record_is_kept BEFORE DELETE ON this_record BEGIN
    SELECT RAISE(ABORT, 'what a record is known by stays');
END;

CREATE INDEX outputs_by_vault ON outputs (vault) WHERE vault IS NOT NULL;

-- Who found a file in the vault just before it was taken away must fetch it anew: an hour is longer than any
-- transfer takes.
CREATE TRIGGER outputs_have_their_file BEFORE INSERT ON outputs WHEN NEW.vault IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'the file was just taken out of the vault: fetch it again, an hour later')
    FROM removals r WHERE r.sha256 = NEW.vault AND r.claimed_at <= NEW.stored_at
        AND (r.removed_at IS NULL OR r.claimed_at > NEW.stored_at - 3600000000);
END;

-- What was taken away can't be shown, unless it came again with another output.
CREATE TRIGGER outputs_show_what_is_there BEFORE UPDATE OF project_id, hold_until ON outputs
WHEN NEW.vault IS NOT NULL AND NEW.quarantined_at IS NULL BEGIN
    SELECT RAISE(ABORT, 'its file was taken out of the vault when its time there was over')
    FROM removals r WHERE r.sha256 = NEW.vault
        AND NOT EXISTS (SELECT 1 FROM outputs o WHERE o.vault = r.sha256 AND o.stored_at > r.claimed_at);
END;
