-- Many restorations of the reconciler in one call. An incident leaves hundreds of charges to restore at a
-- time, and one by one each costs forty statements; here each statement does its part for all of them.
--
-- All are done, or none: what record.post_restoration would refuse, or would do in a way of its own (a lease
-- that is over, a key that was used), ends the whole call with MG005, and the caller sends them one by one
-- to api.settle, which says what was wrong. So this function need not know why, only that nothing is.
--
-- A plan is kept from when a connection first needed it, perhaps while the tables were empty, so each
-- statement finds its rows by a list of keys, or by one key a row: there is no order of joins to choose. Ids
-- are only ordered, never compared, in the collation "C": that is not the collation of their indexes.

CREATE FUNCTION record.one_by_one(p_what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MG005', MESSAGE = format('%s: to be settled one by one', p_what);
END $$;

-- Restorations as they were asked for, field by field, in the order of their charges. `places`: in which they were
-- asked for.
CREATE TYPE record.sweep AS (places bigint[], keys text[], parts bigint[], ids text[], effects jsonb[], refunds text[],
    charges text[], runs text[], accounts text[], causes text[], items jsonb[], totals bigint[]);

-- Reads them. Each must be whole, and no two of one charge or under one key. What is missing is null, and null
-- is not sound.
CREATE FUNCTION record.read_sweep(p_wanted jsonb) RETURNS record.sweep LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_sweep record.sweep;
    v_is_sound boolean;
BEGIN
    WITH wanted AS (
        SELECT place, w ->> 'key' AS key, w -> 'part' AS part, w -> 'effect' AS effect, w -> 'effect' -> 'restoration' AS r
        FROM jsonb_array_elements(p_wanted) WITH ORDINALITY AS u (w, place)
    ), added AS (
        SELECT w.*, i.total, w.effect ->> 'effect' = 'restore' AND w.key <> '' AND record.is_count(w.part)
            AND w.effect ->> 'refund_id' <> '' AND r ->> 'run_id' <> '' AND i.are_counts AND l.are_counts
            AND i.total > 0 AND i.total = l.total AS is_sound
        FROM wanted AS w
        CROSS JOIN LATERAL (
            SELECT sum((i ->> 'credits')::bigint)::bigint AS total,
                bool_and(record.is_count(i -> 'item') AND record.is_count(i -> 'credits')) AS are_counts
            FROM jsonb_array_elements(r -> 'items') AS i) AS i
        CROSS JOIN LATERAL (
            SELECT sum((l ->> 'amount')::bigint)::bigint AS total,
                bool_and(record.is_count(l -> 'amount') AND l ->> 'source' <> '' AND l ->> 'target' <> '') AS are_counts
            FROM jsonb_array_elements(r -> 'lines') AS l) AS l
    )
    -- Sorted once: an aggregate with an order of its own would sort them again.
    SELECT array_agg(place), array_agg(key), array_agg(part::bigint), array_agg(format('%s.0.%s', key, part::bigint)),
        array_agg(effect), array_agg(effect ->> 'refund_id'), array_agg(r ->> 'charge_id'), array_agg(r ->> 'run_id'),
        array_agg(r ->> 'account_id'), array_agg(effect ->> 'cause'), array_agg(r -> 'items'), array_agg(total),
        bool_and(coalesce(is_sound, false)) AND count(*) <= 64
            AND count(DISTINCT key) = count(*) AND count(DISTINCT o) = count(*)
    INTO v_sweep.places, v_sweep.keys, v_sweep.parts, v_sweep.ids, v_sweep.effects, v_sweep.refunds, v_sweep.charges,
        v_sweep.runs, v_sweep.accounts, v_sweep.causes, v_sweep.items, v_sweep.totals, v_is_sound
    FROM (SELECT *, r ->> 'charge_id' COLLATE "C" AS o FROM added ORDER BY o) AS a;
    IF v_is_sound IS NOT TRUE THEN
        PERFORM record.one_by_one('something else than sound restorations');
    END IF;
    RETURN v_sweep;
END $$;

-- Their refunds, where charge, account and logical run belong together. When and why a failure was noticed is
-- asked as record.noticed does.
CREATE FUNCTION record.sweep_refunds(p_sweep record.sweep, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    INSERT INTO record.refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
        detected_at, cause, action_key)
    SELECT w.refund, 'restore_' || w.id, 'makegood', w.charge, w.account, w.run, p_at, 'posted', 'auto', 1,
        coalesce(n.detected_at, p_at), coalesce(n.cause, w.cause), w.key
    FROM unnest((p_sweep).keys, (p_sweep).ids, (p_sweep).refunds, (p_sweep).charges, (p_sweep).runs, (p_sweep).accounts,
        (p_sweep).causes, (p_sweep).items) AS w (key, id, refund, charge, run, account, cause, items)
    LEFT JOIN LATERAL (
        SELECT d.detected_at, d.cause FROM record.detections d
        WHERE d.charge_id = w.charge AND d.kind IN ('orphan', 'damaged', 'duplicate_charge')
          AND (d.item = 0 OR w.items @> jsonb_build_array(jsonb_build_object('item', d.item)))
        ORDER BY d.detected_at LIMIT 1) AS n ON true
    WHERE (SELECT c.account_id FROM record.charges c WHERE c.id = w.charge) = w.account
      AND (SELECT (SELECT r.root_id FROM record.runs r WHERE r.id = c.run_id) FROM record.charges c WHERE c.id = w.charge)
        = (SELECT r.root_id FROM record.runs r WHERE r.id = w.run)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Their items, each taken where it is free, as record.restore_item does. Returns how many.
CREATE FUNCTION record.sweep_items(p_sweep record.sweep, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_wanted bigint;
    v_taken bigint;
BEGIN
    PERFORM 1 FROM record.charge_items WHERE charge_id = ANY ((p_sweep).charges) ORDER BY charge_id COLLATE "C", item
        FOR NO KEY UPDATE;
    PERFORM 1 FROM record.charge_sources WHERE charge_id = ANY ((p_sweep).charges) ORDER BY charge_id COLLATE "C", line
        FOR NO KEY UPDATE;
    WITH wanted AS MATERIALIZED (
        SELECT w.key, w.refund, w.charge, w.account, i.position - 1 AS position, (i.said ->> 'item')::bigint AS item,
            (i.said ->> 'credits')::bigint AS credits
        FROM unnest((p_sweep).keys, (p_sweep).refunds, (p_sweep).charges, (p_sweep).accounts, (p_sweep).items)
            AS w (key, refund, charge, account, items)
        CROSS JOIN LATERAL jsonb_array_elements(w.items) WITH ORDINALITY AS i (said, position)
    ), taken AS (
        UPDATE record.charge_items c
        SET refunded = c.refunded + w.credits, state = 'refunded', seq = c.seq + 1, lease_until = NULL, lease_key = NULL
        FROM wanted w
        WHERE c.charge_id = ANY ((p_sweep).charges) AND c.charge_id = w.charge AND c.item = w.item
          AND c.state NOT IN ('delivered', 'delivering') AND w.credits BETWEEN 0 AND c.price - c.refunded
          AND (w.credits = 0) = (c.price = 0) AND (c.state <> 'refunded' OR c.refunded < c.price)
        RETURNING w.*, c.seq, c.epoch, c.refunded = w.credits AS is_first
    ), w1 AS (
        INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
        SELECT charge, item, seq, 'refunded', epoch, 'makegood', key, refund, p_at FROM taken
    ), w2 AS (
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        SELECT charge, item, 'refunded', refund FROM taken WHERE is_first
    ), w3 AS (
        INSERT INTO record.refund_items_said (refund_id, position, item) SELECT refund, position, item FROM taken
    ), w4 AS (
        INSERT INTO record.refund_items (refund_id, charge_id, account_id, item, amount)
        SELECT refund, charge, account, item, credits FROM taken
    )
    SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM taken) INTO v_wanted, v_taken;
    IF v_taken <> v_wanted THEN
        PERFORM record.one_by_one('an item that is not free');
    END IF;
    RETURN v_taken;
END $$;

-- Where the credits of each line go, in the order of the charges and of their lines.
CREATE TYPE record.swept_lines AS (charges text[], targets text[], kinds text[], goes_to text[], amounts bigint[]);

-- Their lines, from their sources to their targets, as record.restore_line does.
CREATE FUNCTION record.sweep_lines(p_sweep record.sweep, p_at bigint) RETURNS record.swept_lines LANGUAGE plpgsql AS $$
DECLARE
    v_lines record.swept_lines;
BEGIN
    WITH said AS MATERIALIZED (
        SELECT w.refund, w.charge, w.account, l.position - 1 AS position, l.said ->> 'source' AS source,
            l.said ->> 'target' AS target, l.said ->> 'target_kind' AS target_kind, (l.said ->> 'amount')::bigint AS amount
        FROM unnest((p_sweep).refunds, (p_sweep).charges, (p_sweep).accounts, (p_sweep).effects)
            AS w (refund, charge, account, effect)
        CROSS JOIN LATERAL jsonb_array_elements(w.effect -> 'restoration' -> 'lines') WITH ORDINALITY AS l (said, position)
    ), line AS MATERIALIZED (
        SELECT s.*, row_number() OVER (PARTITION BY s.charge ORDER BY s.position) - 1 AS number, b.kind,
            CASE WHEN p_at < b.opening_at THEN 'carried:' || s.account ELSE b.id END AS goes_to
        FROM said s
        LEFT JOIN LATERAL (
            SELECT id, kind, opening_at FROM record.balances WHERE id = s.target AND opening_at IS NOT NULL LIMIT 1) AS b ON true
        WHERE s.amount <> 0
    ), w1 AS (
        INSERT INTO record.refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
        SELECT refund, number, charge, account, source, target, amount FROM line
    ), w2 AS (
        INSERT INTO record.refund_lines_said (refund_id, position, balance_id, kind, amount)
        SELECT refund, position, target, target_kind, amount FROM line
    ), w3 AS (
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, refund_id)
        SELECT 'refund', refund, number, p_at, 'usage:' || account, goes_to, amount, refund FROM line
        WHERE goes_to IS NOT NULL
    ), w4 AS (
        -- Two lines of one source are one change of its row.
        UPDATE record.charge_sources s SET restored = s.restored + l.amount
        FROM (SELECT charge, source, sum(amount)::bigint AS amount FROM line GROUP BY charge, source) AS l
        WHERE s.charge_id = ANY ((p_sweep).charges) AND s.charge_id = l.charge AND s.balance_id = l.source
    )
    SELECT array_agg(charge), array_agg(target), array_agg(kind), array_agg(goes_to), array_agg(amount)
    INTO v_lines.charges, v_lines.targets, v_lines.kinds, v_lines.goes_to, v_lines.amounts
    FROM (SELECT * FROM line ORDER BY charge COLLATE "C", position) AS l;
    IF array_position(v_lines.goes_to, NULL) IS NOT NULL THEN
        PERFORM record.one_by_one('a balance that is not there');
    END IF;
    RETURN v_lines;
