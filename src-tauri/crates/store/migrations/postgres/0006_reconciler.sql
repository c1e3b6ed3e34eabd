-- What the reconciler needs: the runs to look at, what it noticed, what it did, and how its passes went.

-- What is charged and neither delivered nor refunded in full. An item that cost nothing is owed nothing.
CREATE VIEW record.open_items AS
    SELECT r.root_id, c.id AS charge_id, i.item, c.posted_at, i.price - i.refunded AS owed
    FROM record.runs r JOIN record.charges c ON c.run_id = r.id JOIN record.charge_items i ON i.charge_id = c.id
    WHERE i.state <> 'delivered' AND i.refunded < i.price;

-- Rows of a logical run that are true one by one and cannot be true together, by what contradicts what.
CREATE VIEW record.run_contradictions AS
    SELECT r.root_id, 'misplaced' AS what, o.id AS subject
    FROM record.runs r JOIN record.projects home ON home.id = r.project_id
    JOIN record.outputs o ON o.run_id = r.id JOIN record.projects there ON there.id = o.project_id
    WHERE o.quarantined_at IS NULL AND there.account_id <> home.account_id
    UNION ALL
    -- A second charge that is refunded stands beside the first one that the same output delivered.
    SELECT r.root_id, 'delivered_and_refunded', i.charge_id || '/' || i.item
    FROM record.runs r JOIN record.charges c ON c.run_id = r.id JOIN record.charge_items i ON i.charge_id = c.id
    JOIN record.runs made ON made.root_id = r.root_id
    JOIN record.outputs o ON o.run_id = made.id AND o.item = i.item JOIN record.projects p ON p.id = o.project_id
    WHERE i.state = 'refunded' AND p.account_id = c.account_id AND o.state = 'stored' AND o.bytes > 0
      AND o.quarantined_at IS NULL
      -- As a list, so that it is found from the run and not from all items of that number.
      AND i.item <> ALL (ARRAY(SELECT j.item FROM record.runs also JOIN record.charges d ON d.run_id = also.id
                               JOIN record.charge_items j ON j.charge_id = d.id
                               WHERE also.root_id = r.root_id AND j.state = 'delivered'))
    UNION ALL
    SELECT r.root_id, 'stray_refund', f.id
    FROM record.runs r JOIN record.charges c ON c.run_id = r.id JOIN record.refunds f ON f.charge_id = c.id
    WHERE f.state = 'posted'
      AND (SELECT coalesce(sum(amount), 0) FROM record.refund_lines_said WHERE refund_id = f.id)
       <> (SELECT coalesce(sum(amount), 0) FROM record.refund_lines WHERE refund_id = f.id)
    UNION ALL
    SELECT r.root_id, 'status_without_refund', r.id
    FROM record.runs r JOIN record.charges c ON c.run_id = r.id
    WHERE r.status = 'refunded'
      AND NOT EXISTS (SELECT 1 FROM record.refunds f WHERE f.charge_id = c.id AND f.state = 'posted');

-- The runs to look at: those with an open item or a contradiction, and no others, so that settled
-- history costs a pass nothing. Kept by record.follow_due, once a logical run at the end of each import
-- and after each effect; the full scan compares it with the two views above.
--
-- charged_at: posting of the first charge with an open item. next_at: when to look; null: for people.
-- touched: how often others changed it while a worker looked at it: what the worker saw is old then.
CREATE TABLE record.due_runs (
    root_id       text PRIMARY KEY REFERENCES record.runs (id),
    charged_at    bigint,
    next_at       bigint,
    tries         bigint NOT NULL DEFAULT 0 CHECK (tries >= 0),
    claimed_by    text,
    claimed_until bigint,
    touched       bigint NOT NULL DEFAULT 0 CHECK (touched >= 0),
    why           text,
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);
CREATE INDEX due_runs_next ON record.due_runs (next_at, root_id COLLATE "C") WHERE next_at IS NOT NULL;

INSERT INTO record.due_runs (root_id, charged_at, next_at)
    SELECT root_id, min(posted_at), min(posted_at) FROM record.open_items GROUP BY root_id;
INSERT INTO record.due_runs (root_id, next_at)
    SELECT DISTINCT root_id, 0 FROM record.run_contradictions
    WHERE root_id NOT IN (SELECT root_id FROM record.due_runs);

-- The receipt of each effect of the reconciler: asked again, it is the answer, for ever.
CREATE TABLE record.sweep_steps (
    key     text   NOT NULL,
    part    bigint NOT NULL CHECK (part >= 0),
    at      bigint NOT NULL,
    effect  jsonb  NOT NULL,
    receipt jsonb  NOT NULL,
    PRIMARY KEY (key, part)
);
CREATE TRIGGER sweep_steps_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.sweep_steps
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('receipts are never edited');

