-- Facts that nobody told before, many at a time: a statement a table instead of some a fact. What is taken
-- here is what record.take_fact would have taken one by one, row for row; whatever is in the way undoes a
-- group whole, and it is halved, and in the end taken one by one.

-- Whether the effect of a fact depends on no row told beside it. That is not so of refunds, and of the
-- system's retries, which go on in another's logical run.
CREATE FUNCTION record.stands_alone(p_fact jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_fact ? 'digest' AND p_fact -> 'data' ->> 'retry_initiator' IS DISTINCT FROM 'system'
        AND (p_fact -> 'source' IS NULL) = (p_fact -> 'event' IS NULL)
        AND p_fact ->> 'type' = ANY ('{provider,model,user,account,workspace,project,node,run,charge,job,webhook,upload,output,ticket}')
$$;

CREATE FUNCTION record.may_stand_together(p_facts jsonb[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT cardinality(p_facts) >= 8 AND bool_and(coalesce(record.stands_alone(f), false)) FROM unnest(p_facts) AS f
$$;

-- Of each fact, whether it may be taken together with its neighbours: a row, and an event, of which the
-- record knows nothing and the batch speaks once, and that stands alone.
CREATE FUNCTION record.fresh_facts(p_facts jsonb[]) RETURNS boolean[] LANGUAGE sql STABLE AS $$
    WITH fact AS (
        SELECT f.place, f.said ->> 'type' AS kind, record.fact_id(f.said) AS id, f.said ->> 'source' AS source,
            f.said ->> 'event' AS event, record.stands_alone(f.said) AS alone
        FROM unnest(p_facts) WITH ORDINALITY AS f (said, place)),
    counted AS (
        SELECT fact.*, count(*) OVER (PARTITION BY kind, id) AS tellings,
            count(*) OVER (PARTITION BY source, event) AS deliveries
        FROM fact)
    SELECT array_agg(coalesce(alone AND id <> '' AND tellings = 1 AND (source IS NULL OR deliveries = 1)
            AND NOT EXISTS (SELECT 1 FROM record.fact_digests d WHERE d.kind = c.kind AND d.id = c.id)
            AND NOT EXISTS (SELECT 1 FROM record.events_taken e WHERE e.source = c.source AND e.id = c.event), false)
        ORDER BY place)
    FROM counted c
$$;

CREATE FUNCTION record.put_users(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.users (id, email, timezone, locale)
    SELECT r ->> 'id', r ->> 'email', r ->> 'timezone', r ->> 'locale' FROM unnest(p_rows) AS r;
END $$;

CREATE FUNCTION record.put_projects(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.projects (id, name, account_id, workspace_id, status, deleted_at)
    SELECT r ->> 'id', r ->> 'name', r ->> 'account_id', r ->> 'workspace_id', r ->> 'status',
        record.instant(r ->> 'deleted_at')
    FROM unnest(p_rows) AS r;
END $$;

CREATE FUNCTION record.put_nodes(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.nodes (id, project_id, label, status, deleted_at)
    SELECT r ->> 'id', r ->> 'project_id', r ->> 'label', r ->> 'status', record.instant(r ->> 'deleted_at')
    FROM unnest(p_rows) AS r;
END $$;

-- Runs that no other one is known to be a retry of, and that are no retries by the system: each is the
-- first of its logical run.
CREATE FUNCTION record.put_runs(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.runs (id, root_id, project_id, node_id, started_by, model_id, started_at, requested_items,
        status, cancelled_at, retry_of, retry_initiator, params)
    SELECT r ->> 'id', r ->> 'id', r ->> 'project_id', r ->> 'node_id', r ->> 'started_by', r ->> 'model_id',
        record.instant(r ->> 'started_at'), (r ->> 'requested_items')::bigint, r ->> 'status',
        record.instant(r ->> 'cancelled_at'), r ->> 'retry_of', r ->> 'retry_initiator',
        coalesce(r -> 'params', 'null')::text
    FROM unnest(p_rows) AS r;
END $$;

-- Lowers and raises levels, each once, locked in the order that record.change_levels keeps to. A balance in
-- stripes is left to it, with all others of the batch.
CREATE FUNCTION record.change_many_levels(p_balances text[], p_deltas bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_ids text[];
    v_sums bigint[];
BEGIN
    SELECT array_agg(m.id), array_agg(m.delta) INTO v_ids, v_sums
    FROM (SELECT u.id, sum(u.delta)::bigint AS delta FROM unnest(p_balances, p_deltas) AS u (id, delta)
          GROUP BY u.id) AS m;
    IF EXISTS (SELECT 1 FROM record.balances WHERE id = ANY (v_ids) AND stripes > 1) THEN
        PERFORM record.change_levels(v_ids, v_sums);
        RETURN;
    END IF;
    PERFORM 1 FROM record.balance_stripes WHERE balance_id = ANY (v_ids)
    ORDER BY balance_id LIKE 'usage:%', balance_id COLLATE "C" FOR NO KEY UPDATE;
    UPDATE record.balance_stripes s SET level = s.level + m.delta
    FROM unnest(v_ids, v_sums) AS m (id, delta) WHERE s.balance_id = m.id;
END $$;

-- Charges with their items, sources and postings; sums that do not add up are the one-by-one way's to name.
CREATE FUNCTION record.put_charges(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_balances text[];
    v_deltas bigint[];
BEGIN
    IF EXISTS (SELECT 1 FROM unnest(p_rows) AS r
        WHERE (r ->> 'total')::bigint
                <> (SELECT coalesce(sum((i ->> 'credits')::bigint), 0) FROM jsonb_array_elements(r -> 'items') AS i)
           OR (r ->> 'total')::bigint
                <> (SELECT coalesce(sum((s ->> 'amount')::bigint), 0) FROM jsonb_array_elements(r -> 'sources') AS s)) THEN
        PERFORM record.refuse('the sums of a charge do not add up');
    END IF;
    INSERT INTO record.charges (id, run_id, account_id, posted_at, total, idempotency_key)
    SELECT r ->> 'id', r ->> 'run_id', r ->> 'account_id', record.instant(r ->> 'posted_at'), (r ->> 'total')::bigint,
        r ->> 'idempotency_key'
    FROM unnest(p_rows) AS r;
    WITH said AS MATERIALIZED (
        SELECT r ->> 'id' AS charge_id, (i ->> 'item')::bigint AS item, (i ->> 'credits')::bigint AS price,
            record.instant(r ->> 'posted_at') AS at
        FROM unnest(p_rows) AS r CROSS JOIN LATERAL jsonb_array_elements(r -> 'items') AS i),
    item AS (
        INSERT INTO record.charge_items (charge_id, item, price) SELECT charge_id, item, price FROM said)
    INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
    SELECT charge_id, item, 0, 'charged', 0, 'feed', charge_id, at FROM said;
    WITH said AS (
        SELECT c.place, c.said ->> 'id' AS charge_id, c.said ->> 'account_id' AS account_id,
            record.instant(c.said ->> 'posted_at') AS at, s.place - 1 AS line, s.said ->> 'balance_id' AS balance_id,
            (s.said ->> 'amount')::bigint AS amount
        FROM unnest(p_rows) WITH ORDINALITY AS c (said, place)
        CROSS JOIN LATERAL jsonb_array_elements(c.said -> 'sources') WITH ORDINALITY AS s (said, place)
        WHERE (s.said ->> 'amount')::bigint <> 0),
    source AS (
        INSERT INTO record.charge_sources (charge_id, line, balance_id, account_id, amount)
        SELECT charge_id, line, balance_id, account_id, amount FROM said),
    posted AS (
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, charge_id)
        SELECT 'charge', s.charge_id, s.line, s.at,
            CASE WHEN s.at < b.opening_at THEN 'carried:' || s.account_id ELSE b.id END, 'usage:' || s.account_id,
            s.amount, s.charge_id
        FROM said s JOIN record.balances b ON b.id = s.balance_id ORDER BY s.place, s.line
        RETURNING from_balance, to_balance, amount)
    SELECT array_agg(from_balance) || array_agg(to_balance), array_agg(-amount) || array_agg(amount)
    INTO v_balances, v_deltas FROM posted;
    PERFORM record.change_many_levels(v_balances, v_deltas);
END $$;

CREATE FUNCTION record.put_jobs(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.jobs (id, run_id, provider_id, submitted_at, state, processing_started_at, finished_at, error,
        locator)
    SELECT r ->> 'id', r ->> 'run_id', r ->> 'provider_id', record.instant(r ->> 'submitted_at'), r ->> 'state',
        record.instant(r ->> 'processing_started_at'), record.instant(r ->> 'finished_at'), r ->> 'error',
        r ->> 'locator'
    FROM unnest(p_rows) AS r;
    INSERT INTO record.job_items (job_id, item, state, finished_at, file_bytes, file_sha256_prefix,
        file_available_until, file_exists_now)
    SELECT r ->> 'id', (i ->> 'item')::bigint, i ->> 'state', record.instant(i ->> 'finished_at'),
        record.size(i -> 'file' ->> 'bytes'), i -> 'file' ->> 'sha256_prefix',
        record.instant(i -> 'file' ->> 'available_until'), (i -> 'file' ->> 'exists_now')::boolean::int
    FROM unnest(p_rows) AS r CROSS JOIN LATERAL jsonb_array_elements(r -> 'items') AS i;
END $$;

CREATE FUNCTION record.put_webhooks(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.webhooks (id, job_id, run_id, received_at, attempts, result, routed_project_id, routed_node_id)
    SELECT r ->> 'id', r ->> 'job_id', r ->> 'run_id', record.instant(r ->> 'received_at'), (r ->> 'attempts')::bigint,
        r ->> 'result', r -> 'routed_to' ->> 'project_id', r -> 'routed_to' ->> 'node_id'
    FROM unnest(p_rows) AS r;
END $$;

CREATE FUNCTION record.put_uploads(p_rows jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.uploads (run_id, item, attempted_at, result)
    SELECT r ->> 'run_id', (r ->> 'item')::bigint, record.instant(r ->> 'attempted_at'), r ->> 'result'
    FROM unnest(p_rows) AS r;
END $$;

CREATE FUNCTION record.put_outputs(p_rows jsonb[], p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas,
        sha256, origin)
    SELECT r ->> 'id', r ->> 'run_id', (r ->> 'item')::bigint, r ->> 'project_id', r ->> 'node_id',
        record.instant(r ->> 'stored_at'), record.size(r ->> 'bytes'), r ->> 'state',
        (r ->> 'in_history')::boolean::int, (r ->> 'on_canvas')::boolean::int, r ->> 'sha256', 'feed'
    FROM unnest(p_rows) AS r;
    INSERT INTO record.placements (output_id, seq, project_id, node_id, hold_until, at, by)
    SELECT r ->> 'id', 0, r ->> 'project_id', r ->> 'node_id', NULL, p_at, 'feed' FROM unnest(p_rows) AS r;
END $$;

-- Takes facts that are all fresh, in the order in which kinds refer to each other; within a kind none depends on
-- another. One that is not fresh, whose row or event is known or told twice, breaks a key of the two tables that know
-- them.
CREATE FUNCTION record.put_fresh(p_facts jsonb[], p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_group record;
    v_row jsonb;
BEGIN
    FOR v_group IN
        WITH fact AS MATERIALIZED (
            SELECT f ->> 'type' AS kind, record.fact_id(f) AS id, f -> 'data' AS row, decode(f ->> 'digest', 'hex') AS digest,
                f ->> 'source' AS source, f ->> 'event' AS event,
                CASE jsonb_typeof(f -> 'time') WHEN 'number' THEN (f -> 'time')::bigint
                    ELSE record.told_at(f, p_at) END AS told_at
            FROM unnest(p_facts) AS f),
        event AS (
            INSERT INTO record.events_taken (source, id, at)
            SELECT source, event, p_at FROM fact WHERE event IS NOT NULL),
        known AS (
            INSERT INTO record.fact_digests (kind, id, digest, imported_at, told_at)
            SELECT kind, id, digest, p_at, CASE WHEN told_at <= p_at + 86400000000 THEN told_at ELSE p_at END FROM fact)
        SELECT kind, array_agg(row) AS rows FROM fact GROUP BY kind
        ORDER BY array_position('{provider,model,user,account,workspace,project,node,run,charge,job}', kind) NULLS LAST
    LOOP
        CASE v_group.kind
            WHEN 'user' THEN PERFORM record.put_users(v_group.rows);
            WHEN 'project' THEN PERFORM record.put_projects(v_group.rows);
            WHEN 'node' THEN PERFORM record.put_nodes(v_group.rows);
            WHEN 'run' THEN PERFORM record.put_runs(v_group.rows);
            WHEN 'charge' THEN PERFORM record.put_charges(v_group.rows);
            WHEN 'job' THEN PERFORM record.put_jobs(v_group.rows);
            WHEN 'webhook' THEN PERFORM record.put_webhooks(v_group.rows);
            WHEN 'upload' THEN PERFORM record.put_uploads(v_group.rows);
            WHEN 'output' THEN PERFORM record.put_outputs(v_group.rows, p_at);
            ELSE
                FOREACH v_row IN ARRAY v_group.rows LOOP
                    PERFORM record.put_fact(v_group.kind, v_row, p_at, p_at);
                END LOOP;
        END CASE;
    END LOOP;
    IF EXISTS (SELECT 1 FROM record.dead_letters WHERE state = 'waiting') THEN
        UPDATE record.dead_letters l SET state = 'retried', last_at = p_at
        WHERE l.state = 'waiting' AND (l.kind, l.row_id) IN (
            SELECT f ->> 'type', record.fact_id(f) FROM unnest(p_facts) AS f);
    END IF;
END $$;

-- Takes facts in order as they can be taken together: 'added' each, or null for what can't be taken.
CREATE FUNCTION record.take_fresh(p_facts jsonb[], p_at bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_count int := cardinality(p_facts);
BEGIN
    IF v_count < 8 THEN
        RETURN record.take_in_groups(p_facts, p_at);
    END IF;
    BEGIN
        PERFORM record.put_fresh(p_facts, p_at);
        RETURN array_fill('added'::text, ARRAY[v_count]);
    EXCEPTION WHEN SQLSTATE 'MG001' OR integrity_constraint_violation OR data_exception THEN
        NULL; -- All of it is undone.
    END;
    RETURN record.take_fresh(p_facts[1 : v_count / 2], p_at) || record.take_fresh(p_facts[v_count / 2 + 1 :], p_at);
END $$;

-- The logical runs that fresh facts concern. Of a run that is told among them it is the run itself; only those of
-- others are asked for.
CREATE FUNCTION record.roots_of_fresh(p_facts jsonb[]) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH concerned AS MATERIALIZED (
        SELECT f -> 'data' ->> CASE f ->> 'type' WHEN 'run' THEN 'id' ELSE 'run_id' END AS run,
            bool_or(f ->> 'type' = 'run') AS is_told
        FROM unnest(p_facts) AS f
        WHERE f ->> 'type' IN ('run', 'charge', 'output', 'job', 'webhook', 'upload') GROUP BY 1)
    SELECT run FROM concerned WHERE is_told
    UNION
    SELECT r.root_id FROM record.runs r WHERE r.id = ANY (ARRAY(SELECT run FROM concerned WHERE NOT is_told))
$$;

-- Brings the items of logical runs in line with their outputs, and the list of due runs with both: what
-- record.deliver_items and record.follow_due do for each, here for all that are plain at once. Plain is a
-- logical run with one charge of which nothing was settled yet or refunded, and no output with somebody else.
-- Asked run by run and from what was found, so that a plan made while the tables were empty goes by the same
-- indexes ever after: a batch costs what is in it, and not what is in the record.
CREATE FUNCTION record.settle_roots(p_roots text[], p_at bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    v_plain text[];
    v_charges text[];
    v_accounts text[];
    v_posted bigint[];
    v_listed text[];
    v_root text;
BEGIN
    -- Locked first, as record.follow_due does it.
    PERFORM 1 FROM record.due_runs WHERE root_id = ANY (p_roots) ORDER BY root_id COLLATE "C" FOR UPDATE;
    SELECT array_agg(u.root), array_agg(found.charge), array_agg(found.account), array_agg(found.posted)
    INTO v_plain, v_charges, v_accounts, v_posted
    FROM unnest(p_roots) AS u (root) CROSS JOIN LATERAL (
        SELECT count(*) AS charges, min(c.id) AS charge, min(c.account_id) AS account, min(c.posted_at) AS posted,
            bool_and(r.status <> 'refunded'
                AND NOT EXISTS (SELECT 1 FROM record.charge_items i
                    WHERE i.charge_id = c.id AND (i.state <> 'charged' OR i.refunded <> 0))
                AND NOT EXISTS (SELECT 1 FROM record.refunds f WHERE f.charge_id = c.id)) AS is_open
        FROM record.runs r JOIN record.charges c ON c.run_id = r.id WHERE r.root_id = u.root) AS found
    WHERE found.charges = 1 AND found.is_open AND NOT (
        SELECT coalesce(bool_or((SELECT account_id FROM record.projects WHERE id = o.project_id)
            <> (SELECT account_id FROM record.projects WHERE id = r.project_id)), false)
        FROM record.runs r JOIN record.outputs o ON o.run_id = r.id WHERE r.root_id = u.root);
    PERFORM 1 FROM record.charge_items WHERE charge_id = ANY (v_charges) ORDER BY charge_id COLLATE "C", item
    FOR NO KEY UPDATE;
    WITH intact AS (
        SELECT DISTINCT ON (p.charge, o.item) p.charge AS charge_id, o.item, o.id
        FROM unnest(v_plain, v_charges, v_accounts) AS p (root, charge, account)
        CROSS JOIN LATERAL (
            SELECT o.item, o.id, o.stored_at FROM record.runs r JOIN record.outputs o ON o.run_id = r.id
            WHERE r.root_id = p.root AND o.state = 'stored' AND o.bytes > 0 AND o.quarantined_at IS NULL
              AND (SELECT account_id FROM record.projects WHERE id = o.project_id) = p.account OFFSET 0) AS o
        ORDER BY p.charge, o.item, o.stored_at, o.id COLLATE "C"),
    delivered AS MATERIALIZED (
        SELECT i.charge_id, i.item, i.seq + 1 AS seq, i.epoch, intact.id AS output
        FROM intact CROSS JOIN LATERAL (
            SELECT * FROM record.charge_items WHERE charge_id = intact.charge_id AND item = intact.item OFFSET 0) AS i),
    moved AS (
        INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
        SELECT charge_id, item, seq, 'delivered', epoch, 'feed', output, p_at FROM delivered),
    settled AS (
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        SELECT charge_id, item, 'delivered', output FROM delivered)
    UPDATE record.charge_items i SET state = 'delivered', seq = d.seq
    FROM delivered d WHERE i.charge_id = d.charge_id AND i.item = d.item AND i.charge_id = ANY (v_charges);
    WITH open AS MATERIALIZED (
        SELECT p.root AS root_id, p.posted FROM unnest(v_plain, v_charges, v_posted) AS p (root, charge, posted)
        CROSS JOIN LATERAL (
            SELECT bool_or(i.state <> 'delivered' AND i.refunded < i.price) AS is_open
            FROM record.charge_items i WHERE i.charge_id = p.charge) AS item
        WHERE item.is_open),
    added AS (
        INSERT INTO record.due_runs (root_id, charged_at, next_at) SELECT root_id, posted, p_at FROM open
        ON CONFLICT (root_id) DO NOTHING RETURNING root_id),
    dropped AS (
        DELETE FROM record.due_runs WHERE root_id = ANY (v_plain) AND root_id NOT IN (SELECT root_id FROM open))
    SELECT array_agg(o.root_id) INTO v_listed FROM open o WHERE o.root_id NOT IN (SELECT root_id FROM added);
    FOREACH v_root IN ARRAY coalesce(v_listed, '{}') LOOP
        PERFORM record.follow_due(v_root, p_at);
    END LOOP;
    FOR v_root IN SELECT u.root FROM unnest(p_roots) AS u (root)
        WHERE u.root <> ALL (coalesce(v_plain, '{}')) ORDER BY 1
    LOOP
        PERFORM record.deliver_items(v_root, p_at);
        PERFORM record.follow_due(v_root, p_at);
    END LOOP;
END $$;