END $$;

-- Moves levels by these amounts, in the order of their ids, what was used last, in the stripes of this connection.
CREATE FUNCTION record.sweep_levels(p_balances text[], p_amounts bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_ids text[];
    v_amounts bigint[];
    v_stripes bigint[];
    v_count bigint;
BEGIN
    SELECT array_agg(id), array_agg(amount),
        array_agg(pg_backend_pid() % (SELECT b.stripes FROM record.balances b WHERE b.id = m.id))
    INTO v_ids, v_amounts, v_stripes
    FROM (SELECT id, sum(amount)::bigint AS amount FROM unnest(p_balances, p_amounts) AS u (id, amount) GROUP BY id) AS m;
    PERFORM 1 FROM record.balance_stripes s
    WHERE s.balance_id = ANY (v_ids) AND s.stripe = v_stripes[array_position(v_ids, s.balance_id)]
    ORDER BY s.balance_id LIKE 'usage:%', s.balance_id COLLATE "C" FOR NO KEY UPDATE;
    UPDATE record.balance_stripes s SET level = s.level + v_amounts[array_position(v_ids, s.balance_id)]
    WHERE s.balance_id = ANY (v_ids) AND s.stripe = v_stripes[array_position(v_ids, s.balance_id)];
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count <> cardinality(v_ids) THEN
        RAISE EXCEPTION USING ERRCODE = 'MG004', MESSAGE = 'balances of restorations', DETAIL = 'one has no level';
    END IF;
    RETURN v_count;
END $$;

-- What each receipt says, in the order of the charges. A balance that several of them raise is told as it was
-- between them.
CREATE FUNCTION record.sweep_receipts(p_sweep record.sweep, p_lines record.swept_lines) RETURNS jsonb[]
LANGUAGE plpgsql AS $$
DECLARE
    v_receipts jsonb[];
BEGIN
    WITH brought AS (
        SELECT charge, target, min(kind) AS kind, coalesce(sum(amount) FILTER (WHERE goes_to = target), 0) AS amount
        FROM unnest((p_lines).charges, (p_lines).targets, (p_lines).kinds, (p_lines).goes_to, (p_lines).amounts)
            AS l (charge, target, kind, goes_to, amount)
        GROUP BY charge, target
    ), levels AS MATERIALIZED (
        SELECT target, (SELECT sum(s.level) FROM record.balance_stripes s WHERE s.balance_id = target) AS level
        FROM (SELECT DISTINCT target FROM brought) AS t
    ), told AS (
        SELECT b.charge, b.target, b.kind, b.amount, l.level - coalesce(sum(b.amount) OVER (
            PARTITION BY b.target ORDER BY b.charge COLLATE "C" ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS after
        FROM brought b JOIN levels l ON l.target = b.target
    ), balances AS (
        SELECT charge, jsonb_agg(jsonb_build_object('balance_id', target, 'kind', kind, 'before', after - amount,
            'after', after) ORDER BY target COLLATE "C") AS told
        FROM told GROUP BY charge
    )
    SELECT array_agg(jsonb_build_object('refund_id', w.refund, 'total', w.total, 'balances', b.told, 'receipt', 'restored')
        ORDER BY w.place)
    INTO v_receipts
    FROM unnest((p_sweep).refunds, (p_sweep).charges, (p_sweep).totals) WITH ORDINALITY AS w (refund, charge, total, place)
    JOIN balances b ON b.charge = w.charge;
    RETURN v_receipts;
END $$;

-- Their audit lines, what goes out, and the receipts under their keys.
CREATE FUNCTION record.sweep_journal(p_sweep record.sweep, p_receipts jsonb[], p_at bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH done AS MATERIALIZED (
        SELECT w.*, nextval('record.audit_numbers') AS seq, pg_current_xact_id()::text::bigint AS txid,
            jsonb_build_object('action', w.key, 'effect', w.effect - 'text', 'receipt', w.receipt)::text AS detail
        FROM unnest((p_sweep).keys, (p_sweep).parts, (p_sweep).ids, (p_sweep).runs, (p_sweep).effects, p_receipts)
            AS w (key, part, id, run, effect, receipt)
    ), w1 AS (
        INSERT INTO record.audit (seq, txid, at, actor, act, subject, detail, digest)
        SELECT seq, txid, p_at, 'reconciler', 'restore', run, detail,
            record.audit_digest(seq, txid, p_at, 'reconciler', 'restore', run, detail)
        FROM done
    ), w2 AS (
        INSERT INTO record.outbox (id, at, kind, action_key, summary, payload, state)
        SELECT 'out_' || d.id, p_at, l.kind, d.key, l.summary,
            jsonb_build_object('effect', d.effect, 'receipt', d.receipt, 'agent', 'reconciler'), 'waiting'
        FROM done d CROSS JOIN LATERAL record.letter(d.effect, d.receipt) AS l
    )
    INSERT INTO record.sweep_steps (key, part, at, effect, receipt)
    SELECT key, part, p_at, effect, receipt FROM done ON CONFLICT (key, part) DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Brings the queue and the reconciler's list in line with the runs. Most of them are nobody's complaint, and
-- are settled now: they leave the list together, the others one by one. Looked at after their rows are
-- locked, as record.renew_due does: what somebody else adds to a run comes before the look, or finds no row.
CREATE FUNCTION record.sweep_follow(p_runs text[], p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_members text[];
    v_roots text[];
    v_open text[];
    v_root text;
    v_done bigint;
BEGIN
    SELECT array_agg(id), array_agg(root_id) INTO v_members, v_roots FROM record.runs
    WHERE root_id = ANY (ARRAY(SELECT root_id FROM record.runs WHERE id = ANY (p_runs)));
    PERFORM 1 FROM record.cases WHERE id = ANY (ARRAY(SELECT case_id FROM record.case_runs WHERE run_id = ANY (v_members)))
        ORDER BY id FOR NO KEY UPDATE;
    FOR v_root IN SELECT DISTINCT v_roots[array_position(v_members, k.run_id)] FROM record.case_runs k
        WHERE k.run_id = ANY (v_members) ORDER BY 1
    LOOP
        v_done := record.follow_cases(v_root, NULL, false);
    END LOOP;
    PERFORM 1 FROM record.due_runs WHERE root_id = ANY (v_roots) ORDER BY root_id COLLATE "C" FOR UPDATE;
    v_open := ARRAY(
        SELECT run_id FROM record.charges WHERE id = ANY (ARRAY(
            SELECT charge_id FROM record.charge_items
            WHERE charge_id = ANY (ARRAY(SELECT id FROM record.charges WHERE run_id = ANY (v_members)))
              AND state <> 'delivered' AND refunded < price
            UNION ALL SELECT charge_id FROM record.refunds
            WHERE charge_id = ANY (ARRAY(SELECT id FROM record.charges WHERE run_id = ANY (v_members))) AND origin = 'feed'))
        UNION ALL SELECT run_id FROM record.outputs WHERE run_id = ANY (v_members)
        UNION ALL SELECT id FROM record.runs WHERE id = ANY (v_members) AND status = 'refunded');
    IF v_open <> '{}' THEN
        v_open := ARRAY(SELECT DISTINCT root_id FROM record.runs WHERE id = ANY (v_open));
    END IF;
    DELETE FROM record.due_runs WHERE root_id = ANY (v_roots) AND root_id <> ALL (v_open);
    FOR v_root IN SELECT u FROM unnest(v_open) AS u ORDER BY u COLLATE "C" LOOP
        v_done := record.renew_due(v_root, p_at);
    END LOOP;
    RETURN cardinality(v_members);
END $$;

-- Counts restorations in their hour, where the part of this connection has room for all of them.
CREATE FUNCTION record.count_sweeps(p_count bigint, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_own bigint := pg_backend_pid() % 16;
    v_most bigint := (SELECT restorations_per_hour FROM record.reconciler_limits);
BEGIN
    UPDATE record.reconciler_hours SET restorations = restorations + p_count
    WHERE hour = div(p_at, 3600000000) AND part = v_own AND restorations + p_count <= (v_most + 15 - v_own) / 16;
    IF NOT FOUND THEN
        PERFORM record.one_by_one('an hour that is not begun, or nearly full');
    END IF;
    RETURN p_count;
END $$;

-- Whether one of their charges is young, and a failure of one of its items was never noticed.
CREATE FUNCTION record.sweep_unnoticed(p_sweep record.sweep, p_at bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_young text[] := ARRAY(SELECT id FROM record.charges WHERE id = ANY ((p_sweep).charges)
        AND posted_at > p_at - (SELECT unseen_hours FROM record.reconciler_limits) * 3600000000);
BEGIN
    RETURN cardinality(v_young) > 0 AND EXISTS (
        SELECT 1 FROM unnest((p_sweep).charges, (p_sweep).items) AS w (charge, items)
        CROSS JOIN LATERAL jsonb_array_elements(w.items) AS i (said)
        WHERE w.charge = ANY (v_young) AND NOT EXISTS (
            SELECT 1 FROM record.detections d
            WHERE d.charge_id = w.charge AND d.item IN (0, (i.said ->> 'item')::bigint)
              AND d.kind IN ('orphan', 'damaged', 'duplicate_charge')));
END $$;

-- Restorations of the reconciler: [{"key", "part", "effect"}], answered in their order as api.settle answers
-- each. Only those that are as most are; else MG005, and none is done.
CREATE FUNCTION api.settle_many(p_wanted jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_sweep record.sweep := record.read_sweep(p_wanted);
    v_count bigint := cardinality(v_sweep.keys);
    v_receipts jsonb[];
    v_lines record.swept_lines;
    v_done bigint;
BEGIN
    -- Of two reconcilers that do the same at a time the second sees what the first did.
    PERFORM 1 FROM record.runs WHERE id = ANY (v_sweep.runs) ORDER BY id COLLATE "C" FOR NO KEY UPDATE;
    IF EXISTS (SELECT 1 FROM record.sweep_steps WHERE key = ANY (v_sweep.keys))
        OR EXISTS (SELECT 1 FROM record.actions WHERE key = ANY (v_sweep.keys)) THEN
        PERFORM record.one_by_one('a key that was used');
    ELSIF record.sweep_unnoticed(v_sweep, v_at) THEN
        PERFORM record.one_by_one('a young charge of which nothing was noticed');
    ELSIF record.sweep_refunds(v_sweep, v_at) <> v_count THEN
        PERFORM record.one_by_one('a refund that can''t be made');
    END IF;
    v_done := record.sweep_items(v_sweep, v_at);
    v_lines := record.sweep_lines(v_sweep, v_at);
    v_done := record.sweep_levels(v_lines.goes_to || ARRAY(SELECT 'usage:' || a FROM unnest(v_sweep.accounts) AS a),
        v_lines.amounts || ARRAY(SELECT -t FROM unnest(v_sweep.totals) AS t));
    v_receipts := record.sweep_receipts(v_sweep, v_lines);
    IF record.sweep_journal(v_sweep, v_receipts, v_at) <> v_count THEN
        PERFORM record.one_by_one('a key that was used in this very moment');
    END IF;
    v_done := record.sweep_follow(v_sweep.runs, v_at);
    v_done := record.count_sweeps(v_count, v_at);
    RETURN (SELECT jsonb_agg(jsonb_build_object('step', 0, 'part', part, 'at', v_at, 'receipt', receipt) ORDER BY place)
        FROM unnest(v_sweep.places, v_sweep.parts, v_receipts) AS k (place, part, receipt));
END $$;