-- What the reconciler may do by itself. unseen_hours: a charge younger than that is restored only
-- where a failure of it was noticed before.
CREATE TABLE record.reconciler_limits (
    only_row              bigint PRIMARY KEY CHECK (only_row = 1),
    restorations_per_hour bigint NOT NULL CHECK (restorations_per_hour >= 0),
    unseen_hours          bigint NOT NULL CHECK (unseen_hours >= 0)
);
INSERT INTO record.reconciler_limits VALUES (1, 10000, 23);

-- Its restorations by hour since 1970, counted in the transaction of each: in parts, or all its workers
-- would wait for one row.
CREATE TABLE record.reconciler_hours (
    hour         bigint NOT NULL,
    part         bigint NOT NULL DEFAULT 0 CHECK (part BETWEEN 0 AND 15),
    restorations bigint NOT NULL CHECK (restorations >= 0),
    PRIMARY KEY (hour, part)
) WITH (fillfactor = 50);
CREATE TRIGGER reconciler_hours_stay BEFORE DELETE OR TRUNCATE ON record.reconciler_hours
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('counts are never deleted');
CREATE TRIGGER reconciler_hours_up BEFORE UPDATE ON record.reconciler_hours
    FOR EACH ROW WHEN (NEW.hour <> OLD.hour OR NEW.part <> OLD.part OR NEW.restorations <= OLD.restorations)
    EXECUTE FUNCTION record.only_grows('restorations are counted upwards');

-- What was noticed, the first time of each. Only its end is added.
CREATE TABLE record.detections (
    kind        text   NOT NULL CHECK (kind IN ('orphan', 'misplaced', 'damaged', 'duplicate_charge', 'contradiction')),
    subject     text   NOT NULL,
    item        bigint NOT NULL CHECK (item >= 0),
    run_id      text   NOT NULL REFERENCES record.runs (id),
    charge_id   text REFERENCES record.charges (id),
    output_id   text,
    cause       text   NOT NULL,
    detail      text   NOT NULL,
    detected_at bigint NOT NULL,
    closed_at   bigint,
    PRIMARY KEY (kind, subject, item)
);
CREATE INDEX detections_newest ON record.detections (detected_at DESC);
CREATE INDEX detections_open ON record.detections (run_id) WHERE closed_at IS NULL;
CREATE INDEX detections_of_charge ON record.detections (charge_id, item) WHERE charge_id IS NOT NULL;
CREATE TRIGGER detections_kept BEFORE UPDATE OF kind, subject, item, run_id, charge_id, output_id, cause, detail,
    detected_at ON record.detections
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was noticed is never edited');
CREATE TRIGGER detections_stay BEFORE DELETE OR TRUNCATE ON record.detections
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was noticed is never deleted');

CREATE TABLE record.passes (
    id          text PRIMARY KEY,
    started_at  bigint NOT NULL,
    finished_at bigint,
    report      jsonb  NOT NULL
);
CREATE INDEX passes_newest ON record.passes (started_at DESC);
CREATE INDEX passes_finished ON record.passes (finished_at) WHERE finished_at IS NOT NULL;
CREATE TRIGGER passes_kept BEFORE UPDATE ON record.passes
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL AND NEW.report <> OLD.report)
    EXECUTE FUNCTION record.only_grows('the report of a finished pass is never edited');
CREATE TRIGGER passes_stay BEFORE DELETE OR TRUNCATE ON record.passes
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('reports are never deleted');

-- The newest refunds, for how well the promise is kept; what lies at a node, for what came there by mistake.
CREATE INDEX refunds_by_time ON record.refunds (posted_at);
-- The usage of a time, page by page, whosever it is.
CREATE INDEX charges_by_time ON record.charges (posted_at, id COLLATE "C");
CREATE INDEX outputs_by_node ON record.outputs (node_id) WHERE node_id IS NOT NULL;

CREATE VIEW api.open_items AS SELECT * FROM record.open_items;
CREATE VIEW api.run_contradictions AS SELECT * FROM record.run_contradictions;
CREATE VIEW api.due_runs AS SELECT * FROM record.due_runs;
CREATE VIEW api.sweep_steps AS SELECT key, part, at, effect::text AS effect, receipt::text AS receipt FROM record.sweep_steps;
CREATE VIEW api.reconciler_limits AS SELECT * FROM record.reconciler_limits;
CREATE VIEW api.reconciler_hours AS
    SELECT hour, sum(restorations)::bigint AS restorations FROM record.reconciler_hours GROUP BY hour;
CREATE VIEW api.detections AS SELECT * FROM record.detections;
CREATE VIEW api.passes AS SELECT id, started_at, finished_at, report::text AS report FROM record.passes;
