-- What people may restore alone, and how a second person says yes.

-- JSON with the keys of every object in order and no blanks: what the port's digests are made over.
CREATE FUNCTION record.canonical(p_value jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE jsonb_typeof(p_value)
        WHEN 'object' THEN '{' || coalesce((SELECT string_agg(to_json(f.key)::text || ':' || record.canonical(f.value), ','
            ORDER BY f.key COLLATE "C") FROM jsonb_each(p_value) AS f), '') || '}'
        WHEN 'array' THEN '[' || coalesce((SELECT string_agg(record.canonical(e.value), ',' ORDER BY e.place)
            FROM jsonb_array_elements(p_value) WITH ORDINALITY AS e (value, place)), '') || ']'
        ELSE p_value::text END;
END $$;

-- SHA-256 in hex over what a second person says yes to: the case, exactly these restorations and releases, this
-- reason.
CREATE FUNCTION record.money_digest(p_case text, p_restorations jsonb, p_releases jsonb, p_reason text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(record.canonical(jsonb_build_object('case', p_case, 'restorations', p_restorations,
        'releases', p_releases, 'reason', p_reason)), 'UTF8')), 'hex')
$$;

-- What a second person says yes to of the releases of a plan: which refunds are taken back, for which files, on
-- whose word. In the order of the steps.
CREATE FUNCTION record.redebits(p_plan jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('run_id', r.said -> 'run_id', 'refund_ids', r.said -> 'refund_ids',
        'amount', r.said -> 'amount', 'consent', r.said -> 'consent', 'items', (
            SELECT jsonb_agg(jsonb_build_object('item', i.said -> 'item', 'sha256', i.said -> 'file' -> 'sha256') ORDER BY i.place)
            FROM jsonb_array_elements(r.said -> 'items') WITH ORDINALITY AS i (said, place))) ORDER BY r.place), '[]')
    FROM (SELECT s.step -> 'effect' AS said, s.place
          FROM jsonb_array_elements(p_plan -> 'steps') WITH ORDINALITY AS s (step, place)
          WHERE s.step ->> 'step' = 'do' AND s.step -> 'effect' ->> 'effect' = 'release') AS r
$$;

