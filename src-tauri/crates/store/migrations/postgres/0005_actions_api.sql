-- The journal's functions: the intent before anything is done, a receipt for each effect, the end.
-- The same key always gets the same answer; keys are kept for ever.

CREATE VIEW api.actions AS
    SELECT key, case_id, kind, digest, agent, at, reason, plan::text AS plan, state, why, retry, finished_at, row_no
    FROM record.actions;
CREATE VIEW api.action_steps AS
    SELECT key, step, part, at, effect::text AS effect, receipt::text AS receipt FROM record.action_steps;
CREATE VIEW api.incidents AS SELECT * FROM record.incidents;
CREATE VIEW api.incident_outputs AS SELECT * FROM record.incident_outputs;
CREATE VIEW api.outbox AS
    SELECT id, seq, at, kind, case_id, action_key, summary, payload::text AS payload, state FROM record.outbox;

-- What keeps a person from doing a plan alone: null, or {"amount", "why"}. Nothing does until people
-- have limits.
CREATE FUNCTION record.check_limits(p_person text, p_case text, p_plan jsonb, p_reason text, p_key text, p_at bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;

-- Brings the list of runs that a reconciler has to look at in line with a logical run; returns how many
-- rows of it changed. There is none yet.
CREATE FUNCTION record.follow_due(p_root text, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN 0;
END $$;
-- The same after a change that a reconciler made.
CREATE FUNCTION record.renew_due(p_root text, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN 0;
END $$;

-- Whether a key is the reconciler's. It has none yet.
CREATE FUNCTION record.is_sweep(p_key text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN false;
END $$;

-- Whether a value is a whole number of credits, or of things that are counted.
CREATE FUNCTION record.is_count(p_value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE WHEN jsonb_typeof(p_value) = 'number' THEN p_value::numeric BETWEEN 0 AND 9000000000000000
        AND p_value::numeric = trunc(p_value::numeric) END, false)
$$;

-- Refuses what no restoration looks like. A credit below 0 would make the sum of a plan small, and with it
-- what needs a second person.
CREATE FUNCTION record.check_wanted(p_wanted jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(p_wanted -> 'items') IS DISTINCT FROM 'array' THEN
        PERFORM record.refuse('a restoration needs its items as a list');
    ELSIF jsonb_typeof(p_wanted -> 'lines') IS DISTINCT FROM 'array' THEN
        PERFORM record.refuse('a restoration needs its lines as a list');
    ELSIF EXISTS (SELECT 1 FROM jsonb_array_elements(p_wanted -> 'items') AS i
                  WHERE NOT record.is_count(i -> 'item') OR NOT record.is_count(i -> 'credits'))
        OR EXISTS (SELECT 1 FROM jsonb_array_elements(p_wanted -> 'lines') AS l WHERE NOT record.is_count(l -> 'amount')) THEN
        PERFORM record.refuse('items and credits of a restoration are whole numbers, none below 0');
    END IF;
END $$;

-- Refuses what no release looks like, for the same reason.
CREATE FUNCTION record.check_released(p_released jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(p_released -> 'items') IS DISTINCT FROM 'array'
        OR jsonb_typeof(p_released -> 'refund_ids') IS DISTINCT FROM 'array' THEN
        PERFORM record.refuse('a release needs its items and refunds as lists');
    ELSIF NOT record.is_count(p_released -> 'amount') THEN
        PERFORM record.refuse('what a release takes is a whole number, not below 0');
    END IF;
END $$;

-- Refuses what no order and no plan looks like, before anything is made of it.
CREATE FUNCTION record.check_plan(p_order jsonb, p_plan jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_step jsonb;
BEGIN
    IF coalesce(p_order ->> 'key', '') = '' OR coalesce(p_order ->> 'digest', '') = '' THEN
        PERFORM record.refuse('an action needs a key and the digest of its plan');
    ELSIF p_plan ->> 'case_id' IS NULL OR NOT record.is_count(p_plan -> 'case_revision') THEN
        PERFORM record.refuse('a plan needs a case and its revision');
    ELSIF p_plan ->> 'kind' IS NULL OR jsonb_typeof(p_plan -> 'steps') IS DISTINCT FROM 'array' THEN
        PERFORM record.refuse('a plan needs a kind and a list of steps');
    END IF;
    FOR v_step IN SELECT s FROM jsonb_array_elements(p_plan -> 'steps') AS s LOOP
        IF coalesce(v_step ->> 'step', '') NOT IN ('do', 'recover_item')
            OR (v_step ->> 'step' = 'do' AND coalesce(v_step -> 'effect' ->> 'effect', '') NOT IN ('lease_item', 'deliver',
                'release_item', 'release', 'restore', 'move', 'quarantine', 'open_incident', 'link_ticket', 'cancel_upstream',
                'tell_owner', 'say', 'set_case')) THEN
            PERFORM record.refuse('a step of the plan is nothing that can be done');
        ELSIF (v_step ->> 'step' = 'recover_item' OR v_step -> 'effect' ->> 'effect' = 'move')
            AND coalesce(v_step -> 'place' ->> 'kind', v_step -> 'effect' -> 'place' ->> 'kind', '')
                NOT IN ('node', 'history', 'hold') THEN
            PERFORM record.refuse('a step of the plan puts a file at no place that there is');
        ELSIF v_step -> 'effect' ->> 'effect' = 'restore' THEN
            PERFORM record.check_wanted(v_step -> 'effect' -> 'restoration');
        ELSIF v_step -> 'effect' ->> 'effect' = 'release' THEN
            PERFORM record.check_released(v_step -> 'effect');
        END IF;
    END LOOP;
END $$;

-- Journals an intent: {"begun": "new" | "existing" | "key_conflict"}, or {"begun": "case_changed",
-- "revision"}, {"begun": "busy", "key", "kind"}, {"begun": "approval_needed", "amount", "why"}.
CREATE FUNCTION api.begin_action(p_order jsonb, p_plan jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_key text := p_order ->> 'key';
    v_case text := p_plan ->> 'case_id';
    v_digest text := p_order ->> 'digest';
    v_agent text := record.person(p_order ->> 'agent');
    v_at bigint := record.clock(p_at);
    v_revision bigint;
    v_known record.actions;
    v_limit jsonb;
BEGIN
    PERFORM record.check_plan(p_order, p_plan);
    SELECT revision INTO v_revision FROM record.cases WHERE id = v_case FOR NO KEY UPDATE;
    SELECT * INTO v_known FROM record.actions WHERE key = v_key;
    IF FOUND THEN
        RETURN jsonb_build_object('begun', CASE WHEN v_known.digest = v_digest AND v_known.case_id = v_case
            THEN 'existing' ELSE 'key_conflict' END);
    ELSIF record.is_sweep(v_key) THEN
        RETURN '{"begun": "key_conflict"}';
    ELSIF v_revision IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'case', DETAIL = v_case;
    ELSIF v_revision <> (p_plan ->> 'case_revision')::bigint THEN
        RETURN jsonb_build_object('begun', 'case_changed', 'revision', v_revision);
    END IF;
    SELECT * INTO v_known FROM record.actions WHERE case_id = v_case AND finished_at IS NULL;
    IF FOUND THEN
        RETURN jsonb_build_object('begun', 'busy', 'key', v_known.key, 'kind', v_known.kind);
    END IF;
    v_limit := record.check_limits(v_agent, v_case, p_plan, p_order ->> 'reason', v_key, v_at);
    IF v_limit IS NOT NULL THEN
        RETURN v_limit || '{"begun": "approval_needed"}';
    END IF;
    INSERT INTO record.actions (key, case_id, kind, digest, agent, at, reason, plan, state)
    VALUES (v_key, v_case, p_plan ->> 'kind', v_digest, v_agent, v_at, p_order ->> 'reason', p_plan, 'running')
    ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        -- Begun on another case in this very moment. An approval that was used for it stays unused.
        RAISE EXCEPTION USING ERRCODE = 'MG002', MESSAGE = 'action', DETAIL = v_key;
    END IF;
    PERFORM record.add_audit(v_agent, 'begin_action', v_case, jsonb_build_object('action', v_key,
        'kind', p_plan -> 'kind', 'remedy', p_plan -> 'remedy', 'digest', v_digest, 'reason', p_order -> 'reason'), v_at);
    RETURN '{"begun": "new"}';
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Whether an effect is one of those that a step of a plan may have. Of a recovery the epoch and the
-- file are learned on the way; all else is as it was reviewed.
CREATE FUNCTION record.is_of_step(p_step jsonb, p_part bigint, p_effect jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE
        WHEN p_step ->> 'step' = 'do' THEN p_part = 0 AND p_step -> 'effect' = p_effect
        WHEN p_step ->> 'step' = 'recover_item' THEN
            p_step -> 'run_id' = p_effect -> 'run_id' AND p_step -> 'item' = p_effect -> 'item'
            AND p_part BETWEEN 0 AND 2147483647 AND (p_effect ->> 'effect' IN ('lease_item', 'release_item')
                OR (p_effect ->> 'effect' = 'deliver' AND p_step -> 'output_id' = p_effect -> 'output_id'
                    AND p_step -> 'place' = p_effect -> 'place'))
        END, false)
$$;

-- Does one effect; what breaks a rule of the tables is refused in plain words.
CREATE FUNCTION record.try_effect(p_key text, p_id text, p_agent text, p_case text, p_ticket text, p_effect jsonb,
    p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN record.do_effect(p_key, p_id, p_agent, p_case, p_ticket, p_effect, p_at);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Does one effect of an action's plan with its journal row, its audit line, and what goes out.
-- Returns the step's receipt, {"step", "part", "at", "receipt"} with `at` in microseconds: the same
-- step and part of a key have it for ever. Raises why the record forbids it.
-- Plans are made once: every statement finds its rows by a key, whatever the values are. And by an
-- index: a plan that a connection made while a table was empty would read the whole of it later.
CREATE FUNCTION api.apply(p_key text, p_step bigint, p_part bigint, p_effect jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_case text;
    v_ticket text;
    v_agent text;
    v_over text;
    v_step jsonb;
    v_done record.action_steps;
    v_receipt jsonb;
BEGIN
    SELECT a.case_id, c.ticket_id, a.agent, CASE WHEN a.finished_at IS NOT NULL THEN a.state END,
        -- A place below 0 would count from the end: the last step under a second number.
        CASE WHEN p_step BETWEEN 0 AND 2147483647 THEN a.plan -> 'steps' -> p_step::int END
    INTO v_case, v_ticket, v_agent, v_over, v_step
    FROM record.actions a JOIN record.cases c ON c.id = a.case_id WHERE a.key = p_key FOR NO KEY UPDATE OF a;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'action', DETAIL = coalesce(p_key, '');
    END IF;
    SELECT * INTO v_done FROM record.action_steps WHERE key = p_key AND step = p_step AND part = p_part;
    IF FOUND THEN
        IF v_done.effect = p_effect THEN
            RETURN jsonb_build_object('step', p_step, 'part', p_part, 'at', v_done.at, 'receipt', v_done.receipt);
        END IF;
        PERFORM record.refuse(format('step %s.%s of action %s was done already, with another effect',
            p_step, p_part, p_key));
    ELSIF v_over IS NOT NULL THEN
        PERFORM record.refuse(format('action %s is over: %s', p_key, v_over));
    ELSIF NOT record.is_of_step(v_step, p_part, p_effect) THEN
        PERFORM record.refuse(format('step %s of the plan of action %s is another one', p_step, p_key));
    END IF;
    v_agent := record.person(v_agent);
    v_receipt := record.try_effect(p_key, format('%s.%s.%s', p_key, p_step, p_part), v_agent, v_case, v_ticket, p_effect,
        v_at);
    INSERT INTO record.action_steps (key, step, part, at, effect, receipt)
    VALUES (p_key, p_step, p_part, v_at, p_effect, v_receipt);
    RETURN jsonb_build_object('step', p_step, 'part', p_part, 'at', v_at, 'receipt', v_receipt);
END $$;

-- Ends an action, or says why it is not known how it ended. `p_state`: as the port says it.
CREATE FUNCTION api.finish_action(p_key text, p_state jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_state text := p_state ->> 'state';
    v_why text := p_state ->> 'why';
    v_retry bigint;
    v_known record.actions;
BEGIN
    v_retry := (p_state ->> 'retry')::boolean::int;
    SELECT * INTO v_known FROM record.actions WHERE key = p_key FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'action', DETAIL = coalesce(p_key, '');
    ELSIF (v_known.state, v_known.why, v_known.retry) IS NOT DISTINCT FROM (v_state, v_why, v_retry) THEN
        RETURN NULL;
    ELSIF v_known.finished_at IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MG002', MESSAGE = 'action', DETAIL = coalesce(p_key, '');
    END IF;
    UPDATE record.actions SET state = v_state, why = v_why, retry = v_retry,
        finished_at = CASE WHEN v_state NOT IN ('running', 'unknown') THEN v_at END
    WHERE key = p_key;
    IF v_state = 'done' THEN
        UPDATE record.cases SET revision = revision + 1 WHERE id = v_known.case_id;
    END IF;
    PERFORM record.add_audit(record.person(v_known.agent), 'finish_action', v_known.case_id,
        jsonb_build_object('action', p_key, 'state', p_state), v_at);
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;
