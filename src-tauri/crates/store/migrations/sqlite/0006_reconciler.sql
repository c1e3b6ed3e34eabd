-- What the reconciler needs: the runs to look at, what it noticed, what it did, and how its passes went.

-- What is charged and neither delivered nor refunded in full. An item that cost nothing is owed nothing.
CREATE VIEW open_items AS
    SELECT r.root_id, c.id AS charge_id, i.item, c.posted_at, i.price - i.refunded AS owed
    FROM runs r JOIN charges c ON c.run_id = r.id JOIN charge_items i ON i.charge_id = c.id
    WHERE i.state <> 'delivered' AND i.refunded < i.price;

-- Rows of a logical run that are true one by one and cannot be true together, by what contradicts what.
CREATE VIEW run_contradictions AS
    SELECT r.root_id, 'misplaced' AS what, o.id AS subject
    FROM runs r JOIN projects home ON home.id = r.project_id
    JOIN outputs o ON o.run_id = r.id JOIN projects there ON there.id = o.project_id
    WHERE o.quarantined_at IS NULL AND there.account_id <> home.account_id
    UNION ALL
    -- A second charge that is refunded stands beside the first one that the same output delivered.
    -- CROSS JOIN keeps the order: by the account, it would be all that the account was ever charged.
    SELECT r.root_id, 'delivered_and_refunded', i.charge_id || '/' || i.item
    FROM runs r CROSS JOIN charges c ON c.run_id = r.id CROSS JOIN charge_items i ON i.charge_id = c.id
    CROSS JOIN runs made ON made.root_id = r.root_id
    CROSS JOIN outputs o ON o.run_id = made.id AND o.item = i.item CROSS JOIN projects p ON p.id = o.project_id
    WHERE i.state = 'refunded' AND p.account_id = c.account_id AND o.state = 'stored' AND o.bytes > 0
      AND o.quarantined_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM runs also JOIN charges d ON d.run_id = also.id
                      JOIN charge_items j ON j.charge_id = d.id
                      WHERE also.root_id = r.root_id AND j.item = i.item AND j.state = 'delivered')
    UNION ALL
    SELECT r.root_id, 'stray_refund', f.id
    FROM runs r JOIN charges c ON c.run_id = r.id JOIN refunds f ON f.charge_id = c.id
    WHERE f.state = 'posted'
      AND (SELECT coalesce(sum(amount), 0) FROM refund_lines_said WHERE refund_id = f.id)
       <> (SELECT coalesce(sum(amount), 0) FROM refund_lines WHERE refund_id = f.id)
    UNION ALL
    SELECT r.root_id, 'status_without_refund', r.id
    FROM runs r JOIN charges c ON c.run_id = r.id
    WHERE r.status = 'refunded'
      AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.charge_id = c.id AND f.state = 'posted');