-- The sum of releases in credits.
CREATE FUNCTION record.released_sum(p_releases jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(sum((release ->> 'amount')::bigint), 0)::bigint FROM jsonb_array_elements(p_releases) AS release
$$;

-- The sum of restorations in credits.
CREATE FUNCTION record.restored_sum(p_restorations jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(sum((line ->> 'amount')::bigint), 0)::bigint
    FROM jsonb_array_elements(p_restorations) AS charge, jsonb_array_elements(charge -> 'lines') AS line
$$;

-- What a person may restore alone; of somebody unknown, what the built-in policy allows.
CREATE FUNCTION record.limits_of(p_person text, OUT per_posting bigint, OUT per_day bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(p.per_posting, d.per_posting), coalesce(p.per_day, d.per_day)
    FROM record.default_limits d LEFT JOIN record.people p ON p.id = p_person
$$;

-- The UTC day of an instant, in days since 1970.
CREATE FUNCTION record.day(p_at bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT floor(p_at / 86400000000.0)::bigint
$$;

CREATE FUNCTION record.restored_on(p_person text, p_at bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT restored FROM record.person_days WHERE person = p_person AND day = record.day(p_at)), 0)
$$;

-- What keeps a person from doing a plan alone: null, or {"amount", "why"}. An approval for exactly this
-- is used up for the action.
CREATE OR REPLACE FUNCTION record.check_limits(p_person text, p_case text, p_plan jsonb, p_reason text, p_key text,
    p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_wanted jsonb;
    v_releases jsonb := record.redebits(p_plan);
    v_back bigint;
    v_amount bigint;
    v_limits record;
    v_restored bigint;
    v_over text;
    v_digest text;
    v_yes record.approvals;
    v_terms record.default_limits;
BEGIN
    SELECT jsonb_agg(s.step -> 'effect' -> 'restoration' ORDER BY s.place) INTO v_wanted
    FROM jsonb_array_elements(p_plan -> 'steps') WITH ORDINALITY AS s (step, place)
    WHERE s.step ->> 'step' = 'do' AND s.step -> 'effect' ->> 'effect' = 'restore';
    v_wanted := coalesce(v_wanted, '[]');
    v_back := record.restored_sum(v_wanted);
    v_amount := v_back + record.released_sum(v_releases);
    IF v_amount <= 0 THEN
        RETURN NULL;
    END IF;
    v_limits := record.limits_of(p_person);
    v_restored := record.restored_on(p_person, p_at);
    IF v_amount > v_limits.per_posting THEN
        v_over := format('%s credits are over the limit of %s in one posting', v_amount, v_limits.per_posting);
    ELSIF v_back > 0 AND v_restored + v_back > v_limits.per_day THEN
        v_over := format('%s credits, after %s today, are over the limit of %s in a day', v_back, v_restored,
            v_limits.per_day);
    ELSE
        RETURN NULL;
    END IF;
    SELECT * INTO v_terms FROM record.default_limits;
    v_digest := record.money_digest(p_case, v_wanted, v_releases, coalesce(p_reason, ''));
    SELECT * INTO v_yes FROM record.approvals
    WHERE case_id = p_case AND digest = v_digest AND reason = coalesce(p_reason, '') AND asked_by = p_person
      AND state = 'approved'
    ORDER BY expires_at DESC LIMIT 1 FOR NO KEY UPDATE;
    IF FOUND AND p_at <= v_yes.expires_at THEN
        UPDATE record.approvals SET state = 'used', used_by = p_key WHERE id = v_yes.id;
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('amount', v_amount, 'why', v_over || ': ' || CASE
        WHEN v_yes.id IS NOT NULL THEN format('it was approved more than %s minutes ago, ask again', v_terms.yes_minutes)
        WHEN EXISTS (SELECT 1 FROM record.approvals WHERE case_id = p_case AND digest = v_digest
                       AND asked_by = p_person AND state = 'waiting'
                       AND asked_at >= p_at - v_terms.wait_hours * 3600000000)
            THEN 'it waits for a second person''s answer'
        ELSE 'a second person must approve it' END || ' (R53)');
END $$;

-- Counts a restoration of an action against its person's day, in the transaction of the restoration:
-- two actions that began within the limit can't pass it together. An approval raises the limit. Returns
-- the sum of the day.
CREATE OR REPLACE FUNCTION record.count_restored(p_person text, p_key text, p_total bigint, p_at bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_day bigint := record.day(p_at);
    v_limits record := record.limits_of(p_person);
    v_per_day bigint := v_limits.per_day;
    v_is_approved boolean := EXISTS (SELECT 1 FROM record.approvals WHERE used_by = p_key);
    v_restored bigint;
BEGIN
    -- Who carries out what another began, or was given another limit since, restores within the own limit.
    IF p_total > v_limits.per_posting AND NOT v_is_approved THEN
        PERFORM record.refuse(format('%s credits are over the limit of %s in one posting: a second person must approve it (R53)',
            p_total, v_limits.per_posting));
    END IF;
    UPDATE record.person_days SET restored = restored + p_total,
        allowed = CASE WHEN v_is_approved THEN greatest(v_per_day, restored + p_total) ELSE v_per_day END
    WHERE person = p_person AND day = v_day AND (v_is_approved OR restored + p_total <= v_per_day)
    RETURNING restored INTO v_restored;
    IF FOUND THEN
        RETURN v_restored;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM record.person_days WHERE person = p_person AND day = v_day)
        AND (v_is_approved OR p_total <= v_per_day) THEN
        INSERT INTO record.person_days (person, day, restored, allowed) VALUES (p_person, v_day, p_total,
            CASE WHEN v_is_approved THEN greatest(v_per_day, p_total) ELSE v_per_day END)
        ON CONFLICT (person, day) DO NOTHING;
        IF NOT FOUND THEN
            -- The first of the day in this very moment was another one.
            RETURN record.count_restored(p_person, p_key, p_total, p_at);
        END IF;
        RETURN p_total;
    END IF;
    PERFORM record.refuse(format('%s credits, after %s today, are over the limit of %s in a day: a second person must approve it (R53)',
        p_total, record.restored_on(p_person, p_at), v_per_day));
END $$;

-- Who is connected: {"person", "enforced", "restored_today"}. `p_said` counts only where the record does
-- not know the login.
CREATE FUNCTION api.identity(p_said text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_id text := record.person(p_said);
    v_person record.people;
    v_limits record;
BEGIN
    SELECT * INTO v_person FROM record.people WHERE id = v_id;
    v_limits := record.limits_of(v_id);
    RETURN jsonb_build_object('enforced', record.is_known_login(), 'restored_today',
        record.restored_on(v_id, record.clock(p_at)),
        'person', jsonb_build_object('id', v_id, 'name', coalesce(v_person.name, v_id),
            'roles', coalesce(v_person.roles, '["agent", "approver"]'),
            'per_posting', v_limits.per_posting, 'per_day', v_limits.per_day));
END $$;

-- Whether the session's login is somebody's. It is nobody's until logins are kept.
CREATE FUNCTION record.is_known_login() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN false;
END $$;

-- Records a person with roles and limits. For the owner of the record.
CREATE FUNCTION api.put_person(p_person jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_id text := p_person ->> 'id';
BEGIN
    INSERT INTO record.people (id, name, roles, per_posting, per_day)
    VALUES (v_id, p_person ->> 'name', p_person -> 'roles', (p_person ->> 'per_posting')::bigint,
            (p_person ->> 'per_day')::bigint)
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        UPDATE record.people SET name = p_person ->> 'name', roles = p_person -> 'roles',
            per_posting = (p_person ->> 'per_posting')::bigint, per_day = (p_person ->> 'per_day')::bigint
        WHERE id = v_id;
    END IF;
    PERFORM record.add_audit('owner', 'put_person', v_id, p_person, record.clock(p_at));
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- A request as it is told at an instant: past its time, it is expired.
CREATE FUNCTION record.state_at(p_approval record.approvals, p_at bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_approval.state = 'waiting' AND p_approval.asked_at < p_at
            - (SELECT wait_hours FROM record.default_limits) * 3600000000 THEN 'expired'
        WHEN p_approval.state = 'approved' AND p_at > p_approval.expires_at THEN 'expired'
        ELSE p_approval.state END
$$;

-- Asks for a second person's yes: {"decided": "done" | "already"}. The same id asks once.
CREATE FUNCTION api.ask_approval(p_request jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_by text := record.person(p_request ->> 'asked_by');
    v_new record.approvals;
    v_known record.approvals;
BEGIN
    v_new.id := p_request ->> 'id';
    v_new.case_id := p_request ->> 'case_id';
    v_new.restorations := p_request -> 'restorations';
    v_new.releases := coalesce(p_request -> 'releases', '[]');
    v_new.reason := p_request ->> 'reason';
    v_new.digest := p_request ->> 'digest';
    v_new.amount := (p_request ->> 'amount')::bigint;
    IF record.money_digest(v_new.case_id, v_new.restorations, v_new.releases, v_new.reason) IS DISTINCT FROM v_new.digest THEN
        PERFORM record.refuse('the digest is not that of the case, the credits and the reason');
    ELSIF jsonb_typeof(v_new.restorations) <> 'array' THEN
        PERFORM record.refuse('the restorations of a request come as a list');
    ELSIF jsonb_typeof(v_new.releases) <> 'array' THEN
        PERFORM record.refuse('the releases of a request come as a list');
    END IF;
    PERFORM record.check_wanted(w) FROM jsonb_array_elements(v_new.restorations) AS w;
    PERFORM record.check_released(r) FROM jsonb_array_elements(v_new.releases) AS r;
    IF record.restored_sum(v_new.restorations) + record.released_sum(v_new.releases) IS DISTINCT FROM v_new.amount
        OR v_new.amount <= 0 THEN
        PERFORM record.refuse(format('what is asked for does not come to %s credits', v_new.amount));
    END IF;
    INSERT INTO record.approvals (id, case_id, digest, amount, reason, restorations, releases, asked_by, asked_at)
    VALUES (v_new.id, v_new.case_id, v_new.digest, v_new.amount, v_new.reason, v_new.restorations, v_new.releases, v_by, v_at)
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        PERFORM record.add_audit(v_by, 'ask_approval', v_new.case_id, jsonb_build_object('approval', v_new.id,
            'amount', v_new.amount, 'digest', v_new.digest, 'reason', v_new.reason), v_at);
        RETURN '{"decided": "done"}';
    END IF;
    SELECT * INTO v_known FROM record.approvals WHERE id = v_new.id;
    -- The digest stands for the case, the credits and the reason.
    IF (v_known.digest, v_known.asked_by) IS DISTINCT FROM (v_new.digest, v_by) THEN
        PERFORM record.refuse(format('the id %s is of another request', v_new.id));
    END IF;
    RETURN '{"decided": "already"}';
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Answers a request, or takes the own one back: {"decided": "done" | "already"}.
CREATE FUNCTION api.decide_approval(p_id text, p_decision jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_by text := record.person(p_decision ->> 'by');
    v_state text := p_decision ->> 'state';
    v_known record.approvals;
    v_now text;
BEGIN
    SELECT * INTO v_known FROM record.approvals WHERE id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'approval', DETAIL = coalesce(p_id, '');
    ELSIF v_known.digest IS DISTINCT FROM p_decision ->> 'digest' THEN
        PERFORM record.refuse('what was looked at is not what is asked: look at it again');
    END IF;
    v_now := record.state_at(v_known, v_at);
    -- A yes stays one, also where it was used meanwhile.
    IF v_known.decided_by = v_by AND (v_now = v_state OR (v_state = 'approved' AND v_now = 'used')) THEN
        RETURN '{"decided": "already"}';
    ELSIF v_now <> 'waiting' THEN
        PERFORM record.refuse(format('the request is %s already', v_now));
    END IF;
    PERFORM record.check_decision(v_known.asked_by, v_by, v_state);
    UPDATE record.approvals SET state = v_state, decided_by = v_by, decided_at = v_at, note = p_decision ->> 'note',
        expires_at = CASE v_state WHEN 'approved'
            THEN v_at + (SELECT yes_minutes FROM record.default_limits) * 60000000 END
    WHERE id = p_id;
    PERFORM record.add_audit(v_by, 'decide_approval', v_known.case_id, jsonb_build_object('approval', p_id,
        'state', v_state, 'digest', v_known.digest, 'note', p_decision -> 'note'), v_at);
    RETURN '{"decided": "done"}';
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Refuses an answer that this person may not give to that one's request.
CREATE FUNCTION record.check_decision(p_asked_by text, p_by text, p_state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CASE
        WHEN p_state = 'withdrawn' THEN
            IF p_by <> p_asked_by THEN
                PERFORM record.refuse('only who asked can take a request back');
            END IF;
        WHEN coalesce(p_state, '') NOT IN ('approved', 'declined') THEN
            PERFORM record.refuse(format('nobody decides that a request is %s', p_state));
        WHEN p_by = p_asked_by THEN
            PERFORM record.refuse('a second person must decide: this is your own request (R53)');
        WHEN NOT record.may_approve(p_by) THEN
            PERFORM record.refuse(format('%s may not approve', p_by));
        ELSE NULL;
    END CASE;
END $$;

-- Whether a person may approve; somebody unknown may, where logins are not known either.
CREATE FUNCTION record.may_approve(p_person text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT roles ? 'approver' FROM record.people WHERE id = p_person), true);
END $$;

-- Requests as they are told now, with the state that they have then.
CREATE FUNCTION api.approvals_at(p_open_only bigint, p_limit bigint, p_at bigint)
RETURNS TABLE (id text, case_id text, subject text, digest text, amount bigint, reason text, restorations text,
    releases text, asked_by text, asked_at bigint, state text, decided_by text, decided_at bigint, note text, expires_at bigint,
    used_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
BEGIN
    RETURN QUERY SELECT a.id, a.case_id, t.subject, a.digest, a.amount, a.reason, a.restorations::text, a.releases::text, a.asked_by,
        a.asked_at, record.state_at(a, v_at), a.decided_by, a.decided_at, a.note, a.expires_at, a.used_by
    FROM record.approvals a JOIN record.cases c ON c.id = a.case_id JOIN record.tickets t ON t.id = c.ticket_id
    WHERE p_open_only = 0 OR record.state_at(a, v_at) IN ('waiting', 'approved')
    ORDER BY a.asked_at DESC, a.id COLLATE "C" DESC LIMIT greatest(p_limit, 0);
END $$;
