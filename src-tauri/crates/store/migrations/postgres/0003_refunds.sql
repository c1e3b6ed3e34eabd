-- Refunds: restorations made here, and what the platform said that it refunded (P4, P5).

-- Settles one item by `p_amount` as the platform said; the item's row is locked and was read as `p_item`.
-- The check on `refunded` and the key of the settlement refuse what is too much.
CREATE FUNCTION record.refund_item(p_refund text, p_account text, p_item record.charge_items, p_amount bigint,
    p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE record.charge_items
    SET refunded = refunded + p_amount, state = 'refunded', seq = p_item.seq + 1, epoch = p_item.epoch,
        lease_until = NULL, lease_key = NULL
    WHERE charge_id = p_item.charge_id AND item = p_item.item;
    INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
    VALUES (p_item.charge_id, p_item.item, p_item.seq + 1, 'refunded', p_item.epoch, 'feed', p_refund, p_at);
    IF p_item.state <> 'refunded' THEN
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        VALUES (p_item.charge_id, p_item.item, 'refunded', p_refund);
    END IF;
    INSERT INTO record.refund_items (refund_id, charge_id, account_id, item, amount)
    VALUES (p_refund, p_item.charge_id, p_account, p_item.item, p_amount);
END $$;

-- Ends a lease so that its holder can no longer deliver: the epoch rises, unless the holder itself ends
-- it. Returns the item as it is then.
CREATE FUNCTION record.fence_item(p_item record.charge_items, p_origin text, p_action text, p_why text, p_at bigint)
RETURNS record.charge_items LANGUAGE plpgsql AS $$
BEGIN
    p_item.epoch := p_item.epoch + (p_action IS DISTINCT FROM p_item.lease_key)::int;
    PERFORM record.change_item(p_item.charge_id, p_item.item, 'released', p_item.epoch, NULL, p_origin, p_action,
        NULL, p_why, p_at);
    p_item.state := 'released';
    p_item.seq := p_item.seq + 1;
    p_item.lease_until := NULL;
    p_item.lease_key := NULL;
    RETURN p_item;
END $$;

-- Returns credits of a charge from its sources to balances of the account, as the platform said: lines,
-- postings and levels. `p_lines`: [{"source", "target", "amount"}]; those of 0 are left out. The rows of the
-- sources are locked.
CREATE FUNCTION record.return_credits(p_refund text, p_charge text, p_account text, p_lines jsonb, p_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_line record;
    v_balances text[] := '{}';
    v_deltas bigint[] := '{}';
BEGIN
    FOR v_line IN SELECT row_number() OVER (ORDER BY l.place) - 1 AS line, l.source, l.target, l.amount,
            CASE WHEN p_at < b.opening_at THEN 'carried:' || p_account ELSE b.id END AS to_balance
        FROM ROWS FROM (jsonb_to_recordset(p_lines) AS (source text, target text, amount bigint)) WITH ORDINALITY
            AS l (source, target, amount, place)
        JOIN record.balances b ON b.id = l.target WHERE l.amount <> 0 ORDER BY l.place
    LOOP
        INSERT INTO record.refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
        VALUES (p_refund, v_line.line, p_charge, p_account, v_line.source, v_line.target, v_line.amount);
        UPDATE record.charge_sources SET restored = restored + v_line.amount
        WHERE charge_id = p_charge AND balance_id = v_line.source;
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, refund_id)
        VALUES ('refund', p_refund, v_line.line, p_at, 'usage:' || p_account, v_line.to_balance, v_line.amount, p_refund);
        v_balances := v_balances || ('usage:' || p_account) || v_line.to_balance;
        v_deltas := v_deltas || -v_line.amount || v_line.amount;
    END LOOP;
    PERFORM record.change_levels(v_balances, v_deltas);
END $$;

-- When and why a failure of one of these items was first noticed, apart from a posting (R16). There is
-- nothing that notices yet.
CREATE FUNCTION record.noticed(p_charge text, p_items jsonb, OUT at bigint, OUT cause text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
END $$;

-- Why a restoration was not posted, in plain words. `p_wanted`: as record.post_restoration has it.
-- `p_step`: what could not be written, of 'refund', 'item' and 'line'; `p_item` is that item. Where nothing
-- speaks against it any more, somebody else was at it in this very moment: it can be sent again.
CREATE FUNCTION record.refuse_restoration(p_refund text, p_step text, p_item bigint, p_wanted jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_id text := p_wanted ->> 'charge_id';
    v_charge record.charges;
    v_wanted record;
    v_item record.charge_items;
    v_what text;
BEGIN
    SELECT * INTO v_charge FROM record.charges WHERE id = v_id;
    IF v_charge.id IS NULL THEN
        PERFORM record.refuse(format('there is no charge %s', v_id));
    ELSIF v_charge.account_id IS DISTINCT FROM p_wanted ->> 'account_id' THEN
        PERFORM record.refuse(format('charge %s was paid by another account', v_id));
    ELSIF NOT EXISTS (SELECT 1 FROM record.runs a JOIN record.runs b ON b.root_id = a.root_id
                      WHERE a.id = v_charge.run_id AND b.id = p_wanted ->> 'run_id') THEN
        PERFORM record.refuse(format('charge %s is not of run %s', v_id, p_wanted ->> 'run_id'));
    ELSIF EXISTS (SELECT 1 FROM jsonb_to_recordset(p_wanted -> 'items') AS i (credits numeric) WHERE i.credits < 0)
        OR EXISTS (SELECT 1 FROM jsonb_to_recordset(p_wanted -> 'lines') AS l (amount numeric) WHERE l.amount < 0)
        OR (SELECT coalesce(sum(i.credits), 0) FROM jsonb_to_recordset(p_wanted -> 'items') AS i (credits numeric))
         <> (SELECT coalesce(sum(l.amount), 0) FROM jsonb_to_recordset(p_wanted -> 'lines') AS l (amount numeric)) THEN
        PERFORM record.refuse(format('the items and lines of the restoration of %s do not add up', v_id));
    ELSIF (SELECT count(*) > count(DISTINCT i.item) FROM jsonb_to_recordset(p_wanted -> 'items') AS i (item bigint)) THEN
        PERFORM record.refuse(format('the restoration of %s names an item twice', v_id));
    ELSIF (SELECT coalesce(sum(i.credits), 0) FROM jsonb_to_recordset(p_wanted -> 'items') AS i (credits numeric)) = 0 THEN
        PERFORM record.refuse('there is nothing to restore');
    ELSIF p_step = 'refund' AND EXISTS (SELECT 1 FROM record.refunds WHERE id = p_refund) THEN
        PERFORM record.refuse(format('there is a refund %s already', p_refund));
    END IF;
    FOR v_wanted IN SELECT * FROM jsonb_to_recordset(p_wanted -> 'items') AS i (item bigint, credits bigint)
        WHERE i.item = p_item
    LOOP
        SELECT * INTO v_item FROM record.charge_items WHERE charge_id = v_id AND item = v_wanted.item;
        v_what := format('item %s of charge %s', v_wanted.item, v_id);
        IF v_item.item IS NULL THEN
            PERFORM record.refuse(format('charge %s has no item %s', v_id, v_wanted.item));
        ELSIF v_item.state IN ('delivered', 'delivering') OR v_wanted.credits > v_item.price - v_item.refunded
                AND v_item.refunded > 0 OR v_item.state = 'refunded' AND v_item.refunded = v_item.price THEN
            PERFORM record.refuse(format('%s can''t be restored: %s', v_what, record.who_was_first(v_id, v_wanted.item)));
        ELSIF (v_wanted.credits = 0) <> (v_item.price = 0) THEN
            PERFORM record.refuse(format('%s: %s credits are no refund of an item that cost %s', v_what, v_wanted.credits,
                v_item.price));
        ELSIF v_wanted.credits > v_item.price THEN
            PERFORM record.refuse(format('%s cost only %s', v_what, v_item.price));
        END IF;
    END LOOP;
    FOR v_wanted IN SELECT l.target FROM jsonb_to_recordset(p_wanted -> 'lines') AS l (target text, amount bigint)
        LEFT JOIN record.balances b ON b.id = l.target WHERE l.amount <> 0 AND b.opening_at IS NULL
    LOOP
        PERFORM record.refuse(format('there is no balance %s', v_wanted.target));
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = '40001',
        MESSAGE = format('charge %s was changed in this very moment: to be sent again', v_id);
END $$;

-- One item of a restoration: what of it is free is taken with the row's lock held. Returns 1, or null
-- where it isn't free any more.
CREATE FUNCTION record.restore_item(p_refund text, p_charge text, p_account text, p_item bigint, p_credits bigint,
    p_position bigint, p_action text, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_done bigint;
BEGIN
    WITH taken AS (
        UPDATE record.charge_items
        SET refunded = refunded + p_credits, state = 'refunded', seq = seq + 1, lease_until = NULL, lease_key = NULL
        WHERE charge_id = p_charge AND item = p_item AND state NOT IN ('delivered', 'delivering')
          AND p_credits BETWEEN 0 AND price - refunded AND (p_credits = 0) = (price = 0)
          AND (state <> 'refunded' OR refunded < price)
        RETURNING seq, epoch, refunded = p_credits AS is_first
    ), w1 AS (
        INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
        SELECT p_charge, p_item, seq, 'refunded', epoch, 'makegood', p_action, p_refund, p_at FROM taken
    ), w2 AS (
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        SELECT p_charge, p_item, 'refunded', p_refund FROM taken WHERE is_first
    ), w3 AS (
        INSERT INTO record.refund_items_said (refund_id, position, item) SELECT p_refund, p_position, p_item FROM taken
    ), w4 AS (
        INSERT INTO record.refund_items (refund_id, charge_id, account_id, item, amount)
        SELECT p_refund, p_charge, p_account, p_item, p_credits FROM taken
    )
    SELECT 1 INTO v_done FROM taken;
    RETURN v_done;
END $$;

-- One line of a restoration, from its source to its target. Returns the target with its kind, and what is
-- raised: what is older than a balance's opening is carried. Nothing comes back where there is no such
-- balance.
CREATE FUNCTION record.restore_line(p_refund text, p_charge text, p_account text, p_line jsonb, p_number bigint,
    p_position bigint, p_at bigint, OUT target text, OUT kind text, OUT goes_to text, OUT amount bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    WITH line AS MATERIALIZED (
        SELECT b.id AS target, b.kind, (p_line ->> 'amount')::bigint AS amount, p_line ->> 'source' AS source,
            CASE WHEN p_at < b.opening_at THEN 'carried:' || p_account ELSE b.id END AS goes_to
        FROM record.balances b WHERE b.id = p_line ->> 'target' AND b.opening_at IS NOT NULL
    ), w1 AS (
        INSERT INTO record.refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
        SELECT p_refund, p_number, p_charge, p_account, source, target, amount FROM line
    ), w2 AS (
        INSERT INTO record.refund_lines_said (refund_id, position, balance_id, kind, amount)
        SELECT p_refund, p_position, target, p_line ->> 'target_kind', amount FROM line
    ), w3 AS (
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, refund_id)
        SELECT 'refund', p_refund, p_number, p_at, 'usage:' || p_account, goes_to, amount, p_refund FROM line
    ), w4 AS (
        UPDATE record.charge_sources SET restored = restored + (p_line ->> 'amount')::bigint
        WHERE charge_id = p_charge AND balance_id = p_line ->> 'source'
    )
    SELECT line.target, line.kind, line.goes_to, line.amount INTO target, kind, goes_to, amount FROM line;
END $$;

-- Posts a restoration made here: refund, items, lines, postings, levels, states. `p_wanted`: {"charge_id",
-- "run_id", "account_id", "items": [{"item", "credits"}], "lines": [{"source", "target", "target_kind",
-- "amount"}]}. `p_key` makes the same one once, whoever sends it how often; `p_kind` is 'manual' for a
-- person, 'auto' for the reconciler, whose cause is that of what it noticed. Returns what its receipt says:
-- {"refund_id", "total", "balances": [{"balance_id", "kind", "before", "after"}]}, by id, where levels that
-- others are moving are of the instant. Refuses with who was first.
--
-- It writes at once and asks what was wrong when something could not be written, and has as few
-- statements and expressions as it can: with each a restoration costs more.
CREATE FUNCTION record.post_restoration(p_refund text, p_key text, p_wanted jsonb, p_action text, p_kind text,
    p_ticket text, p_cause text, p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_charge text := p_wanted ->> 'charge_id';
    v_account text := p_wanted ->> 'account_id';
    v_items jsonb := p_wanted -> 'items';
    v_lines jsonb := p_wanted -> 'lines';
    v_total bigint := 0;
    v_left bigint := 0;
    v_number bigint := 0;
    v_posted record;
    v_targets text[] := '{}';
    v_kinds text[] := '{}';
    v_raised text[] := '{}';
    v_amounts bigint[] := '{}';
BEGIN
    -- The rows of several items, and of several sources, are locked in one order.
    IF jsonb_array_length(v_items) > 1 OR jsonb_array_length(v_lines) > 1 THEN
        PERFORM 1 FROM record.charge_items WHERE charge_id = v_charge ORDER BY item FOR NO KEY UPDATE;
        PERFORM 1 FROM record.charge_sources WHERE charge_id = v_charge ORDER BY line FOR NO KEY UPDATE;
    END IF;
    IF EXISTS (SELECT 1 FROM record.charge_items WHERE charge_id = v_charge AND state = 'delivering' AND lease_until <= p_at)
    THEN
        PERFORM record.end_leases(v_charge, v_items, p_action, p_at);
    END IF;
    INSERT INTO record.refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
        ticket_id, detected_at, cause, action_key)
    SELECT p_refund, p_key, 'makegood', c.id, c.account_id, p_wanted ->> 'run_id', p_at, 'posted', p_kind, 1,
        p_ticket, coalesce(n.at, p_at), coalesce(CASE p_kind WHEN 'auto' THEN n.cause END, p_cause), p_action
    FROM record.charges c CROSS JOIN LATERAL record.noticed(v_charge, v_items) AS n
    WHERE c.id = v_charge AND c.account_id = v_account
      AND (c.run_id = p_wanted ->> 'run_id' OR (SELECT root_id FROM record.runs WHERE id = c.run_id)
         = (SELECT root_id FROM record.runs WHERE id = p_wanted ->> 'run_id'))
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM record.refuse_restoration(p_refund, 'refund', NULL, p_wanted);
    END IF;
    FOR i IN 0 .. jsonb_array_length(v_items) - 1 LOOP
        v_left := (v_items -> i ->> 'credits')::bigint;
        v_total := v_total + v_left;
        IF record.restore_item(p_refund, v_charge, v_account, (v_items -> i ->> 'item')::bigint, v_left, i, p_action, p_at)
            IS NULL THEN
            PERFORM record.refuse_restoration(p_refund, 'item', (v_items -> i ->> 'item')::bigint, p_wanted);
        END IF;
    END LOOP;
    v_left := v_total;
    FOR i IN 0 .. jsonb_array_length(v_lines) - 1 LOOP
        CONTINUE WHEN v_lines -> i -> 'amount' = '0';
        v_posted := record.restore_line(p_refund, v_charge, v_account, v_lines -> i, v_number, i, p_at);
        IF v_posted.target IS NULL THEN
            PERFORM record.refuse_restoration(p_refund, 'line', NULL, p_wanted);
        END IF;
        v_number := v_number + 1;
        v_left := v_left - v_posted.amount;
        v_targets := v_targets || v_posted.target;
        v_kinds := v_kinds || v_posted.kind;
        v_raised := v_raised || v_posted.goes_to;
        v_amounts := v_amounts || v_posted.amount;
    END LOOP;
    IF v_left <> 0 OR v_total = 0 THEN
        PERFORM record.refuse_restoration(p_refund, 'line', NULL, p_wanted);
    END IF;
    RETURN jsonb_build_object('refund_id', p_refund, 'total',
        record.raise_levels(v_raised, v_amounts, v_account, v_total), 'balances',
        record.told_levels(v_targets, v_kinds, v_raised, v_amounts));
END $$;

-- Ends the leases that are over of items of a restoration, so that their holders can no longer deliver.
CREATE FUNCTION record.end_leases(p_charge text, p_items jsonb, p_action text, p_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_item record.charge_items;
BEGIN
    FOR v_item IN SELECT * FROM record.charge_items
        WHERE charge_id = p_charge AND p_items @> jsonb_build_array(jsonb_build_object('item', item))
        ORDER BY item FOR NO KEY UPDATE
    LOOP
        IF v_item.state = 'delivering' AND v_item.lease_until <= p_at THEN
            v_item := record.fence_item(v_item, 'makegood', p_action, 'the lease was over when the credits were restored', p_at);
        END IF;
    END LOOP;
END $$;

-- Raises levels by what a restoration brought, in the order of their ids, and then lowers what the account
-- used. None of them can fall below what it must not.
CREATE FUNCTION record.raise_levels(p_balances text[], p_amounts bigint[], p_account text, p_total bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_balances text[] := p_balances;
    v_amounts bigint[] := p_amounts;
BEGIN
    IF cardinality(p_balances) > 1 THEN
        SELECT array_agg(m.id ORDER BY m.id COLLATE "C"), array_agg(m.amount ORDER BY m.id COLLATE "C")
        INTO v_balances, v_amounts
        FROM (SELECT id, sum(amount)::bigint AS amount FROM unnest(p_balances, p_amounts) AS u (id, amount) GROUP BY id) AS m;
    END IF;
    FOR i IN 1 .. cardinality(v_balances) LOOP
        UPDATE record.balance_stripes SET level = level + v_amounts[i] WHERE balance_id = v_balances[i]
            AND stripe = pg_backend_pid() % (SELECT stripes FROM record.balances WHERE id = v_balances[i]);
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MG004', MESSAGE = 'balance ' || v_balances[i], DETAIL = 'it has no level';
        END IF;
    END LOOP;
    UPDATE record.balance_stripes SET level = level - p_total WHERE balance_id = 'usage:' || p_account
        AND stripe = pg_backend_pid() % (SELECT stripes FROM record.balances WHERE id = 'usage:' || p_account);
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'MG004', MESSAGE = 'balance usage:' || p_account, DETAIL = 'it has no level';
    END IF;
    RETURN p_total;
END $$;

-- Targets of lines, each once and by id, before and after they were raised.
CREATE FUNCTION record.told_levels(p_targets text[], p_kinds text[], p_raised text[], p_amounts bigint[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_told jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('balance_id', t.id, 'kind', t.kind, 'before', t.level - t.brought,
        'after', t.level) ORDER BY t.id COLLATE "C")
    INTO v_told FROM (
        SELECT l.target AS id, min(l.kind) AS kind, coalesce(sum(l.amount) FILTER (WHERE l.raised = l.target), 0) AS brought,
            (SELECT sum(level) FROM record.balance_stripes WHERE balance_id = l.target) AS level
        FROM unnest(p_targets, p_kinds, p_raised, p_amounts) AS l (target, kind, raised, amount) GROUP BY l.target) AS t;
    RETURN v_told;
END $$;

-- Reverses those of these refunds that are posted: their credits are taken back, and their items are owed again.
-- With `p_action` they are taken back by that, with the customer's consent: a debit of the instant `p_at`, from the
-- balances that they went to as they are counted by then. An item goes by the last of its refunds, as they are named.
--
-- All rows are locked before any is changed, in the order in which restorations lock theirs: items, refunds, sources,
-- and each balance once. One refund after the other would come back from balances to sources.
CREATE FUNCTION record.reverse_refunds(p_refunds text[], p_action text DEFAULT NULL, p_at bigint DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_refunds text[];
    v_items record.charge_items[];
    v_item record.charge_items;
    v_last record.refunds;
    v_balances text[];
    v_deltas bigint[];
BEGIN
    PERFORM 1 FROM record.charge_items WHERE (charge_id, item) IN (
        SELECT charge_id, item FROM record.refund_items WHERE refund_id = ANY (p_refunds))
        ORDER BY charge_id COLLATE "C", item FOR NO KEY UPDATE;
    v_refunds := ARRAY(SELECT id FROM record.refunds WHERE id = ANY (p_refunds) AND state = 'posted'
        ORDER BY id COLLATE "C" FOR NO KEY UPDATE);
    UPDATE record.refunds SET state = 'reversed' WHERE id = ANY (v_refunds);
    v_items := ARRAY(SELECT i FROM record.charge_items i WHERE (i.charge_id, i.item) IN (
        SELECT charge_id, item FROM record.refund_items WHERE refund_id = ANY (v_refunds)) ORDER BY i.charge_id, i.item);
    FOREACH v_item IN ARRAY v_items LOOP
        UPDATE record.charge_items SET refunded = (
            SELECT coalesce(sum(x.amount), 0) FROM record.refund_items x JOIN record.refunds r ON r.id = x.refund_id
            WHERE x.charge_id = v_item.charge_id AND x.item = v_item.item AND r.state = 'posted')
        WHERE charge_id = v_item.charge_id AND item = v_item.item;
        IF v_item.state = 'refunded' AND NOT EXISTS (
            SELECT 1 FROM record.refund_items x JOIN record.refunds r ON r.id = x.refund_id
            WHERE r.state = 'posted' AND x.charge_id = v_item.charge_id AND x.item = v_item.item) THEN
            SELECT r.* INTO v_last FROM record.refunds r JOIN record.refund_items x ON x.refund_id = r.id
            WHERE r.id = ANY (v_refunds) AND x.charge_id = v_item.charge_id AND x.item = v_item.item
            ORDER BY array_position(p_refunds, r.id) DESC LIMIT 1;
            PERFORM record.change_item(v_item.charge_id, v_item.item, 'reversed', v_item.epoch, NULL,
                CASE WHEN p_action IS NULL THEN v_last.origin ELSE 'makegood' END, coalesce(p_action, v_last.action_key),
                v_last.id, NULL, coalesce(p_at, v_last.posted_at));
        END IF;
    END LOOP;
    PERFORM 1 FROM record.charge_sources WHERE charge_id IN (SELECT charge_id FROM record.refunds WHERE id = ANY (v_refunds))
        ORDER BY charge_id COLLATE "C", line FOR NO KEY UPDATE;
    UPDATE record.charge_sources s SET restored = (
        SELECT coalesce(sum(l.amount), 0) FROM record.refund_lines l JOIN record.refunds r ON r.id = l.refund_id
        WHERE l.charge_id = s.charge_id AND l.source = s.balance_id AND r.state = 'posted')
    WHERE s.charge_id IN (SELECT charge_id FROM record.refunds WHERE id = ANY (v_refunds));
    WITH moved AS (
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, refund_id, stray_id)
        (SELECT CASE kind WHEN 'refund' THEN 'reversal' ELSE 'stray_reversal' END, document, line, at,
               to_balance, from_balance, amount, refund_id, stray_id
        FROM record.postings WHERE p_action IS NULL AND kind IN ('refund', 'stray') AND document = ANY (v_refunds)
        ORDER BY id)
        UNION ALL
        (SELECT 'reversal', l.refund_id, l.line, p_at,
               CASE WHEN p_at < b.opening_at THEN 'carried:' || l.account_id ELSE b.id END, 'usage:' || l.account_id,
               l.amount, l.refund_id, NULL
        FROM record.refund_lines l JOIN record.balances b ON b.id = l.target
        WHERE p_action IS NOT NULL AND l.refund_id = ANY (v_refunds)
        ORDER BY array_position(p_refunds, l.refund_id), l.line)
        RETURNING from_balance, to_balance, amount)
    SELECT array_agg(from_balance) || array_agg(to_balance), array_agg(-amount) || array_agg(amount)
    INTO v_balances, v_deltas FROM moved;
    -- A refund of what cost nothing moved nothing.
    IF v_balances IS NOT NULL THEN
        PERFORM record.change_levels(v_balances, v_deltas);
    END IF;
END $$;
