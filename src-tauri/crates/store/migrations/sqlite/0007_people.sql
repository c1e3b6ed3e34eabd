-- People, what each may do alone, and the second person for the rest (R53).

CREATE TABLE people (
    id          TEXT PRIMARY KEY,
    name        TEXT    NOT NULL,
    roles       TEXT    NOT NULL CHECK (json_valid(roles)),
    per_posting INTEGER NOT NULL CHECK (per_posting >= 0),
    per_day     INTEGER NOT NULL CHECK (per_day >= 0)
) STRICT;

-- What somebody may do of whom nothing is recorded: the built-in policy's numbers. yes_minutes: how
-- long a yes can be used (I11). wait_hours: how long a request waits for one.
CREATE TABLE default_limits (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    per_posting INTEGER NOT NULL CHECK (per_posting >= 0),
    per_day     INTEGER NOT NULL CHECK (per_day >= 0),
    yes_minutes INTEGER NOT NULL CHECK (yes_minutes > 0),
    wait_hours  INTEGER NOT NULL CHECK (wait_hours > 0)
) STRICT;
INSERT INTO default_limits VALUES (1, 500, 2000, 15, 24);

-- What a person restored in a UTC day, in days since 1970, counted in the transaction of each
-- restoration. allowed: the limit of that day, raised by what a second person approved.
CREATE TABLE person_days (
    person   TEXT    NOT NULL,
    day      INTEGER NOT NULL,
    restored INTEGER NOT NULL,
    allowed  INTEGER NOT NULL,
    PRIMARY KEY (person, day),
    CONSTRAINT restored_above_day CHECK (restored BETWEEN 0 AND allowed)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER person_days_up BEFORE UPDATE ON person_days
WHEN NEW.person <> OLD.person OR NEW.day <> OLD.day OR NEW.restored < OLD.restored BEGIN
    SELECT RAISE(ABORT, 'what was restored in a day only grows');
END;
CREATE TRIGGER person_days_stay BEFORE DELETE ON person_days BEGIN
    SELECT RAISE(ABORT, 'what was restored in a day is never deleted');
END;

-- A request for a second person's yes, bound by its digest to a case, restorations and a reason.
-- One action uses it, once.
CREATE TABLE approvals (
    id           TEXT PRIMARY KEY,
    case_id      TEXT    NOT NULL REFERENCES cases (id),
    digest       TEXT    NOT NULL CHECK (length(digest) = 64),
    amount       INTEGER NOT NULL CHECK (amount > 0),
    reason       TEXT    NOT NULL,
    restorations TEXT    NOT NULL CHECK (json_valid(restorations)),
    releases     TEXT    NOT NULL CHECK (json_valid(releases)),
    asked_by     TEXT    NOT NULL,
    asked_at     INTEGER NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN (
                     'waiting', 'approved', 'declined', 'withdrawn', 'used', 'expired')),
    decided_by   TEXT,
    decided_at   INTEGER,
    note         TEXT,
    expires_at   INTEGER,
    used_by      TEXT UNIQUE REFERENCES actions (key),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT four_eyes CHECK (decided_by IS NULL OR decided_by <> asked_by OR state = 'withdrawn'),
    CHECK (state IN ('waiting', 'expired') OR decided_by IS NOT NULL),
    CHECK ((state = 'used') = (used_by IS NOT NULL)),
    CHECK (state NOT IN ('approved', 'used') OR expires_at IS NOT NULL)
) STRICT;
CREATE INDEX approvals_newest ON approvals (asked_at DESC);
CREATE INDEX approvals_to_use ON approvals (case_id, digest) WHERE state = 'approved';
CREATE TRIGGER approvals_start BEFORE INSERT ON approvals
WHEN NEW.state <> 'waiting' OR NEW.decided_by IS NOT NULL OR NEW.expires_at IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'a request starts without an answer');
END;
CREATE TRIGGER approvals_kept BEFORE UPDATE ON approvals BEGIN
    SELECT RAISE(ABORT, 'what was asked is never edited')
    WHERE NEW.id <> OLD.id OR NEW.case_id <> OLD.case_id OR NEW.digest <> OLD.digest OR NEW.amount <> OLD.amount
       OR NEW.reason <> OLD.reason OR NEW.restorations <> OLD.restorations OR NEW.releases <> OLD.releases OR NEW.asked_by <> OLD.asked_by
       OR NEW.asked_at <> OLD.asked_at;
    SELECT RAISE(ABORT, 'an answer is never edited')
    WHERE OLD.decided_by IS NOT NULL
      AND (NEW.decided_by <> OLD.decided_by OR NEW.decided_at <> OLD.decided_at OR NEW.note IS NOT OLD.note
           OR NEW.expires_at IS NOT OLD.expires_at);
    SELECT RAISE(ABORT, 'a request cannot go from its state to that one')
    WHERE (OLD.state, NEW.state) NOT IN (VALUES
        ('waiting', 'approved'), ('waiting', 'declined'), ('waiting', 'withdrawn'), ('waiting', 'expired'),
        ('approved', 'used'), ('approved', 'expired'));
    SELECT RAISE(ABORT, 'an approval is for the restorations of its case, by who asked, in time')
    WHERE NEW.state = 'used'
      AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.key = NEW.used_by AND a.case_id = NEW.case_id
                      AND a.agent = NEW.asked_by AND a.at <= NEW.expires_at);
END;
CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals BEGIN SELECT RAISE(ABORT, 'requests are never deleted'); END;
