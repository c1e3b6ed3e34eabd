-- People, what each may do alone, and the second person for the rest (R53).

CREATE TABLE record.people (
    id          text PRIMARY KEY,
    name        text   NOT NULL,
    roles       jsonb  NOT NULL,
    per_posting bigint NOT NULL CHECK (per_posting >= 0),
    per_day     bigint NOT NULL CHECK (per_day >= 0)
);

-- What somebody may do of whom nothing is recorded: the built-in policy's numbers. yes_minutes: how
-- long a yes can be used (I11). wait_hours: how long a request waits for one.
CREATE TABLE record.default_limits (
    only_row    bigint PRIMARY KEY CHECK (only_row = 1),
    per_posting bigint NOT NULL CHECK (per_posting >= 0),
    per_day     bigint NOT NULL CHECK (per_day >= 0),
    yes_minutes bigint NOT NULL CHECK (yes_minutes > 0),
    wait_hours  bigint NOT NULL CHECK (wait_hours > 0)
);
INSERT INTO record.default_limits VALUES (1, 500, 2000, 15, 24);

-- What a person restored in a UTC day, in days since 1970, counted in the transaction of each
-- restoration. allowed: the limit of that day, raised by what a second person approved. One row a
-- person and day: two restorations of one person wait for one another, those of two never do.
CREATE TABLE record.person_days (
    person   text   NOT NULL,
    day      bigint NOT NULL,
    restored bigint NOT NULL,
    allowed  bigint NOT NULL,
    PRIMARY KEY (person, day),
    CONSTRAINT restored_above_day CHECK (restored BETWEEN 0 AND allowed)
) WITH (fillfactor = 50);
CREATE TRIGGER person_days_up BEFORE UPDATE ON record.person_days
    FOR EACH ROW WHEN (NEW.person <> OLD.person OR NEW.day <> OLD.day OR NEW.restored < OLD.restored)
    EXECUTE FUNCTION record.only_grows('what was restored in a day only grows');
CREATE TRIGGER person_days_stay BEFORE DELETE OR TRUNCATE ON record.person_days
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was restored in a day is never deleted');

-- A request for a second person's yes, bound by its digest to a case, restorations and a reason.
-- One action uses it, once; the action's row comes after it in the same transaction.
CREATE TABLE record.approvals (
    id           text PRIMARY KEY,
    case_id      text   NOT NULL REFERENCES record.cases (id),
    digest       text   NOT NULL CHECK (length(digest) = 64),
    amount       bigint NOT NULL CHECK (amount > 0),
    reason       text   NOT NULL,
    restorations jsonb  NOT NULL,
    releases     jsonb  NOT NULL,
    asked_by     text   NOT NULL,
    asked_at     bigint NOT NULL,
    state        text   NOT NULL DEFAULT 'waiting' CHECK (state IN (
                     'waiting', 'approved', 'declined', 'withdrawn', 'used', 'expired')),
    decided_by   text,
    decided_at   bigint,
    note         text,
    expires_at   bigint,
    used_by      text UNIQUE REFERENCES record.actions (key) DEFERRABLE INITIALLY DEFERRED,
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT four_eyes CHECK (decided_by IS NULL OR decided_by <> asked_by OR state = 'withdrawn'),
    CHECK (state IN ('waiting', 'expired') OR decided_by IS NOT NULL),
    CHECK ((state = 'used') = (used_by IS NOT NULL)),
    CHECK (state NOT IN ('approved', 'used') OR expires_at IS NOT NULL)
);
CREATE INDEX approvals_newest ON record.approvals (asked_at DESC);
CREATE INDEX approvals_to_use ON record.approvals (case_id, digest) WHERE state = 'approved';
CREATE FUNCTION record.approval_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.case_id, NEW.digest, NEW.amount, NEW.reason, NEW.restorations, NEW.releases, NEW.asked_by, NEW.asked_at)
        IS DISTINCT FROM (OLD.id, OLD.case_id, OLD.digest, OLD.amount, OLD.reason, OLD.restorations, OLD.releases, OLD.asked_by,
            OLD.asked_at) THEN
        PERFORM record.refuse('what was asked is never edited');
    ELSIF OLD.decided_by IS NOT NULL AND (NEW.decided_by, NEW.decided_at, NEW.note, NEW.expires_at)
        IS DISTINCT FROM (OLD.decided_by, OLD.decided_at, OLD.note, OLD.expires_at) THEN
        PERFORM record.refuse('an answer is never edited');
    ELSIF (OLD.state, NEW.state) NOT IN (('waiting', 'approved'), ('waiting', 'declined'), ('waiting', 'withdrawn'),
        ('waiting', 'expired'), ('approved', 'used'), ('approved', 'expired')) THEN
        PERFORM record.refuse('a request cannot go from its state to that one');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_kept BEFORE UPDATE ON record.approvals
    FOR EACH ROW EXECUTE FUNCTION record.approval_is_kept();
CREATE TRIGGER approvals_stay BEFORE DELETE OR TRUNCATE ON record.approvals
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('requests are never deleted');

CREATE VIEW api.people AS SELECT id, name, roles::text AS roles, per_posting, per_day FROM record.people;
CREATE VIEW api.default_limits AS SELECT * FROM record.default_limits;
CREATE VIEW api.person_days AS SELECT * FROM record.person_days;
CREATE VIEW api.approvals AS
    SELECT a.id, a.case_id, t.subject, a.digest, a.amount, a.reason, a.restorations::text AS restorations,
        a.releases::text AS releases, a.asked_by,
        a.asked_at, a.state, a.decided_by, a.decided_at, a.note, a.expires_at, a.used_by
    FROM record.approvals a JOIN record.cases c ON c.id = a.case_id JOIN record.tickets t ON t.id = c.ticket_id;
