-- The facts that move credits: accounts with their balances, charges, and the platform's own refunds.

-- Keeps a balance of an account. A new count (another `opening` or `opening_at`) is posted as the
-- difference to what is known, so that later charges and refunds still count.
CREATE FUNCTION record.take_balance(p_account text, p_row jsonb, p_position bigint, p_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_id text := p_row ->> 'id';
    v_opening bigint := (p_row ->> 'opening')::bigint;
    v_since bigint := record.instant(p_row ->> 'opening_at');
    v_known record.balances;
    v_delta bigint := v_opening;
    v_line bigint := 0;
BEGIN
    SELECT * INTO v_known FROM record.balances WHERE id = v_id;
    IF NOT FOUND THEN
        PERFORM record.add_balance(v_id, p_account, p_row ->> 'kind', p_position, v_opening, v_since);
    ELSIF v_known.account_id IS DISTINCT FROM p_account THEN
        PERFORM record.refuse(format('balance %s belongs to another account', v_id));
    ELSIF v_known.kind <> p_row ->> 'kind' THEN
        PERFORM record.refuse('a balance keeps its account and kind');
    ELSE
        -- Whoever moves this level now is done before it is counted anew, or comes after.
        PERFORM 1 FROM record.balance_stripes WHERE balance_id = v_id ORDER BY stripe FOR NO KEY UPDATE;
        UPDATE record.balances SET position = p_position, opening = v_opening, opening_at = v_since WHERE id = v_id;
        IF (v_known.opening, v_known.opening_at) = (v_opening, v_since) THEN
            RETURN;
        END IF;
        SELECT v_opening - record.level(v_id)
            + (SELECT coalesce(sum(l.amount), 0) FROM record.refund_lines l JOIN record.refunds r ON r.id = l.refund_id
               WHERE l.target = v_id AND r.state = 'posted' AND r.posted_at >= v_since)
            + (SELECT coalesce(sum(s.amount), 0) FROM record.strays s JOIN record.refunds r ON r.id = s.refund_id
               WHERE s.target = v_id AND r.state = 'posted' AND r.posted_at >= v_since)
            - (SELECT coalesce(sum(s.amount), 0) FROM record.charge_sources s JOIN record.charges c ON c.id = s.charge_id
               WHERE s.balance_id = v_id AND c.posted_at >= v_since)
            -- What was refunded before, and taken back since.
            - (SELECT coalesce(sum(l.amount), 0) FROM record.refund_lines l JOIN record.refunds r ON r.id = l.refund_id
               JOIN record.released_refunds k ON k.refund_id = r.id JOIN record.releases e ON e.id = k.release_id
               WHERE l.target = v_id AND r.posted_at < v_since AND e.at >= v_since),
            (SELECT coalesce(max(line) + 1, 0) FROM record.openings WHERE balance_id = v_id)
        INTO v_delta, v_line;
    END IF;
    INSERT INTO record.openings (balance_id, line, opening, opening_at, delta, at)
    VALUES (v_id, v_line, v_opening, v_since, v_delta, p_at);
    IF v_delta > 0 THEN
        PERFORM record.move_credits('opening', v_id, v_line, v_since, 'issuance', v_id, v_delta);
    ELSIF v_delta < 0 THEN
        PERFORM record.move_credits('opening', v_id, v_line, v_since, v_id, 'issuance', -v_delta);
    END IF;
END $$;

CREATE FUNCTION record.take_account(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_id text := p_row ->> 'id';
    v_plan jsonb := p_row -> 'subscription';
    v_is_new boolean := NOT EXISTS (SELECT 1 FROM record.accounts WHERE id = v_id);
    v_balance record;
BEGIN
    INSERT INTO record.accounts (id, kind, owner_user_id, storage_quota_mb, storage_used_mb, subscription_status,
        period_start, period_end)
    VALUES (v_id, p_row ->> 'kind', p_row ->> 'owner_user_id', (p_row ->> 'storage_quota_mb')::bigint,
        (p_row ->> 'storage_used_mb')::bigint, v_plan ->> 'status', record.instant(v_plan ->> 'period_start'),
        record.instant(v_plan ->> 'period_end'))
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, owner_user_id = excluded.owner_user_id,
        storage_quota_mb = excluded.storage_quota_mb, storage_used_mb = excluded.storage_used_mb,
        subscription_status = excluded.subscription_status, period_start = excluded.period_start,
        period_end = excluded.period_end;
    IF v_is_new THEN
        PERFORM record.add_balance('usage:' || v_id, v_id, 'usage', 1000, NULL, NULL);
        PERFORM record.add_balance('carried:' || v_id, v_id, 'carried', 1001, NULL, NULL);
    END IF;
    FOR v_balance IN SELECT b.said, b.place - 1 AS position
        FROM jsonb_array_elements(p_row -> 'balances') WITH ORDINALITY AS b (said, place)
    LOOP
        PERFORM record.take_balance(v_id, v_balance.said, v_balance.position, p_at);
    END LOOP;
END $$;

-- Posts a charge. Its items and its sources must each add up to its total. What is older than a
-- balance's count was drawn from it before: it counts as carried over.
CREATE FUNCTION record.take_charge(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_id text := p_row ->> 'id';
    v_account text := p_row ->> 'account_id';
    v_posted bigint := record.instant(p_row ->> 'posted_at');
    v_total bigint := (p_row ->> 'total')::bigint;
    v_balances text[];
    v_deltas bigint[];
BEGIN
    IF v_total <> (SELECT coalesce(sum((i ->> 'credits')::bigint), 0) FROM jsonb_array_elements(p_row -> 'items') AS i) THEN
        PERFORM record.refuse(format('its items do not add up to its total of %s', v_total));
    ELSIF v_total <> (SELECT coalesce(sum((s ->> 'amount')::bigint), 0) FROM jsonb_array_elements(p_row -> 'sources') AS s)
    THEN
        PERFORM record.refuse(format('its sources do not add up to its total of %s', v_total));
    END IF;
    INSERT INTO record.charges (id, run_id, account_id, posted_at, total, idempotency_key)
    VALUES (v_id, p_row ->> 'run_id', v_account, v_posted, v_total, p_row ->> 'idempotency_key');
    INSERT INTO record.charge_items (charge_id, item, price)
    SELECT v_id, (i ->> 'item')::bigint, (i ->> 'credits')::bigint FROM jsonb_array_elements(p_row -> 'items') AS i;
    INSERT INTO record.item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
    SELECT v_id, item, 0, 'charged', 0, 'feed', v_id, v_posted FROM record.charge_items WHERE charge_id = v_id;
    INSERT INTO record.charge_sources (charge_id, line, balance_id, account_id, amount)
    SELECT v_id, s.place - 1, s.said ->> 'balance_id', v_account, (s.said ->> 'amount')::bigint
    FROM jsonb_array_elements(p_row -> 'sources') WITH ORDINALITY AS s (said, place)
    WHERE (s.said ->> 'amount')::bigint <> 0;
    WITH posted AS (
        INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, charge_id)
        SELECT 'charge', v_id, s.line, v_posted, CASE WHEN v_posted < b.opening_at THEN 'carried:' || v_account ELSE b.id END,
               'usage:' || v_account, s.amount, v_id
        FROM record.charge_sources s JOIN record.balances b ON b.id = s.balance_id WHERE s.charge_id = v_id ORDER BY s.line
        RETURNING from_balance, to_balance, amount)
    SELECT array_agg(from_balance) || array_agg(to_balance), array_agg(-amount) || array_agg(amount)
    INTO v_balances, v_deltas FROM posted;
    PERFORM record.change_levels(v_balances, v_deltas);
END $$;

-- Refunds of the platform ------------------------------------------------------------------------------
--
-- A feed's refund settles as far as it went back to the account that was charged; to which of its
-- balances is for the platform to say (P6). The rest is kept as a fact: the credits did move, so levels
-- follow, but nothing is settled by them.

-- How the lines of a refund divide: {"lines": [{"source", "target", "amount"}], "strays": [{"target",
-- "amount", "why"}]}. `p_room`: what its open items still cost. A line takes from the balance that it
-- names first, then from what other balances gave, quota first (P5).
CREATE FUNCTION record.divide_refund(p_row jsonb, p_account text, p_room bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_sources jsonb := coalesce((SELECT jsonb_agg(jsonb_build_object('balance', s.balance_id, 'left',
            s.amount - s.restored, 'quota', b.kind IN ('subscription_quota', 'workspace_pool')) ORDER BY s.line)
        FROM record.charge_sources s JOIN record.balances b ON b.id = s.balance_id
        WHERE s.charge_id = p_row ->> 'charge_id'), '[]');
    v_lines jsonb := '[]';
    v_strays jsonb := '[]';
    v_said record;
    v_owner text;
    v_rest bigint;
    v_part bigint;
BEGIN
    FOR v_said IN SELECT l ->> 'balance_id' AS target, (l ->> 'amount')::bigint AS amount
        FROM jsonb_array_elements(p_row -> 'lines') AS l WHERE (l ->> 'amount')::bigint > 0
    LOOP
        SELECT account_id INTO v_owner FROM record.balances WHERE id = v_said.target AND opening_at IS NOT NULL;
        IF NOT FOUND THEN
            CONTINUE;
        ELSIF v_owner <> p_account THEN
            v_strays := v_strays || jsonb_build_object('target', v_said.target, 'amount', v_said.amount,
                'why', 'the balance is of another account');
            CONTINUE;
        END IF;
        v_sources := coalesce((SELECT jsonb_agg(s.said ORDER BY s.said ->> 'balance' <> v_said.target,
            NOT (s.said -> 'quota')::boolean, s.place)
            FROM jsonb_array_elements(v_sources) WITH ORDINALITY AS s (said, place)), '[]');
        v_rest := v_said.amount;
        FOR i IN 0 .. jsonb_array_length(v_sources) - 1 LOOP
            v_part := least(v_rest, (v_sources -> i ->> 'left')::bigint, p_room);
            IF v_part > 0 THEN
                v_lines := v_lines || jsonb_build_object('source', v_sources -> i ->> 'balance', 'target', v_said.target,
                    'amount', v_part);
                v_sources := jsonb_set(v_sources, ARRAY[i::text, 'left'], to_jsonb((v_sources -> i ->> 'left')::bigint - v_part));
                p_room := p_room - v_part;
                v_rest := v_rest - v_part;
            END IF;
        END LOOP;
        IF v_rest > 0 THEN
            v_strays := v_strays || jsonb_build_object('target', v_said.target, 'amount', v_rest,
                'why', 'more than the charge gave or its items cost');
        END IF;
    END LOOP;
    RETURN jsonb_build_object('lines', v_lines, 'strays', v_strays);
END $$;

-- Keeps what a refund of the platform said, word by word.
CREATE FUNCTION record.write_said(p_row jsonb, p_account text, p_settles boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
        ticket_id, detected_at, cause)
    VALUES (p_row ->> 'id', 'feed:' || (p_row ->> 'id'), 'feed', p_row ->> 'charge_id', p_account, p_row ->> 'run_id',
        record.instant(p_row ->> 'posted_at'), 'posted', p_row ->> 'kind', p_settles::int, p_row ->> 'ticket_id',
        record.instant(p_row ->> 'detected_at'), p_row ->> 'cause');
    INSERT INTO record.refund_items_said (refund_id, position, item)
    SELECT p_row ->> 'id', i.place - 1, i.item::bigint
    FROM jsonb_array_elements_text(p_row -> 'items') WITH ORDINALITY AS i (item, place);
    INSERT INTO record.refund_lines_said (refund_id, position, balance_id, kind, amount)
    SELECT p_row ->> 'id', l.place - 1, l.said ->> 'balance_id', l.said ->> 'kind', (l.said ->> 'amount')::bigint
    FROM jsonb_array_elements(p_row -> 'lines') WITH ORDINALITY AS l (said, place);
END $$;

-- Settles the open items of a refund from the first on, with `p_settled` credits in all. A recovery that
-- is under way must not deliver what the platform refunded meanwhile.
CREATE FUNCTION record.refund_open_items(p_row jsonb, p_account text, p_parts jsonb, p_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_part record;
    v_item record.charge_items;
BEGIN
    FOR v_part IN SELECT (p ->> 'item')::bigint AS item, (p ->> 'credits')::bigint AS credits
        FROM jsonb_array_elements(p_parts) AS p
    LOOP
        SELECT * INTO v_item FROM record.charge_items
        WHERE charge_id = p_row ->> 'charge_id' AND item = v_part.item;
        IF v_item.state = 'delivering' THEN
            v_item := record.fence_item(v_item, 'feed', NULL, 'refunded by the platform meanwhile', p_at);
        END IF;
        PERFORM record.refund_item(p_row ->> 'id', p_account, v_item, v_part.credits,
            record.instant(p_row ->> 'posted_at'));
    END LOOP;
END $$;

-- Posts what of a refund settles nothing.
CREATE FUNCTION record.post_strays(p_refund text, p_strays jsonb, p_posted bigint, p_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_stray record;
BEGIN
    FOR v_stray IN SELECT s.place - 1 AS line, b.id, (s.said ->> 'amount')::bigint AS amount, s.said ->> 'why' AS why,
            CASE WHEN p_posted < b.opening_at THEN 'carried:' || b.account_id ELSE b.id END AS to_balance
        FROM jsonb_array_elements(p_strays) WITH ORDINALITY AS s (said, place)
        JOIN record.balances b ON b.id = s.said ->> 'target' ORDER BY s.place
    LOOP
        INSERT INTO record.strays (refund_id, line, target, amount, why)
        VALUES (p_refund, v_stray.line, v_stray.id, v_stray.amount, v_stray.why);
        PERFORM record.move_credits('stray', p_refund, v_stray.line, p_posted, 'stray', v_stray.to_balance, v_stray.amount);
    END LOOP;
    IF jsonb_array_length(p_strays) > 0 THEN
        PERFORM record.open_discrepancy('stray_refund', p_refund, format('%s to %s: %s', p_strays -> 0 ->> 'amount',
            p_strays -> 0 ->> 'target', p_strays -> 0 ->> 'why'), p_at);
    END IF;
END $$;

-- Keeps a refund of the platform, and settles as much as it may. One that names no items covers the
-- charge from its first item on. What was done here is known better here.
CREATE FUNCTION record.take_refund(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_id text := p_row ->> 'id';
    v_charge text := p_row ->> 'charge_id';
    v_posted bigint := record.instant(p_row ->> 'posted_at');
    v_account text;
    v_item record.charge_items;
    v_open record.charge_items[] := '{}';
    v_room bigint := 0;
    v_divided jsonb;
    v_settled bigint;
    v_part bigint;
    v_parts jsonb := '[]';
    v_pays_nothing boolean := NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements(p_row -> 'lines') AS l WHERE (l ->> 'amount')::bigint <> 0);
BEGIN
    IF EXISTS (SELECT 1 FROM record.refunds WHERE id = v_id AND origin = 'makegood') THEN
        RETURN;
    END IF;
    SELECT account_id INTO v_account FROM record.charges WHERE id = v_charge;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no charge %s', v_charge));
    ELSIF NOT EXISTS (SELECT 1 FROM record.runs WHERE id = p_row ->> 'run_id') THEN
        PERFORM record.refuse(format('there is no run %s', p_row ->> 'run_id'));
    END IF;
    FOR v_item IN SELECT * FROM record.charge_items WHERE charge_id = v_charge
        AND (p_row -> 'items' = '[]' OR p_row -> 'items' @> to_jsonb(item)) ORDER BY item FOR NO KEY UPDATE
    LOOP
        IF v_item.state = 'delivered' THEN
            PERFORM record.open_discrepancy('delivered_and_refunded', format('%s/%s', v_charge, v_item.item),
                format('refund %s is of an item that is delivered', v_id), p_at);
        ELSE
            v_open := v_open || v_item;
            v_room := v_room + v_item.price - v_item.refunded;
        END IF;
    END LOOP;
    PERFORM 1 FROM record.charge_sources WHERE charge_id = v_charge ORDER BY line FOR NO KEY UPDATE;
    v_divided := record.divide_refund(p_row, v_account, v_room);
    SELECT coalesce(sum((l ->> 'amount')::bigint), 0) INTO v_settled FROM jsonb_array_elements(v_divided -> 'lines') AS l;
    FOREACH v_item IN ARRAY v_open LOOP
        v_part := least(v_settled, v_item.price - v_item.refunded);
        IF v_part > 0 OR (v_item.price = 0 AND v_item.state <> 'refunded' AND v_pays_nothing) THEN
            v_parts := v_parts || jsonb_build_object('item', v_item.item, 'credits', v_part);
            v_settled := v_settled - v_part;
        END IF;
    END LOOP;
    PERFORM record.write_said(p_row, v_account, v_parts <> '[]');
    PERFORM record.refund_open_items(p_row, v_account, v_parts, p_at);
    PERFORM record.return_credits(v_id, v_charge, v_account, v_divided -> 'lines', v_posted);
    PERFORM record.post_strays(v_id, v_divided -> 'strays', v_posted, p_at);
    IF p_row ->> 'state' = 'reversed' THEN
        PERFORM record.reverse_refunds(ARRAY[v_id]);
    END IF;
END $$;