-- The runs to look at: those with an open item or a contradiction, and no others, so that settled
-- history costs a pass nothing. Kept by code, once a logical run at the end of each import and after
-- each effect: as triggers the same would run for every row of a charge, of an output and of a
-- refund, and a settled history could not be imported without passing through this table. The full
-- scan compares it with the two views above.
--
-- charged_at: posting of the first charge with an open item. next_at: when to look; none: for people.
-- touched: how often others changed it while a worker looked at it: what the worker saw is old then.
CREATE TABLE due_runs (
    root_id       TEXT PRIMARY KEY REFERENCES runs (id),
    charged_at    INTEGER,
    next_at       INTEGER,
    tries         INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    claimed_by    TEXT,
    claimed_until INTEGER,
    touched       INTEGER NOT NULL DEFAULT 0 CHECK (touched >= 0),
    why           TEXT,
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX due_runs_next ON due_runs (next_at, root_id) WHERE next_at IS NOT NULL;

INSERT INTO due_runs (root_id, charged_at, next_at)
    SELECT root_id, min(posted_at), min(posted_at) FROM open_items GROUP BY root_id;
INSERT INTO due_runs (root_id, next_at)
    SELECT DISTINCT root_id, 0 FROM run_contradictions WHERE root_id NOT IN (SELECT root_id FROM due_runs);

-- How a logical run stands after the reconciler changed it: with neither an open item nor a contradiction it
-- leaves the list.
CREATE VIEW due_run_changes (root_id, charged_at, contradicts, at) AS SELECT NULL, NULL, NULL, NULL WHERE false;
CREATE TRIGGER due_run_changes_write INSTEAD OF INSERT ON due_run_changes BEGIN
    DELETE FROM due_runs WHERE root_id = NEW.root_id AND NEW.charged_at IS NULL AND NOT NEW.contradicts;
    INSERT INTO due_runs (root_id, charged_at, next_at)
        SELECT NEW.root_id, NEW.charged_at, NEW.at WHERE NEW.charged_at IS NOT NULL OR NEW.contradicts
        ON CONFLICT (root_id) DO UPDATE SET charged_at = excluded.charged_at;
END;

-- The receipt of each effect of the reconciler: asked again, it is the answer, for ever.
CREATE TABLE sweep_steps (
    key     TEXT    NOT NULL,
    part    INTEGER NOT NULL CHECK (part >= 0),
    at      INTEGER NOT NULL,
    effect  TEXT    NOT NULL CHECK (json_valid(effect)),
    receipt TEXT    NOT NULL CHECK (json_valid(receipt)),
    PRIMARY KEY (key, part)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER sweep_steps_new BEFORE INSERT ON sweep_steps BEGIN
    SELECT RAISE(ABORT, 'the key is of an action') FROM actions WHERE key = NEW.key;
END;
CREATE TRIGGER sweep_steps_kept BEFORE UPDATE ON sweep_steps BEGIN SELECT RAISE(ABORT, 'receipts are never edited'); END;
CREATE TRIGGER sweep_steps_stay BEFORE DELETE ON sweep_steps BEGIN SELECT RAISE(ABORT, 'receipts are never deleted'); END;
CREATE TRIGGER actions_new BEFORE INSERT ON actions BEGIN
    SELECT RAISE(ABORT, 'the key is of the reconciler') FROM sweep_steps WHERE key = NEW.key;
END;

-- What the reconciler may do by itself. unseen_hours: a charge younger than that is restored only
-- where a failure of it was noticed before.
CREATE TABLE reconciler_limits (
    only_row              INTEGER PRIMARY KEY CHECK (only_row = 1),
    restorations_per_hour INTEGER NOT NULL CHECK (restorations_per_hour >= 0),
    unseen_hours          INTEGER NOT NULL CHECK (unseen_hours >= 0)
) STRICT;
INSERT INTO reconciler_limits VALUES (1, 10000, 23);

-- Its restorations by hour since 1970, counted in the transaction of each.
CREATE TABLE reconciler_hours (
    hour         INTEGER PRIMARY KEY,
    restorations INTEGER NOT NULL CHECK (restorations >= 1)
) STRICT;
CREATE TRIGGER reconciler_hours_up BEFORE UPDATE ON reconciler_hours
WHEN NEW.hour <> OLD.hour OR NEW.restorations <> OLD.restorations + 1 BEGIN
    SELECT RAISE(ABORT, 'restorations are counted one by one');
END;
CREATE TRIGGER reconciler_hours_stay BEFORE DELETE ON reconciler_hours BEGIN
    SELECT RAISE(ABORT, 'counts are never deleted');
END;

-- A restoration of the reconciler, whole: what is inserted here is written to all the tables that it is made
-- of. One statement is one message to the connection's thread, and the way there and back takes longer than most
-- statements; and it is a transaction by itself. Nothing can be read from it. It allows nothing: the rules of each
-- table hold for each row. A row without a refund is none: statements have few lengths.
-- items: of [item, credits]. said: lines as they were said, of [balance, kind, amount]. lines: those that move
-- credits, of [source, target, amount]. is_current: whether nobody has changed the record since it was read.
CREATE VIEW sweep_restorations (
    refund_id, refund_key, charge_id, account_id, run_id, root_id, detected_at, cause, key, part, at, hour, items, said,
    lines, effect, receipt, seq, detail, prev_hash, hash, letter_id, letter_kind, summary, payload, is_current) AS
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE false;
CREATE TRIGGER sweep_restorations_write INSTEAD OF INSERT ON sweep_restorations WHEN NEW.refund_id IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'the record was changed in this very moment') WHERE NEW.is_current IS NOT 1;
    INSERT INTO reconciler_hours (hour, restorations) VALUES (NEW.hour, 1)
        ON CONFLICT (hour) DO UPDATE SET restorations = restorations + 1;
    INSERT INTO refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
            detected_at, cause, action_key)
        VALUES (NEW.refund_id, NEW.refund_key, 'makegood', NEW.charge_id, NEW.account_id, NEW.run_id, NEW.at, 'posted',
            'auto', 1, NEW.detected_at, NEW.cause, NEW.key);
    INSERT INTO refund_items_said (refund_id, position, item)
        SELECT NEW.refund_id, i.key, i.value ->> 0 FROM json_each(NEW.items) i;
    INSERT INTO refund_lines_said (refund_id, position, balance_id, kind, amount)
        SELECT NEW.refund_id, l.key, l.value ->> 0, l.value ->> 1, l.value ->> 2 FROM json_each(NEW.said) l;
    INSERT INTO refund_items (refund_id, charge_id, account_id, item, amount)
        SELECT NEW.refund_id, NEW.charge_id, NEW.account_id, i.value ->> 0, i.value ->> 1 FROM json_each(NEW.items) i;
    INSERT INTO refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
        SELECT NEW.refund_id, l.key, NEW.charge_id, NEW.account_id, l.value ->> 0, l.value ->> 1, l.value ->> 2
        FROM json_each(NEW.lines) l;
    INSERT INTO due_run_changes (root_id, charged_at, contradicts, at) VALUES (NEW.root_id,
        (SELECT min(posted_at) FROM open_items WHERE root_id = NEW.root_id),
        EXISTS (SELECT 1 FROM run_contradictions WHERE root_id = NEW.root_id), NEW.at);
    INSERT INTO audit (seq, at, actor, act, subject, detail, prev_hash, hash)
        VALUES (NEW.seq, NEW.at, 'reconciler', 'restore', NEW.run_id, NEW.detail, NEW.prev_hash, NEW.hash);
    INSERT INTO outbox (id, seq, at, kind, action_key, summary, payload, state)
        SELECT NEW.letter_id, coalesce(max(seq) + 1, 1), NEW.at, NEW.letter_kind, NEW.key, NEW.summary, NEW.payload,
            'waiting' FROM outbox;
    INSERT INTO sweep_steps (key, part, at, effect, receipt) VALUES (NEW.key, NEW.part, NEW.at, NEW.effect, NEW.receipt);
