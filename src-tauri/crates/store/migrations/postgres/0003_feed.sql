-- Facts in, a batch at a time. This is also how a platform's engineers write facts with SQL alone:
--
--   SELECT api.feed('[{"type": "user", "data": {"id": "usr_1", "email": "ada@customer.example",
--                                               "timezone": null, "locale": "en-GB"}}, …]', 0);
--
-- The fields are those of the feed; instants are texts like "2026-03-14T15:20:00Z" or UTC microseconds.
-- A batch is committed whole. The same facts again change nothing, a known row is renewed, and what
-- can't be taken is kept in api.dead_letters with its reason and keeps nobody else out. Rows refer to
-- rows before them; what lacks a row, or credits, that comes later in the batch is tried again.

-- The words of a broken rule: functions speak for themselves, named checks are words with `_`.
CREATE FUNCTION record.plain_words(p_state text, p_constraint text, p_message text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_state = '23503' THEN 'it refers to a row that is not there, or that belongs to another account'
        WHEN p_constraint = 'level_below_zero' THEN 'a balance would fall below 0'
        WHEN p_constraint = 'refunded_above_price' THEN 'more would be refunded than the item cost'
        WHEN p_constraint = 'restored_above_given' THEN 'more would be restored than the balance gave'
        WHEN p_state = '23514' THEN 'a value is not allowed: ' || replace(p_constraint, '_', ' ')
        WHEN p_state = '23502' THEN 'a value is missing: '
            || replace(coalesce(substring(p_message FROM 'column "([^"]+)"'), 'nobody knows which'), '_', ' ')
        WHEN p_state = '23505' THEN 'there is one of the same already'
        WHEN p_state = '22004' THEN 'a value is missing'
        WHEN p_state = '22003' THEN 'a value is too large'
        WHEN p_state LIKE '22%' THEN 'a value can''t be read' || coalesce(': ' || substring(p_message FROM '"(.*)"'), '')
        ELSE p_message END
$$;

-- Refuses in plain words what broke a rule of the tables, or what could not be read.
CREATE FUNCTION record.reword(p_state text, p_message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record.refuse(record.plain_words(p_state, coalesce(substring(p_message FROM 'constraint "([^"]+)"'), ''),
        p_message));
END $$;

-- The rows that a fact refers to, in order: what they are, and their ids.
CREATE FUNCTION record.references_of(p_kind text, p_row jsonb) RETURNS TABLE (what text, id text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT n.what, n.id FROM (
        SELECT 1 AS place, 'provider' AS what, p_row ->> 'provider_id' AS id WHERE p_kind = 'model'
        UNION ALL SELECT 1, 'user', p_row ->> 'owner_user_id' WHERE p_kind = 'account'
        UNION ALL SELECT 1, 'account', p_row ->> 'account_id' WHERE p_kind IN ('workspace', 'project')
        UNION ALL SELECT 1 + m.place, 'user', m.said ->> 'user_id'
            FROM jsonb_array_elements(CASE p_kind WHEN 'workspace' THEN p_row -> 'members' END)
                WITH ORDINALITY AS m (said, place)
        UNION ALL SELECT 2, 'workspace', p_row ->> 'workspace_id' WHERE p_kind = 'project'
        UNION ALL SELECT 1, 'project', p_row ->> 'project_id' WHERE p_kind IN ('node', 'run')
        UNION ALL SELECT 2, 'node', p_row ->> 'node_id' WHERE p_kind = 'run'
        UNION ALL SELECT 3, 'user', p_row ->> 'started_by' WHERE p_kind = 'run'
        UNION ALL SELECT 4, 'model', p_row ->> 'model_id' WHERE p_kind = 'run'
        UNION ALL SELECT 5, 'run', p_row ->> 'retry_of' WHERE p_kind = 'run'
        UNION ALL SELECT 0, 'charge', p_row ->> 'charge_id' WHERE p_kind = 'refund'
        UNION ALL SELECT 1, 'run', p_row ->> 'run_id'
            WHERE p_kind IN ('charge', 'job', 'webhook', 'upload', 'output', 'refund')
        UNION ALL SELECT 2, 'account', p_row ->> 'account_id' WHERE p_kind = 'charge'
        UNION ALL SELECT 2, 'provider', p_row ->> 'provider_id' WHERE p_kind = 'job'
        UNION ALL SELECT 2, 'project', p_row ->> 'project_id' WHERE p_kind = 'output'
        UNION ALL SELECT 3, 'node', p_row ->> 'node_id' WHERE p_kind = 'output') AS n
    WHERE n.id IS NOT NULL ORDER BY n.place
$$;

-- The first missing row that a fact refers to, by kind and id, and the words for it; else nulls.
CREATE FUNCTION record.missing_row(p_kind text, p_row jsonb, OUT kind text, OUT id text, OUT words text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_reference record;
    v_is_there boolean;
    v_balance text;
BEGIN
    FOR v_reference IN SELECT * FROM record.references_of(p_kind, p_row) LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM record.%I WHERE id = $1)', v_reference.what || 's')
        INTO v_is_there USING v_reference.id;
        IF NOT v_is_there THEN
            kind := v_reference.what;
            id := v_reference.id;
            words := format('there is no %s %s', kind, id);
            RETURN;
        END IF;
    END LOOP;
    IF p_kind = 'charge' THEN
        SELECT s.said ->> 'balance_id' INTO v_balance
        FROM jsonb_array_elements(p_row -> 'sources') WITH ORDINALITY AS s (said, place)
        WHERE (s.said ->> 'amount')::bigint <> 0 AND NOT EXISTS (SELECT 1 FROM record.balances b
                          WHERE b.id = s.said ->> 'balance_id' AND b.account_id = p_row ->> 'account_id')
        ORDER BY s.place LIMIT 1;
        IF FOUND THEN
            kind := 'account';
            id := p_row ->> 'account_id';
            words := format('account %s has no balance %s', id, v_balance);
        END IF;
    END IF;
END $$;

-- The id under which a fact is known: its row's, or what an upload is told apart by.
CREATE FUNCTION record.fact_id(p_fact jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(p_fact -> 'data' ->> 'id', CASE p_fact ->> 'type' WHEN 'upload' THEN
        (p_fact -> 'data' ->> 'run_id') || '/' || (p_fact -> 'data' ->> 'item') || '/' || (p_fact -> 'data' ->> 'attempted_at')
        END, '')
$$;

-- As of when a fact says that it is so: the time of its event, else `p_at`, when it came. A sender whose clock
-- is more than a day ahead says nothing by it.
CREATE FUNCTION record.told_at(p_fact jsonb, p_at bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN record.instant(p_fact ->> 'time') <= p_at + 86400000000 THEN record.instant(p_fact ->> 'time')
        ELSE p_at END
$$;

CREATE FUNCTION record.put_fact(p_kind text, p_row jsonb, p_told bigint, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CASE p_kind
        WHEN 'provider' THEN PERFORM record.take_provider(p_row, p_at);
        WHEN 'model' THEN PERFORM record.take_model(p_row, p_at);
        WHEN 'user' THEN PERFORM record.take_user(p_row, p_at);
        WHEN 'account' THEN PERFORM record.take_account(p_row, p_at);
        WHEN 'workspace' THEN PERFORM record.take_workspace(p_row, p_at);
        WHEN 'project' THEN PERFORM record.take_project(p_row, p_at);
        WHEN 'node' THEN PERFORM record.take_node(p_row, p_at);
        WHEN 'run' THEN PERFORM record.take_run(p_row, p_at);
        WHEN 'charge' THEN PERFORM record.take_charge(p_row, p_at);
        WHEN 'job' THEN PERFORM record.hear_of_job(p_row, p_told);
        WHEN 'webhook' THEN PERFORM record.take_webhook(p_row, p_at);
        WHEN 'upload' THEN PERFORM record.take_upload(p_row, p_at);
        WHEN 'output' THEN PERFORM record.take_output(p_row, p_at);
        WHEN 'refund' THEN PERFORM record.take_refund(p_row, p_at);
        WHEN 'ticket' THEN PERFORM record.take_ticket(p_row, p_at);
        ELSE PERFORM record.refuse(format('%s is no kind of fact', p_kind));
    END CASE;
END $$;

-- Takes a fact: 'added', 'unchanged' or 'updated'. Ledger lines are never edited: of those only a refund
-- changes, from posted to reversed. `digest` (hex) names the content; without it that of the row counts. What
-- was said before the newest thing that is known of the row changes nothing, in whatever order they come; of
-- two things of the same instant the one that comes last counts.
CREATE FUNCTION record.take_fact(p_fact jsonb, p_at bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_kind text := p_fact ->> 'type';
    v_row jsonb := p_fact -> 'data';
    v_id text := record.fact_id(p_fact);
    v_digest bytea := coalesce(decode(p_fact ->> 'digest', 'hex'), sha256(convert_to(v_row::text, 'UTF8')));
    v_told bigint := record.told_at(p_fact, p_at);
    v_known bytea;
    v_known_at bigint;
    v_source text := p_fact ->> 'source';
    v_event text := p_fact ->> 'event';
BEGIN
    IF v_id = '' THEN
        PERFORM record.refuse('a fact needs an id');
    ELSIF v_kind IS NULL THEN
        PERFORM record.refuse('a fact needs a type');
    END IF;
    IF v_source IS NOT NULL AND v_event IS NOT NULL THEN
        -- Two deliveries of an event at the same time: the second waits for the first.
        INSERT INTO record.events_taken (source, id, at) VALUES (v_source, v_event, p_at) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN 'unchanged';
        END IF;
    END IF;
    SELECT digest, told_at INTO v_known, v_known_at FROM record.fact_digests WHERE kind = v_kind AND id = v_id;
    IF v_known = v_digest AND v_told <= v_known_at THEN
        RETURN 'unchanged';
    END IF;
    -- Two feeds that say the same at the same time: the second waits for the digest of the first.
    INSERT INTO record.fact_digests (kind, id, digest, imported_at, told_at) VALUES (v_kind, v_id, v_digest, p_at, v_told)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT digest, told_at INTO v_known, v_known_at FROM record.fact_digests
        WHERE kind = v_kind AND id = v_id FOR NO KEY UPDATE;
    END IF;
    IF v_known = v_digest THEN
        -- Said again: so it was then, too.
        UPDATE record.fact_digests SET told_at = v_told WHERE kind = v_kind AND id = v_id AND told_at < v_told;
        RETURN 'unchanged';
    ELSIF v_known IS NULL THEN
        PERFORM record.put_fact(v_kind, v_row, v_told, p_at);
    ELSIF v_kind = 'refund' AND v_row ->> 'state' = 'reversed' AND v_known = coalesce(
        decode(p_fact ->> 'posted_digest', 'hex'),
        sha256(convert_to(jsonb_set(v_row, '{state}', '"posted"')::text, 'UTF8'))) THEN
        PERFORM record.reverse_refunds(ARRAY[v_id]);
    ELSIF v_kind = 'refund' AND v_row ->> 'state' = 'posted' AND v_known = coalesce(
        decode(p_fact ->> 'reversed_digest', 'hex'),
        sha256(convert_to(jsonb_set(v_row, '{state}', '"reversed"')::text, 'UTF8'))) THEN
        RETURN 'unchanged'; -- It was posted, and then reversed: the beginning comes late.
    ELSIF v_kind IN ('charge', 'refund') THEN
        PERFORM record.refuse(format('%s %s is known with other content', v_kind, v_id));
    ELSIF v_told < v_known_at THEN
        RETURN 'unchanged';
    ELSE
        PERFORM record.put_fact(v_kind, v_row, v_told, p_at);
    END IF;
    IF v_known IS NOT NULL THEN
        UPDATE record.fact_digests SET digest = v_digest, imported_at = p_at, told_at = greatest(told_at, v_told)
        WHERE kind = v_kind AND id = v_id;
    END IF;
    UPDATE record.dead_letters SET state = 'retried', last_at = p_at
    WHERE kind = v_kind AND row_id = v_id AND state = 'waiting';
    RETURN CASE WHEN v_known IS NULL THEN 'added' ELSE 'updated' END;
END $$;

-- Takes a fact by itself: what it did, or why it can't be taken, of which nothing stays. `lacks`: it lacks
-- a row that it refers to, or credits, and both can still come: for which row it waits.
CREATE FUNCTION record.try_fact(p_fact jsonb, p_at bigint, OUT outcome text, OUT reason text, OUT lacks boolean,
    OUT lacks_kind text, OUT lacks_id text)
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_constraint text;
    v_message text;
    v_missing record;
BEGIN
    outcome := record.take_fact(p_fact, p_at);
EXCEPTION WHEN SQLSTATE 'MG001' OR integrity_constraint_violation OR data_exception THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_constraint = CONSTRAINT_NAME, v_message = MESSAGE_TEXT;
    BEGIN
        SELECT * INTO v_missing FROM record.missing_row(p_fact ->> 'type', p_fact -> 'data');
    EXCEPTION WHEN data_exception THEN
        SELECT NULL::text AS kind, NULL::text AS id, NULL::text AS words INTO v_missing; -- It can't be read.
    END;
    lacks := v_missing.words IS NOT NULL OR v_constraint = 'level_below_zero';
    lacks_kind := v_missing.kind;
    lacks_id := v_missing.id;
    IF lacks_kind IS NULL AND lacks AND p_fact ->> 'type' = 'charge' THEN
        lacks_kind := 'account';
        lacks_id := p_fact -> 'data' ->> 'account_id';
    END IF;
    reason := coalesce(CASE v_state WHEN '23503' THEN v_missing.words END,
        record.plain_words(v_state, v_constraint, v_message));
END $$;

-- Takes facts in order, as many at a time as can be taken together, since a savepoint for each would
-- cost more than most facts. Returns what each did; null for those that can't be taken.
CREATE FUNCTION record.take_in_groups(p_facts jsonb[], p_at bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_outcomes text[] := array_fill(NULL::text, ARRAY[cardinality(p_facts)]);
    v_last int;
BEGIN
    FOR v_first IN 1 .. cardinality(p_facts) BY 64 LOOP
        v_last := least(v_first + 63, cardinality(p_facts));
        BEGIN
            FOR i IN v_first .. v_last LOOP
                v_outcomes[i] := record.take_fact(p_facts[i], p_at);
            END LOOP;
        EXCEPTION WHEN SQLSTATE 'MG001' OR integrity_constraint_violation OR data_exception THEN
            -- All of the group is undone: one by one then.
            FOR i IN v_first .. v_last LOOP
                v_outcomes[i] := (record.try_fact(p_facts[i], p_at)).outcome;
            END LOOP;
        END;
    END LOOP;
    RETURN v_outcomes;
END $$;

-- The same, where facts that nobody told before and that stand together are taken by sets.
CREATE FUNCTION record.take_facts(p_facts jsonb[], p_at bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_fresh boolean[] := record.fresh_facts(p_facts);
    v_outcomes text[] := '{}';
    v_first int := 1;
    v_last int;
    v_part jsonb[];
BEGIN
    WHILE v_first <= cardinality(p_facts) LOOP
        v_last := v_first;
        WHILE v_last < cardinality(p_facts) AND v_fresh[v_last + 1] = v_fresh[v_first] LOOP
            v_last := v_last + 1;
        END LOOP;
        v_part := p_facts[v_first : v_last];
        v_outcomes := v_outcomes || CASE WHEN v_fresh[v_first] THEN record.take_fresh(v_part, p_at)
            ELSE record.take_in_groups(v_part, p_at) END;
        v_first := v_last + 1;
    END LOOP;
    RETURN v_outcomes;
END $$;

-- Takes a batch that is made of nothing but fresh facts, as most are, without asking for each before. Whether
-- it was one; else nothing was done.
CREATE FUNCTION record.take_whole(p_facts jsonb[], p_at bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT record.may_stand_together(p_facts) THEN
        RETURN false;
    END IF;
    PERFORM record.put_fresh(p_facts, p_at);
    RETURN true;
EXCEPTION WHEN SQLSTATE 'MG001' OR integrity_constraint_violation OR data_exception THEN
    RETURN false;
END $$;

-- Whether the platform's levels are ours. Credits restored here it can't know of.
CREATE FUNCTION record.compare_levels(p_facts jsonb[], p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_said record;
    v_level bigint;
BEGIN
    FOR v_said IN SELECT b ->> 'id' AS id, (b ->> 'current')::bigint AS current
        FROM unnest(p_facts) AS f CROSS JOIN LATERAL jsonb_array_elements(f -> 'data' -> 'balances') AS b
        WHERE f ->> 'type' = 'account'
    LOOP
        v_level := record.level(v_said.id);
        IF v_level <> v_said.current AND NOT EXISTS (
            SELECT 1 FROM record.refund_lines l JOIN record.refunds r ON r.id = l.refund_id
            WHERE l.target = v_said.id AND r.origin = 'makegood') THEN
            PERFORM record.open_discrepancy('level_differs', v_said.id,
                format('the platform says %s, its charges and refunds say %s', v_said.current, v_level), p_at);
        ELSE
            PERFORM record.close_discrepancy('level_differs', v_said.id, p_at);
        END IF;
    END LOOP;
END $$;

-- The logical runs that rows are of before the facts of a batch change them, with the places of the
-- facts: a run can become another one's retry, an output another run's, a project another account's.
CREATE FUNCTION record.roots_before(p_facts jsonb[]) RETURNS TABLE (place bigint, root text) LANGUAGE sql STABLE AS $$
    WITH fact AS (SELECT u.place, u.fact ->> 'type' AS kind, u.fact -> 'data' AS row
                  FROM unnest(p_facts) WITH ORDINALITY AS u (fact, place))
    SELECT f.place, r.root_id FROM fact f JOIN record.runs r ON r.id = f.row ->> 'id' WHERE f.kind = 'run'
    UNION ALL
    SELECT f.place, r.root_id FROM fact f JOIN record.outputs o ON o.id = f.row ->> 'id'
    JOIN record.runs r ON r.id = o.run_id WHERE f.kind = 'output'
    UNION ALL
    SELECT f.place, moved.root_id
    FROM fact f JOIN record.projects p ON p.id = f.row ->> 'id' AND p.account_id <> f.row ->> 'account_id'
    CROSS JOIN LATERAL (
        SELECT root_id FROM record.runs WHERE project_id = p.id
        UNION SELECT r.root_id FROM record.outputs o JOIN record.runs r ON r.id = o.run_id
              WHERE o.project_id = p.id) AS moved
    WHERE f.kind = 'project'
$$;

-- The logical runs that facts concern: their items can be settled by them, and a reconciler must look
-- again.
CREATE FUNCTION record.roots_of(p_facts jsonb[]) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT DISTINCT r.root_id FROM record.runs r WHERE r.id = ANY (ARRAY(
        SELECT DISTINCT f -> 'data' ->> CASE f ->> 'type' WHEN 'run' THEN 'id' ELSE 'run_id' END
        FROM unnest(p_facts) AS f
        WHERE f ->> 'type' IN ('run', 'charge', 'output', 'refund', 'job', 'webhook', 'upload')))
$$;

-- Takes a batch of facts: [{"type", "data"}], each with `digest` (hex), for a reversed refund also
-- `posted_digest` and for a posted one `reversed_digest`, where the caller knows them; with `source` and `event` where an event told it, which is
-- taken once whatever it says; with `place` for people, should it not be taken. Returns {"added", "unchanged", "updated", "rejected":
-- [{"index", "kind", "id", "reason", "lacks"}], "outcomes": ["added", null, …]}, where an index is the
-- place in the batch, from 0, and null an outcome of what was rejected.
CREATE FUNCTION api.feed(p_facts jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_facts jsonb[];
    v_outcomes text[];
    v_try record;
    v_open bigint;
    v_before bigint;
    v_rejected jsonb := '[]';
    v_reasons jsonb[] := '{}';
    v_places bigint[];
    v_roots text[];
    v_report jsonb;
BEGIN
    IF jsonb_typeof(p_facts) IS DISTINCT FROM 'array' THEN
        PERFORM record.refuse('facts come as a list');
    END IF;
    v_facts := ARRAY(SELECT f FROM jsonb_array_elements(p_facts) AS f);
    IF v_facts = '{}' THEN
        RETURN '{"added": 0, "unchanged": 0, "updated": 0, "rejected": [], "outcomes": []}';
    END IF;
    IF record.take_whole(v_facts, v_at) THEN
        v_outcomes := array_fill('added'::text, ARRAY[cardinality(v_facts)]);
        PERFORM record.settle_roots(ARRAY(SELECT record.roots_of_fresh(v_facts)), v_at);
    ELSE
        SELECT array_agg(b.place), array_agg(b.root) INTO v_places, v_roots FROM record.roots_before(v_facts) AS b;
        v_outcomes := record.take_facts(v_facts, v_at);
        LOOP
            v_before := v_open;
            v_open := cardinality(array_positions(v_outcomes, NULL));
            EXIT WHEN v_open = 0 OR v_open = v_before;
            FOR i IN 1 .. cardinality(v_facts) LOOP
                CONTINUE WHEN v_outcomes[i] IS NOT NULL;
                SELECT * INTO v_try FROM record.try_fact(v_facts[i], v_at);
                v_outcomes[i] := v_try.outcome;
                v_reasons[i] := to_jsonb(v_try);
            END LOOP;
        END LOOP;
        FOR i IN 1 .. cardinality(v_facts) LOOP
            CONTINUE WHEN v_outcomes[i] IS NOT NULL;
            v_rejected := v_rejected || record.bury_fact(v_facts[i], i - 1, v_reasons[i], v_at);
        END LOOP;
        PERFORM record.settle_roots(ARRAY(
            SELECT record.roots_of(ARRAY(SELECT f.said FROM unnest(v_facts, v_outcomes) AS f (said, outcome)
                WHERE f.outcome IN ('added', 'updated')))
            UNION SELECT b.root FROM unnest(v_places, v_roots) AS b (place, root)
            WHERE v_outcomes[b.place] IN ('added', 'updated') AND b.root IS NOT NULL), v_at);
    END IF;
    PERFORM record.compare_levels(v_facts, v_at);
    v_report := jsonb_build_object('added', cardinality(array_positions(v_outcomes, 'added')),
        'unchanged', cardinality(array_positions(v_outcomes, 'unchanged')),
        'updated', cardinality(array_positions(v_outcomes, 'updated')), 'rejected', v_rejected);
    IF cardinality(array_positions(v_outcomes, 'unchanged')) < cardinality(v_facts) THEN
        PERFORM record.add_audit('feed', 'import', 'feed', v_report, v_at);
    END IF;
    RETURN v_report || jsonb_build_object('outcomes', v_outcomes);
END $$;

-- Keeps what a look-up answered, unless a newer answer is known, and the raw texts in any case:
-- [{"url", "status", "body", "fetched_at"}]. A failed look-up says nothing about the job: what was known
-- of it stays.
CREATE FUNCTION api.record_look_up(p_job jsonb, p_answers jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_id text := p_job ->> 'id';
    v_at bigint;
    v_known bigint;
BEGIN
    v_at := coalesce(record.instant(p_job ->> 'looked_up_at'),
        (SELECT max(record.instant(a ->> 'fetched_at')) FROM jsonb_array_elements(p_answers) AS a),
        record.instant(p_job ->> 'submitted_at'));
    SELECT looked_up_at INTO v_known FROM record.jobs WHERE id = v_id FOR NO KEY UPDATE;
    IF NOT FOUND OR (coalesce(v_known, v_at) <= v_at AND p_job ->> 'state' <> 'lookup_failed') THEN
        PERFORM record.take_job(p_job, v_at);
    ELSIF coalesce(v_known, v_at) <= v_at THEN
        UPDATE record.jobs SET state = 'lookup_failed', error = p_job ->> 'error', looked_up_at = v_at WHERE id = v_id;
    END IF;
    INSERT INTO record.look_ups (job_id, url, status, body, fetched_at)
    SELECT v_id, a.said ->> 'url', (a.said ->> 'status')::bigint, a.said ->> 'body', record.instant(a.said ->> 'fetched_at')
    FROM jsonb_array_elements(p_answers) WITH ORDINALITY AS a (said, place) ORDER BY a.place;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
END $$;
