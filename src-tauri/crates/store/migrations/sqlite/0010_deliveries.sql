-- What providers sent, as it came. A delivery settles nothing: it leads to the run of its job, which is
-- looked at then. run_id is of our own jobs, never of the body; null while no such job is known. body is null
-- once the bytes are not kept any more.
CREATE TABLE deliveries (
    provider_id TEXT    NOT NULL,
    delivery_id TEXT    NOT NULL,
    endpoint    TEXT,
    job_id      TEXT,
    run_id      TEXT    REFERENCES runs (id),
    event       TEXT,
    proven      INTEGER NOT NULL CHECK (proven IN (0, 1)),
    headers     TEXT    NOT NULL CHECK (json_valid(headers)),
    body        BLOB,
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (provider_id, delivery_id),
    CHECK (run_id IS NULL OR job_id IS NOT NULL)
) STRICT;
CREATE INDEX deliveries_by_time ON deliveries (received_at);
CREATE INDEX deliveries_waiting ON deliveries (job_id, provider_id) WHERE run_id IS NULL AND job_id IS NOT NULL;

-- Up to when what is old was gone through: what was neither evidence nor young enough is not kept any more.
CREATE TABLE pruned (
    what  TEXT PRIMARY KEY CHECK (what IN ('bodies', 'deliveries', 'events')),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO pruned (what, until) VALUES ('bodies', 0), ('deliveries', 0), ('events', 0);

-- Led to its run, once; and without its bytes, in its time.
CREATE TRIGGER deliveries_kept BEFORE UPDATE ON deliveries BEGIN
    SELECT RAISE(ABORT, 'what was received is never edited')
    WHERE NEW.provider_id <> OLD.provider_id OR NEW.delivery_id <> OLD.delivery_id
       OR NEW.endpoint IS NOT OLD.endpoint OR NEW.job_id IS NOT OLD.job_id OR NEW.event IS NOT OLD.event
       OR NEW.proven <> OLD.proven OR NEW.headers <> OLD.headers OR NEW.bytes <> OLD.bytes
       OR NEW.received_at <> OLD.received_at OR (NEW.run_id IS NOT OLD.run_id AND OLD.run_id IS NOT NULL)
       OR (NEW.body IS NOT OLD.body AND (NEW.body IS NOT NULL
           OR OLD.received_at > (SELECT until FROM pruned WHERE what = 'bodies')));
END;
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries
WHEN OLD.received_at > (SELECT until FROM pruned WHERE what = 'deliveries') BEGIN
    SELECT RAISE(ABORT, 'what was received is never deleted before its time');
END;

-- A job that becomes known after its deliveries: they are led to its run. The import makes the run due.
CREATE TRIGGER jobs_meet_deliveries AFTER INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM deliveries
    WHERE job_id = NEW.id AND provider_id = NEW.provider_id AND run_id IS NULL) BEGIN
    INSERT INTO webhooks (id, job_id, run_id, received_at, attempts, result)
        SELECT 'delivery/' || provider_id || '/' || delivery_id, job_id, NEW.run_id, received_at, 1, 'accepted'
        FROM deliveries
        WHERE job_id = NEW.id AND provider_id = NEW.provider_id AND run_id IS NULL AND proven = 1
        ON CONFLICT (id) DO NOTHING;
    UPDATE deliveries SET run_id = NEW.run_id
        WHERE job_id = NEW.id AND provider_id = NEW.provider_id AND run_id IS NULL;
END;
