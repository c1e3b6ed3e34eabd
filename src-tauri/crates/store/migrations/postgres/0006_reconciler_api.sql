-- What the reconciler calls, and what keeps its list right.

-- Posting of the first charge of a logical run with an open item, as record.open_items has it, and
-- whether rows of it contradict each other, as record.run_contradictions has it. Asked step by step: a
-- plan is made when a connection first needs it, perhaps while the tables are empty, and kept; so no step
-- may leave the planner a choice but the index by what the step before found. For the same reason the
-- smallest is taken of what was found, and not looked for along an index by time.
CREATE FUNCTION record.look_at(p_root text, OUT charged_at bigint, OUT contradicts boolean) LANGUAGE plpgsql STABLE
SET enable_seqscan = off AS $$
DECLARE
    v_runs text[];
    v_is_said boolean;
    v_charges text[];
BEGIN
    SELECT array_agg(id), bool_or(status = 'refunded') INTO v_runs, v_is_said FROM record.runs WHERE root_id = p_root;
    SELECT array_agg(c.id), min(c.posted_at) FILTER (WHERE EXISTS (SELECT 1 FROM record.charge_items i
               WHERE i.charge_id = c.id AND i.state <> 'delivered' AND i.refunded < i.price))
    INTO v_charges, charged_at FROM record.charges c WHERE c.run_id = ANY (v_runs);
    contradicts := false;
    IF charged_at IS NULL THEN -- Else on the list in any case.
        -- Of what was restored here, what was said is what was posted.
        contradicts := EXISTS (SELECT 1 FROM record.refunds f
            WHERE f.charge_id = ANY (v_charges) AND f.origin = 'feed' AND f.state = 'posted'
              AND (SELECT coalesce(sum(amount), 0) FROM record.refund_lines_said WHERE refund_id = f.id)
               <> (SELECT coalesce(sum(amount), 0) FROM record.refund_lines WHERE refund_id = f.id));
        IF NOT contradicts AND v_is_said THEN
            contradicts := EXISTS (SELECT 1 FROM record.charges c WHERE c.id = ANY (v_charges)
                AND (SELECT status FROM record.runs WHERE id = c.run_id) = 'refunded'
                AND c.id <> ALL (ARRAY(SELECT charge_id FROM record.refunds
                                       WHERE charge_id = ANY (v_charges) AND state = 'posted')));
        END IF;
        IF NOT contradicts AND EXISTS (SELECT 1 FROM record.outputs WHERE run_id = ANY (v_runs)) THEN
            contradicts := record.outputs_contradict(v_runs, v_charges);
        END IF;
    END IF;
END $$;

-- Whether outputs of a logical run lie with another account, or stand beside a refund of their item.
CREATE FUNCTION record.outputs_contradict(p_runs text[], p_charges text[]) RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off AS $$
DECLARE
    v_refunded bigint[] := ARRAY(SELECT item FROM record.charge_items
        WHERE charge_id = ANY (p_charges) AND state = 'refunded'
        EXCEPT SELECT item FROM record.charge_items WHERE charge_id = ANY (p_charges) AND state = 'delivered');
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM record.outputs o WHERE o.run_id = ANY (p_runs) AND o.quarantined_at IS NULL
            AND (SELECT account_id FROM record.projects WHERE id = o.project_id) <> (
                SELECT account_id FROM record.projects WHERE id = (SELECT project_id FROM record.runs WHERE id = o.run_id))
    ) OR EXISTS (
        SELECT 1 FROM record.outputs o WHERE o.run_id = ANY (p_runs) AND o.item = ANY (v_refunded)
            AND o.state = 'stored' AND o.bytes > 0 AND o.quarantined_at IS NULL
            AND (SELECT account_id FROM record.projects WHERE id = o.project_id) = ANY (ARRAY(
                SELECT account_id FROM record.charges WHERE id = ANY (p_charges))));
END $$;