END;

-- What was noticed, the first time of each. Only its end is added.
CREATE TABLE detections (
    kind        TEXT    NOT NULL CHECK (kind IN ('orphan', 'misplaced', 'damaged', 'duplicate_charge', 'contradiction')),
    subject     TEXT    NOT NULL,
    item        INTEGER NOT NULL CHECK (item >= 0),
    run_id      TEXT    NOT NULL REFERENCES runs (id),
    charge_id   TEXT REFERENCES charges (id),
    output_id   TEXT,
    cause       TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    detected_at INTEGER NOT NULL,
    closed_at   INTEGER,
    PRIMARY KEY (kind, subject, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX detections_newest ON detections (detected_at DESC);
CREATE INDEX detections_open ON detections (run_id) WHERE closed_at IS NULL;
CREATE INDEX detections_of_charge ON detections (charge_id, item) WHERE charge_id IS NOT NULL;
CREATE TRIGGER detections_kept BEFORE UPDATE ON detections BEGIN
    SELECT RAISE(ABORT, 'what was noticed is never edited')
    WHERE NEW.kind <> OLD.kind OR NEW.subject <> OLD.subject OR NEW.item <> OLD.item OR NEW.run_id <> OLD.run_id
       OR NEW.charge_id IS NOT OLD.charge_id OR NEW.output_id IS NOT OLD.output_id OR NEW.cause <> OLD.cause
       OR NEW.detail <> OLD.detail OR NEW.detected_at <> OLD.detected_at;
END;
CREATE TRIGGER detections_stay BEFORE DELETE ON detections BEGIN
    SELECT RAISE(ABORT, 'what was noticed is never deleted');
END;

CREATE TABLE passes (
    id          TEXT PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    report      TEXT    NOT NULL CHECK (json_valid(report))
) STRICT;
CREATE INDEX passes_newest ON passes (started_at DESC);
CREATE INDEX passes_finished ON passes (finished_at) WHERE finished_at IS NOT NULL;
CREATE TRIGGER passes_kept BEFORE UPDATE ON passes WHEN OLD.finished_at IS NOT NULL AND NEW.report <> OLD.report BEGIN
    SELECT RAISE(ABORT, 'the report of a finished pass is never edited');
END;
CREATE TRIGGER passes_stay BEFORE DELETE ON passes BEGIN SELECT RAISE(ABORT, 'reports are never deleted'); END;

-- An incident is opened by an action on a case, or by the reconciler without one.
CREATE TABLE incidents_of_either (
    id         TEXT PRIMARY KEY,
    case_id    TEXT REFERENCES cases (id),
    run_id     TEXT,
    summary    TEXT    NOT NULL,
    opened_at  INTEGER NOT NULL,
    action_key TEXT REFERENCES actions (key),
    sweep_key  TEXT,
    CHECK ((action_key IS NULL) = (case_id IS NULL)),
    CHECK ((action_key IS NULL) = (sweep_key IS NOT NULL))
) STRICT;
INSERT INTO incidents_of_either (id, case_id, run_id, summary, opened_at, action_key)
    SELECT id, case_id, run_id, summary, opened_at, action_key FROM incidents;
CREATE TABLE incident_outputs_of_either (
    incident_id TEXT NOT NULL REFERENCES incidents_of_either (id),
    output_id   TEXT NOT NULL REFERENCES outputs (id),
    PRIMARY KEY (incident_id, output_id)
) STRICT, WITHOUT ROWID;
INSERT INTO incident_outputs_of_either SELECT incident_id, output_id FROM incident_outputs;
DROP TABLE incident_outputs;
DROP TABLE incidents;
ALTER TABLE incidents_of_either RENAME TO incidents;
ALTER TABLE incident_outputs_of_either RENAME TO incident_outputs;

-- The newest refunds, for how well the promise is kept; what lies at a node, for what came there by mistake.
CREATE INDEX refunds_by_time ON refunds (posted_at);
-- The usage of a time, page by page, whosever it is.
CREATE INDEX charges_by_time ON charges (posted_at, id);
CREATE INDEX outputs_by_node ON outputs (node_id) WHERE node_id IS NOT NULL;
