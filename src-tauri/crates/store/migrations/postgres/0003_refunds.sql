-- Refunds: restorations made here, and what the platform said that it refunded (P4, P5).

-- Settles one item by `p_amount`, of which the item's row is locked and was read as `p_item`. The check
-- on `refunded` and the key of the settlement refuse what is too much.
CREATE FUNCTION record.refund_item(p_refund text, p_account text, p_item record.charge_items, p_amount bigint,
    p_origin text, p_action text, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.refund_items (refund_id, charge_id, account_id, item, amount)
    VALUES (p_refund, p_item.charge_id, p_account, p_item.item, p_amount);
    UPDATE record.charge_items
    SET refunded = refunded + p_amount, state = 'refunded', seq = p_item.seq + 1, epoch = p_item.epoch,
        lease_until = NULL, lease_key = NULL
    WHERE charge_id = p_item.charge_id AND item = p_item.item;
    INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
    VALUES (p_item.charge_id, p_item.item, p_item.seq + 1, 'refunded', p_item.epoch, p_origin, p_action, p_refund, p_at);
    IF p_item.state <> 'refunded' THEN
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        VALUES (p_item.charge_id, p_item.item, 'refunded', p_refund);
    END IF;
END $$;

-- Ends a lease so that its holder can no longer deliver: the epoch rises. Returns the item as it is then.
CREATE FUNCTION record.fence_item(p_item record.charge_items, p_origin text, p_action text, p_why text, p_at bigint)
RETURNS record.charge_items LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record.change_item(p_item.charge_id, p_item.item, 'released', p_item.epoch + 1, NULL, p_origin, p_action,
        NULL, p_why, p_at);
    p_item.state := 'released';
    p_item.seq := p_item.seq + 1;
    p_item.epoch := p_item.epoch + 1;
    p_item.lease_until := NULL;
    p_item.lease_key := NULL;
    RETURN p_item;
END $$;

-- The total of a restoration, or a refusal of what can be told from itself and its charge.
CREATE FUNCTION record.check_restoration(p_wanted jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_id text := p_wanted ->> 'charge_id';
    v_charge record.charges;
    v_items bigint;
    v_lines bigint;
    v_least bigint;
BEGIN
    SELECT * INTO v_charge FROM record.charges WHERE id = v_id;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no charge %s', v_id));
    ELSIF v_charge.account_id <> p_wanted ->> 'account_id' THEN
        PERFORM record.refuse(format('charge %s was paid by another account', v_id));
    ELSIF v_charge.run_id <> p_wanted ->> 'run_id' AND NOT EXISTS (
        SELECT 1 FROM record.runs a JOIN record.runs b ON b.root_id = a.root_id
        WHERE a.id = v_charge.run_id AND b.id = p_wanted ->> 'run_id') THEN
        PERFORM record.refuse(format('charge %s is not of run %s', v_id, p_wanted ->> 'run_id'));
    END IF;
    SELECT coalesce(sum(i.credits), 0), coalesce(min(i.credits), 0) INTO v_items, v_least
    FROM jsonb_to_recordset(p_wanted -> 'items') AS i (credits bigint);
    SELECT coalesce(sum(l.amount), 0), least(v_least, coalesce(min(l.amount), 0)) INTO v_lines, v_least
    FROM jsonb_to_recordset(p_wanted -> 'lines') AS l (amount bigint);
    IF v_least < 0 OR v_items <> v_lines THEN
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
    v_is_full boolean;
BEGIN
    SELECT * INTO v_item FROM record.charge_items WHERE charge_id = p_charge AND item = p_number FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('charge %s has no item %s', p_charge, p_number));
    END IF;
    v_is_full := v_item.refunded + p_credits > v_item.price OR (v_item.state = 'refunded' AND p_credits = 0);
    IF v_item.state = 'delivered' OR (v_item.state = 'refunded' AND v_is_full) OR p_at < v_item.lease_until THEN
        PERFORM record.refuse(format('item %s of charge %s can''t be restored: %s', p_number, p_charge,
            record.who_was_first(p_charge, p_number)));
    ELSIF v_is_full THEN
        PERFORM record.refuse(format('item %s of charge %s cost only %s', p_number, p_charge, v_item.price));
    ELSIF v_item.state = 'delivering' THEN
        RETURN record.fence_item(v_item, 'makegood', p_action, 'the lease was over when the credits were restored', p_at);
    END IF;
    RETURN v_item;
END $$;

-- Returns credits of a charge from its sources to balances of the account: lines, postings and levels.
-- `p_lines`: [{"source", "target", "amount"}]; those of 0 are left out. Returns the targets before and
-- after, [{"balance_id", "kind", "before", "after"}]; a level that others are moving is of the instant.
CREATE FUNCTION record.return_credits(p_refund text, p_charge text, p_account text, p_lines jsonb, p_at bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_part record;
    v_line bigint := 0;
    v_to text;
    v_targets text[] := '{}';
    v_balances text[] := '{}';
    v_deltas bigint[] := '{}';
BEGIN
    IF jsonb_array_length(p_lines) > 1 THEN
        PERFORM 1 FROM record.charge_sources WHERE charge_id = p_charge ORDER BY line FOR NO KEY UPDATE;
    END IF;
    FOR v_part IN SELECT l.source, l.target, l.amount,
            (SELECT b.opening_at FROM record.balances b WHERE b.id = l.target) AS opening_at
        FROM jsonb_to_recordset(p_lines) AS l (source text, target text, amount bigint) WHERE l.amount > 0
    LOOP
        IF v_part.opening_at IS NULL THEN
            PERFORM record.refuse(format('there is no balance %s', v_part.target));
        END IF;
        INSERT INTO record.refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
        VALUES (p_refund, v_line, p_charge, p_account, v_part.source, v_part.target, v_part.amount);
        UPDATE record.charge_sources SET restored = restored + v_part.amount
        WHERE charge_id = p_charge AND balance_id = v_part.source;
        v_to := CASE WHEN p_at < v_part.opening_at THEN 'carried:' || p_account ELSE v_part.target END;
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('refund', p_refund, v_line, p_at, 'usage:' || p_account, v_to, v_part.amount);
        v_targets := v_targets || v_part.target;
        v_balances := v_balances || ARRAY[v_to, 'usage:' || p_account];
        v_deltas := v_deltas || ARRAY[v_part.amount, -v_part.amount];
        v_line := v_line + 1;
    END LOOP;
    PERFORM record.change_levels(v_balances, v_deltas);
    RETURN (SELECT jsonb_agg(jsonb_build_object('balance_id', b.id, 'kind', b.kind, 'after', b.level, 'before',
                b.level - (SELECT coalesce(sum(u.delta), 0) FROM unnest(v_balances, v_deltas) AS u (balance, delta)
                           WHERE u.balance = b.id)) ORDER BY b.id)
            FROM (SELECT id, kind, record.level(id) AS level FROM record.balances WHERE id = ANY (v_targets) OFFSET 0) AS b);
END $$;

-- When and why a failure of one of these items was first noticed, apart from a posting (R16). There is
-- nothing that notices yet.
CREATE FUNCTION record.noticed(p_charge text, p_items bigint[], OUT at bigint, OUT cause text)
LANGUAGE sql STABLE AS $$ SELECT NULL::bigint, NULL::text $$;

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
    v_noticed record;
    v_part record;
BEGIN
    SELECT n.at, n.cause INTO v_noticed
    FROM record.noticed(v_charge, ARRAY(SELECT (i ->> 'item')::bigint FROM jsonb_array_elements(v_wanted -> 'items') AS i)) AS n;
    INSERT INTO record.refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
        ticket_id, detected_at, cause, action_key)
    VALUES (v_refund, p_key, 'makegood', v_charge, v_account, v_wanted ->> 'run_id', p_at, 'posted', p_kind, 1,
        p_ticket, coalesce(v_noticed.at, p_at),
        coalesce(CASE p_kind WHEN 'auto' THEN v_noticed.cause END, p_effect ->> 'cause'), p_action)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is a refund %s already', v_refund));
    END IF;
    FOR v_part IN SELECT i.item, i.credits FROM jsonb_to_recordset(v_wanted -> 'items') AS i (item bigint, credits bigint)
        ORDER BY i.item
    LOOP
        PERFORM record.refund_item(v_refund, v_account,
            record.clear_item(v_charge, v_part.item, v_part.credits, p_action, p_at),
            v_part.credits, 'makegood', p_action, p_at);
    END LOOP;
    INSERT INTO record.refund_items_said (refund_id, position, item)
    SELECT v_refund, i.place - 1, (i.said ->> 'item')::bigint
    FROM jsonb_array_elements(v_wanted -> 'items') WITH ORDINALITY AS i (said, place);
    INSERT INTO record.refund_lines_said (refund_id, position, balance_id, kind, amount)
    SELECT v_refund, l.place - 1, l.said ->> 'target', l.said ->> 'target_kind', (l.said ->> 'amount')::bigint
    FROM jsonb_array_elements(v_wanted -> 'lines') WITH ORDINALITY AS l (said, place);
    RETURN jsonb_build_object('refund_id', v_refund, 'total', v_total, 'balances',
        record.return_credits(v_refund, v_charge, v_account, v_wanted -> 'lines', p_at));
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
    PERFORM record.change_levels(v_balances, v_deltas);
END $$;