-- Brings the list in line with a logical run: puts it on, wakes it, or takes it off; returns how many
-- rows of it changed. Whoever looks at the run meanwhile will be told that it changed.
CREATE OR REPLACE FUNCTION record.follow_due(p_root text, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_look record;
    v_changed bigint;
BEGIN
    -- Locked first: what somebody else adds to the run comes before the look, or finds no row.
    PERFORM 1 FROM record.due_runs WHERE root_id = p_root FOR UPDATE;
    v_look := record.look_at(p_root);
    IF v_look.charged_at IS NULL AND NOT v_look.contradicts THEN
        DELETE FROM record.due_runs WHERE root_id = p_root;
        GET DIAGNOSTICS v_changed = ROW_COUNT;
        RETURN v_changed;
    END IF;
    LOOP
        INSERT INTO record.due_runs (root_id, charged_at, next_at) VALUES (p_root, v_look.charged_at, p_at)
        ON CONFLICT (root_id) DO NOTHING;
        EXIT WHEN FOUND;
        UPDATE record.due_runs SET charged_at = v_look.charged_at, why = NULL, next_at = least(next_at, p_at),
            touched = touched + (claimed_until IS NOT NULL)::int
        WHERE root_id = p_root;
        EXIT WHEN FOUND; -- Else somebody has just taken it off.
    END LOOP;
    RETURN 1;
END $$;

-- The same after a reconciler's own change, which is no news to the one who looks: its own look says when
-- the next one is, and a run that waits for people goes on waiting.
CREATE OR REPLACE FUNCTION record.renew_due(p_root text, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_look record;
    v_changed bigint;
BEGIN
    PERFORM 1 FROM record.due_runs WHERE root_id = p_root FOR UPDATE;
    v_look := record.look_at(p_root);
    IF v_look.charged_at IS NULL AND NOT v_look.contradicts THEN
        DELETE FROM record.due_runs WHERE root_id = p_root;
    ELSE
        UPDATE record.due_runs SET charged_at = v_look.charged_at WHERE root_id = p_root;
        IF NOT FOUND THEN
            RETURN record.follow_due(p_root, p_at);
        END IF;
    END IF;
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    RETURN v_changed;
END $$;

-- Claims runs whose next look is not after now: [{"root_id", "charged_at", "tries"}], the earliest
-- first, then by id. What another worker is just claiming is passed over.
CREATE FUNCTION api.claim_due(p_worker text, p_limit bigint, p_lease bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_claimed jsonb;
BEGIN
    WITH due AS (
        SELECT root_id FROM record.due_runs
        WHERE next_at <= v_at AND (claimed_until IS NULL OR claimed_until <= v_at)
        ORDER BY next_at, root_id COLLATE "C" LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED),
    claimed AS (
        UPDATE record.due_runs d SET claimed_by = p_worker, claimed_until = v_at + p_lease, tries = tries + 1, touched = 0
        FROM due WHERE d.root_id = due.root_id
        RETURNING d.root_id, d.charged_at, d.tries - 1 AS tries, d.next_at)
    SELECT jsonb_agg(jsonb_build_object('root_id', root_id, 'charged_at', charged_at, 'tries', tries)
                     ORDER BY next_at, root_id COLLATE "C") INTO v_claimed
    FROM claimed;
    RETURN coalesce(v_claimed, '[]');
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Ends the claim of a worker with what comes next; somebody else's stays. A run that others changed
-- meanwhile is looked at again at once, one that is ended as done and open all the same in an hour.
CREATE FUNCTION api.end_look(p_root text, p_worker text, p_next jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_look record;
BEGIN
    PERFORM 1 FROM record.due_runs WHERE root_id = p_root AND claimed_by = p_worker FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_look := record.look_at(p_root);
    IF v_look.charged_at IS NULL AND NOT v_look.contradicts THEN
        DELETE FROM record.due_runs WHERE root_id = p_root;
        RETURN NULL;
    END IF;
    UPDATE record.due_runs SET claimed_by = NULL, claimed_until = NULL, touched = 0, charged_at = v_look.charged_at,
        next_at = CASE WHEN touched > 0 THEN v_at
                       WHEN p_next ->> 'next' = 'at' THEN record.instant(p_next ->> 'at')
                       WHEN p_next ->> 'next' = 'done' THEN v_at + 3600000000 END,
        why = CASE WHEN touched = 0 THEN p_next ->> 'why' END
    WHERE root_id = p_root;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- When and why a failure of one of these items was first noticed, apart from a posting (R16).
CREATE OR REPLACE FUNCTION record.noticed(p_charge text, p_items jsonb, OUT at bigint, OUT cause text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT d.detected_at, d.cause INTO at, cause FROM record.detections d
    WHERE d.charge_id = p_charge
      AND (d.item = 0 OR p_items @> jsonb_build_array(jsonb_build_object('item', d.item)))
      AND d.kind IN ('orphan', 'damaged', 'duplicate_charge')
    ORDER BY d.detected_at LIMIT 1;
END $$;

-- Refuses a restoration of a young charge of which nothing was noticed before.
CREATE FUNCTION record.check_noticed(p_wanted jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_charge text := p_wanted ->> 'charge_id';
    v_item jsonb;
BEGIN
    FOR v_item IN SELECT i.said FROM jsonb_array_elements(p_wanted -> 'items') AS i (said) ORDER BY i.said -> 'item' LOOP
        IF (record.noticed(v_charge, jsonb_build_array(v_item))).at IS NULL THEN
            PERFORM record.refuse(format('nothing was noticed about item %s of charge %s, and it is younger than %s hours',
                v_item -> 'item', v_charge, (SELECT unseen_hours FROM record.reconciler_limits)));
        END IF;
    END LOOP;
END $$;

-- Counts a restoration of the reconciler in its hour, up to as many as it may: in the part of its
-- connection, and where that has its share, in any other. Returns the part.
CREATE FUNCTION record.count_sweep(p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_hour bigint := div(p_at, 3600000000);
    v_own bigint := pg_backend_pid() % 16;
    v_most bigint := (SELECT restorations_per_hour FROM record.reconciler_limits);
    v_part bigint;
BEGIN
    UPDATE record.reconciler_hours SET restorations = restorations + 1
    WHERE hour = v_hour AND part = v_own AND restorations < (v_most + 15 - v_own) / 16;
    IF FOUND THEN
        RETURN v_own;
    END IF;
    INSERT INTO record.reconciler_hours (hour, part, restorations)
    SELECT v_hour, part, 0 FROM generate_series(0, 15) AS part ON CONFLICT (hour, part) DO NOTHING;
    UPDATE record.reconciler_hours SET restorations = restorations + 1
    WHERE hour = v_hour AND part = (
            SELECT part FROM record.reconciler_hours WHERE hour = v_hour AND restorations < (v_most + 15 - part) / 16
            ORDER BY (part - v_own + 16) % 16 LIMIT 1 FOR NO KEY UPDATE)
        AND (SELECT sum(restorations) FROM record.reconciler_hours WHERE hour = v_hour) < v_most
    RETURNING part INTO v_part;
    IF NOT FOUND THEN
        PERFORM record.refuse(format(
            'the reconciler has made %s restorations in this hour, as many as it may: people must look first', v_most));
    END IF;
    RETURN v_part;
END $$;

-- The receipt of a part of a key, or null. Refuses another effect under the same.
CREATE FUNCTION record.sweep_receipt(p_key text, p_part bigint, p_effect jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_done record.sweep_steps;
BEGIN
    SELECT * INTO v_done FROM record.sweep_steps WHERE key = p_key AND part = p_part;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF v_done.effect <> p_effect THEN
        PERFORM record.refuse(format('%s.%s was done already, with another effect', p_key, p_part));
    END IF;
    RETURN jsonb_build_object('step', 0, 'part', p_part, 'at', v_done.at, 'receipt', v_done.receipt);
END $$;

CREATE OR REPLACE FUNCTION record.is_sweep(p_key text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM record.sweep_steps WHERE key = p_key);
END $$;

-- Locks the run that an effect is about, and returns its logical run; null for those about none. Of two
-- reconcilers that do the same at a time the second sees what the first did.
CREATE FUNCTION record.lock_run(p_effect jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_run text := coalesce(p_effect ->> 'run_id', p_effect -> 'restoration' ->> 'run_id');
    v_root text;
BEGIN
    IF v_run IS NULL THEN
        v_run := (SELECT run_id FROM record.outputs WHERE id = p_effect ->> 'output_id');
    END IF;
    SELECT root_id INTO v_root FROM record.runs WHERE id = v_run FOR NO KEY UPDATE;
    RETURN v_root;
END $$;

-- Does one effect on behalf of the reconciler, without a case: the same (key, part) has the same
-- receipt for ever. Only on items, outputs, incidents and jobs; a restoration only of what was noticed
-- before or is old, and only so many in an hour.
-- Plans are made once, and by indexes, as those of api.apply.
CREATE FUNCTION api.settle(p_key text, p_part bigint, p_effect jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_kind text := p_effect ->> 'effect';
    v_known jsonb;
    v_receipt jsonb;
    v_part bigint;
BEGIN
    PERFORM record.lock_run(p_effect);
    IF v_kind NOT IN ('lease_item', 'deliver', 'release_item', 'restore', 'quarantine', 'open_incident',
        'cancel_upstream', 'move') THEN
        PERFORM record.refuse('the reconciler settles items, outputs, incidents and jobs, nothing else');
    ELSIF coalesce(p_key, '') = '' OR p_part IS NULL OR p_part < 0 THEN
        PERFORM record.refuse('what is settled needs a key, and the number of its part, none below 0');
    ELSIF v_kind = 'restore' THEN
        IF p_effect ->> 'refund_id' IS NULL THEN
            PERFORM record.refuse('a restoration needs the id of its refund');
        END IF;
        PERFORM record.check_wanted(p_effect -> 'restoration');
    END IF;
    v_known := record.sweep_receipt(p_key, p_part, p_effect);
    IF v_known IS NOT NULL THEN
        RETURN v_known;
    ELSIF EXISTS (SELECT 1 FROM record.actions WHERE key = p_key) THEN
        PERFORM record.refuse(format('the key %s is an action''s', p_key));
    END IF;
    IF v_kind = 'restore' AND EXISTS (SELECT 1 FROM record.charges c CROSS JOIN record.reconciler_limits l
            WHERE c.id = p_effect -> 'restoration' ->> 'charge_id' AND v_at - c.posted_at < l.unseen_hours * 3600000000) THEN
        PERFORM record.check_noticed(p_effect -> 'restoration', v_at);
    END IF;
    v_receipt := record.do_effect(p_key, format('%s.0.%s', p_key, p_part), 'reconciler', NULL, NULL, p_effect, v_at);
    INSERT INTO record.sweep_steps (key, part, at, effect, receipt)
    VALUES (p_key, p_part, v_at, p_effect, v_receipt) ON CONFLICT (key, part) DO NOTHING;
    IF NOT FOUND THEN
        -- Of another run, in this very moment. Sent again, it is told so.
        RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'a key was used twice at a time: to be sent again';
    END IF;
    IF v_kind = 'restore' THEN
        v_part := record.count_sweep(v_at);
    END IF;
    RETURN jsonb_build_object('step', 0, 'part', p_part, 'at', v_at, 'receipt', v_receipt);
END $$;

-- Keeps what was noticed; true where it is new. Of the same the first time counts; it can be so again.
CREATE FUNCTION api.detect(p_detection jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_item bigint;
BEGIN
    v_item := p_detection ->> 'item';
    INSERT INTO record.detections (kind, subject, item, run_id, charge_id, output_id, cause, detail, detected_at, closed_at)
    VALUES (p_detection ->> 'kind', p_detection ->> 'subject', v_item, p_detection ->> 'run_id',
            p_detection ->> 'charge_id', p_detection ->> 'output_id', p_detection ->> 'cause', p_detection ->> 'detail',
            record.clock(record.instant(p_detection ->> 'detected_at')), record.instant(p_detection ->> 'closed_at'))
    ON CONFLICT (kind, subject, item) DO NOTHING;
    IF FOUND THEN
        RETURN 'true';
    END IF;
    UPDATE record.detections SET closed_at = NULL
    WHERE kind = p_detection ->> 'kind' AND subject = p_detection ->> 'subject' AND item = v_item
      AND closed_at IS NOT NULL;
    RETURN 'false';
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Closes the open detections of a logical run that `p_still` no longer holds; returns how many.
CREATE FUNCTION api.close_detections(p_root text, p_still jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_closed bigint;
BEGIN
    UPDATE record.detections d SET closed_at = record.clock(p_at)
    FROM record.runs r
    WHERE r.root_id = p_root AND d.run_id = r.id AND d.closed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(p_still) AS s (kind text, subject text, item bigint)
                      WHERE (s.kind, s.subject, s.item) = (d.kind, d.subject, d.item));
    GET DIAGNOSTICS v_closed = ROW_COUNT;
    RETURN to_jsonb(v_closed);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Writes the report of a pass: at its start, and again at its end.
CREATE FUNCTION api.save_pass(p_report jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_id text := p_report ->> 'id';
    v_finished_at bigint;
BEGIN
    v_finished_at := record.instant(p_report ->> 'finished_at');
    INSERT INTO record.passes (id, started_at, finished_at, report)
    VALUES (v_id, record.instant(p_report ->> 'started_at'), v_finished_at, p_report) ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        UPDATE record.passes SET finished_at = v_finished_at, report = p_report WHERE id = v_id;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;
