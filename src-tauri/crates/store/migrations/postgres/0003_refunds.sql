-- Refunds: restorations made here, and what the platform said that it refunded (P4, P5).

-- Settles one item by `p_amount`, of which the item's row is locked and was read as `p_item`. The check
-- on `refunded` and the key of the settlement refuse what is too much. `p_place`: the item's place among those said, where that is to be
-- kept as well. Returns the item's new `seq`.
CREATE FUNCTION record.refund_item(p_refund text, p_account text, p_item record.charge_items, p_amount bigint,
    p_place bigint, p_origin text, p_action text, p_at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    -- One statement: starting one costs as much as what it writes.
    WITH changed AS (
        UPDATE record.charge_items
        SET refunded = refunded + p_amount, state = 'refunded', seq = p_item.seq + 1, epoch = p_item.epoch,
            lease_until = NULL, lease_key = NULL
        WHERE charge_id = p_item.charge_id AND item = p_item.item
    ), transition AS (
        INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
        VALUES (p_item.charge_id, p_item.item, p_item.seq + 1, 'refunded', p_item.epoch, p_origin, p_action, p_refund, p_at)
    ), settlement AS (
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        SELECT p_item.charge_id, p_item.item, 'refunded', p_refund WHERE p_item.state <> 'refunded'
    ), said AS (
        INSERT INTO record.refund_items_said (refund_id, position, item)
        SELECT p_refund, p_place, p_item.item WHERE p_place IS NOT NULL
    )
    INSERT INTO record.refund_items (refund_id, charge_id, account_id, item, amount)
    VALUES (p_refund, p_item.charge_id, p_account, p_item.item, p_amount);
    RETURN p_item.seq + 1;
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

-- The total of a restoration, or a refusal of what can be told from itself and its charge.
CREATE FUNCTION record.check_restoration(p_wanted jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_id text := p_wanted ->> 'charge_id';
    v_run text;
    v_account text;
    v_items numeric := 0;
    v_lines numeric := 0;
    v_part numeric;
    v_is_below boolean := false;
BEGIN
    SELECT run_id, account_id INTO v_run, v_account FROM record.charges WHERE id = v_id;
    IF v_run IS NULL THEN
        PERFORM record.refuse(format('there is no charge %s', v_id));
    ELSIF v_account <> p_wanted ->> 'account_id' THEN
        PERFORM record.refuse(format('charge %s was paid by another account', v_id));
    END IF;
    IF v_run <> p_wanted ->> 'run_id' THEN
        PERFORM 1 FROM record.runs a JOIN record.runs b ON b.root_id = a.root_id
        WHERE a.id = v_run AND b.id = p_wanted ->> 'run_id';
        IF NOT FOUND THEN
            PERFORM record.refuse(format('charge %s is not of run %s', v_id, p_wanted ->> 'run_id'));
        END IF;
    END IF;
    FOR i IN 0 .. jsonb_array_length(p_wanted -> 'items') - 1 LOOP
        v_part := p_wanted -> 'items' -> i ->> 'credits';
        v_items := v_items + v_part;
        v_is_below := v_is_below OR v_part < 0;
    END LOOP;
    FOR i IN 0 .. jsonb_array_length(p_wanted -> 'lines') - 1 LOOP
        v_part := p_wanted -> 'lines' -> i ->> 'amount';
        v_lines := v_lines + v_part;
        v_is_below := v_is_below OR v_part < 0;
    END LOOP;
    IF v_is_below OR v_items <> v_lines THEN
        PERFORM record.refuse(format('the items and lines of the restoration of %s do not add up', v_id));
    ELSIF v_items = 0 THEN
        PERFORM record.refuse('there is nothing to restore');
    END IF;
    RETURN v_items;
END $$;

-- Locks an item of a restoration and refuses it where it is settled or being recovered; ends a lease
-- that is over. Returns the item as it is then.
CREATE FUNCTION record.clear_item(p_charge text, p_number bigint, p_credits bigint, p_action text, p_at bigint)
RETURNS record.charge_items LANGUAGE plpgsql AS $$
DECLARE
    v_item record.charge_items;
BEGIN
    SELECT * INTO v_item FROM record.charge_items WHERE charge_id = p_charge AND item = p_number FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('charge %s has no item %s', p_charge, p_number));
    ELSIF p_at < v_item.lease_until OR v_item.state = 'delivered'
        OR (v_item.state = 'refunded' AND v_item.refunded = v_item.price) THEN
        PERFORM record.refuse(format('item %s of charge %s can''t be restored: %s', p_number, p_charge,
            record.who_was_first(p_charge, p_number)));
    ELSIF p_credits < 0 OR (p_credits = 0) <> (v_item.price = 0) THEN
        PERFORM record.refuse(format('item %s of charge %s: %s credits are no refund of an item that cost %s', p_number,
            p_charge, p_credits, v_item.price));
    ELSIF p_credits > v_item.price - v_item.refunded AND v_item.refunded = 0 THEN
        PERFORM record.refuse(format('item %s of charge %s cost only %s', p_number, p_charge, v_item.price));
    ELSIF p_credits > v_item.price - v_item.refunded THEN
        PERFORM record.refuse(format('item %s of charge %s can''t be restored: %s', p_number, p_charge,
            record.who_was_first(p_charge, p_number)));
    ELSIF v_item.state = 'delivering' THEN
        RETURN record.fence_item(v_item, 'makegood', p_action, 'the lease was over when the credits were restored', p_at);
    END IF;
    RETURN v_item;
END $$;

-- Returns credits of a charge from its sources to balances of the account: lines, postings and levels.
-- `p_lines`: [{"source", "target", "amount"}]; those of 0 are left out. With `p_is_said` they are kept as
-- what was said as well ("target_kind"). Returns the targets before and after, [{"balance_id", "kind",
-- "before", "after"}] by id; a level that others are moving is of the instant.
CREATE FUNCTION record.return_credits(p_refund text, p_charge text, p_account text, p_lines jsonb, p_is_said boolean,
    p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_usage text := 'usage:' || p_account;
    v_source text;
    v_target text;
    v_amount bigint;
    v_kind text;
    v_opening_at bigint;
    v_line bigint := 0;
    v_to text;
    v_balances text[] := '{}';
    v_deltas bigint[] := '{}';
    v_told jsonb := '{}';
BEGIN
    IF jsonb_array_length(p_lines) > 1 THEN
        PERFORM 1 FROM record.charge_sources WHERE charge_id = p_charge ORDER BY line FOR NO KEY UPDATE;
    END IF;
    FOR i IN 0 .. jsonb_array_length(p_lines) - 1 LOOP
        v_source := p_lines -> i ->> 'source';
        v_target := p_lines -> i ->> 'target';
        v_amount := p_lines -> i ->> 'amount';
        CONTINUE WHEN v_amount = 0;
        SELECT kind, opening_at INTO v_kind, v_opening_at FROM record.balances WHERE id = v_target;
        IF v_opening_at IS NULL THEN
            PERFORM record.refuse(format('there is no balance %s', v_target));
        END IF;
        v_to := CASE WHEN p_at < v_opening_at THEN 'carried:' || p_account ELSE v_target END;
        WITH line AS (
            INSERT INTO record.refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
            VALUES (p_refund, v_line, p_charge, p_account, v_source, v_target, v_amount)
        ), source AS (
            UPDATE record.charge_sources SET restored = restored + v_amount
            WHERE charge_id = p_charge AND balance_id = v_source
        ), said AS (
            INSERT INTO record.refund_lines_said (refund_id, position, balance_id, kind, amount)
            SELECT p_refund, i, v_target, p_lines -> i ->> 'target_kind', v_amount WHERE p_is_said
        )
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('refund', p_refund, v_line, p_at, v_usage, v_to, v_amount);
        v_balances := v_balances || v_usage || v_to;
        v_deltas := v_deltas || -v_amount || v_amount;
        v_told := v_told || jsonb_build_object(v_target, v_kind);
        v_line := v_line + 1;
    END LOOP;
    RETURN record.told_levels(v_told, v_balances, v_deltas, record.change_levels(v_balances, v_deltas));
END $$;

-- Levels that were just changed: of the balances in `p_kinds`, {id: kind}, before and after.
CREATE FUNCTION record.told_levels(p_kinds jsonb, p_balances text[], p_deltas bigint[], p_changed bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_told jsonb := '[]';
    v_id text;
    v_before bigint;
    v_after bigint;
BEGIN
    FOR v_id IN SELECT k COLLATE "C" FROM jsonb_object_keys(p_kinds) AS k ORDER BY 1 LOOP
        v_after := record.level(v_id);
        v_before := v_after;
        FOR i IN 1 .. cardinality(p_balances) LOOP
            IF p_balances[i] = v_id THEN
                v_before := v_before - p_deltas[i];
            END IF;
        END LOOP;
        v_told := v_told || jsonb_build_object('balance_id', v_id, 'kind', p_kinds ->> v_id, 'before', v_before,
            'after', v_after);
    END LOOP;
    RETURN v_told;
END $$;

-- When and why a failure of one of these items was first noticed, apart from a posting (R16). There is
-- nothing that notices yet.
CREATE FUNCTION record.noticed(p_charge text, p_items jsonb, OUT at bigint, OUT cause text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
END $$;

-- Posts a restoration made here: refund, items, lines, postings, levels, states. `p_effect`: the effect
-- `restore` of a plan. `p_key` makes the same one once, whoever sends it how often; `p_kind` is 'manual'
-- for a person, 'auto' for the reconciler, whose cause is that of what it noticed. Returns what its receipt says: {"refund_id", "total",
-- "balances": [{"balance_id", "kind", "before", "after"}]}, where levels that others are moving are of
-- the instant. Refuses with who was first.
CREATE FUNCTION record.add_restoration(p_effect jsonb, p_key text, p_action text, p_kind text, p_ticket text, p_at bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_refund text := p_effect ->> 'refund_id';
    v_wanted jsonb := p_effect -> 'restoration';
    v_charge text := v_wanted ->> 'charge_id';
    v_account text := v_wanted ->> 'account_id';
    v_total bigint := record.check_restoration(v_wanted);
    v_items jsonb := v_wanted -> 'items';
    v_lines jsonb := v_wanted -> 'lines';
    v_noticed record;
    v_number bigint;
    v_credits bigint;
    v_done bigint;
BEGIN
    v_noticed := record.noticed(v_charge, v_items);
    INSERT INTO record.refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
        ticket_id, detected_at, cause, action_key)
    VALUES (v_refund, p_key, 'makegood', v_charge, v_account, v_wanted ->> 'run_id', p_at, 'posted', p_kind, 1,
        p_ticket, coalesce(v_noticed.at, p_at),
        coalesce(CASE p_kind WHEN 'auto' THEN v_noticed.cause END, p_effect ->> 'cause'), p_action)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is a refund %s already', v_refund));
    END IF;
    IF jsonb_array_length(v_items) > 1 THEN
        PERFORM 1 FROM record.charge_items WHERE charge_id = v_charge ORDER BY item FOR NO KEY UPDATE;
    END IF;
    FOR i IN 0 .. jsonb_array_length(v_items) - 1 LOOP
        v_number := v_items -> i ->> 'item';
        v_credits := v_items -> i ->> 'credits';
        v_done := record.refund_item(v_refund, v_account, record.clear_item(v_charge, v_number, v_credits, p_action, p_at),
            v_credits, i, 'makegood', p_action, p_at);
    END LOOP;
    RETURN jsonb_build_object('refund_id', v_refund, 'total', v_total, 'balances',
        record.return_credits(v_refund, v_charge, v_account, v_lines, true, p_at));
END $$;

-- Reverses a posted refund: its credits are taken back, and its items are owed again. Without effect
-- on one that is reversed already.
CREATE FUNCTION record.reverse_refund(p_refund text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_refund record.refunds;
    v_item record.charge_items;
    v_balances text[];
    v_deltas bigint[];
BEGIN
    UPDATE record.refunds SET state = 'reversed' WHERE id = p_refund AND state = 'posted' RETURNING * INTO v_refund;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR v_item IN SELECT i.* FROM record.charge_items i JOIN record.refund_items x
        ON x.refund_id = p_refund AND x.charge_id = i.charge_id AND x.item = i.item ORDER BY i.item FOR NO KEY UPDATE OF i
    LOOP
        UPDATE record.charge_items SET refunded = (
            SELECT coalesce(sum(x.amount), 0) FROM record.refund_items x JOIN record.refunds r ON r.id = x.refund_id
            WHERE x.charge_id = v_item.charge_id AND x.item = v_item.item AND r.state = 'posted')
        WHERE charge_id = v_item.charge_id AND item = v_item.item;
        IF v_item.state = 'refunded' AND NOT EXISTS (
            SELECT 1 FROM record.refund_items x JOIN record.refunds r ON r.id = x.refund_id
            WHERE r.state = 'posted' AND x.charge_id = v_item.charge_id AND x.item = v_item.item) THEN
            PERFORM record.change_item(v_item.charge_id, v_item.item, 'reversed', v_item.epoch, NULL, v_refund.origin,
                v_refund.action_key, p_refund, NULL, v_refund.posted_at);
        END IF;
    END LOOP;
    PERFORM 1 FROM record.charge_sources WHERE charge_id = v_refund.charge_id ORDER BY line FOR NO KEY UPDATE;
    UPDATE record.charge_sources s SET restored = (
        SELECT coalesce(sum(l.amount), 0) FROM record.refund_lines l JOIN record.refunds r ON r.id = l.refund_id
        WHERE l.charge_id = s.charge_id AND l.source = s.balance_id AND r.state = 'posted')
    WHERE s.charge_id = v_refund.charge_id;
    WITH moved AS (
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount)
        SELECT CASE kind WHEN 'refund' THEN 'reversal' ELSE 'stray_reversal' END, document, line, at,
               to_balance, from_balance, amount
        FROM record.postings WHERE kind IN ('refund', 'stray') AND document = p_refund ORDER BY id
        RETURNING from_balance, to_balance, amount)
    SELECT array_agg(from_balance) || array_agg(to_balance), array_agg(-amount) || array_agg(amount)
    INTO v_balances, v_deltas FROM moved;
    -- A refund of what cost nothing moved nothing.
    IF v_balances IS NOT NULL THEN
        PERFORM record.change_levels(v_balances, v_deltas);
    END IF;
END $$;
