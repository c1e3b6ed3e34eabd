-- Credits and items: what every document of the ledger is written with.

-- Makes a balance, at 0. What a workspace's members share is striped.
CREATE FUNCTION record.add_balance(p_id text, p_account text, p_kind text, p_position bigint, p_opening bigint,
    p_opening_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_is_shared boolean := p_kind = 'workspace_pool' OR (p_kind = 'usage' AND EXISTS (
        SELECT 1 FROM record.accounts WHERE id = p_account AND kind = 'workspace'));
    v_stripes bigint := CASE WHEN v_is_shared THEN 16 ELSE 1 END;
BEGIN
    INSERT INTO record.balances (id, account_id, kind, position, stripes, opening, opening_at)
    VALUES (p_id, p_account, p_kind, p_position, v_stripes, p_opening, p_opening_at);
    INSERT INTO record.balance_stripes (balance_id, stripe, bounded)
    SELECT p_id, stripe, b.bounded FROM record.balances b, generate_series(0, v_stripes - 1) AS stripe
    WHERE b.id = p_id;
END $$;

-- The level of a balance: of this instant, while others may be moving it.
CREATE FUNCTION record.level(p_balance text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT sum(level) FROM record.balance_stripes WHERE balance_id = p_balance);
END $$;

-- Raises or lowers one level. What one stripe can't bear is taken from several, in order.
CREATE FUNCTION record.change_level(p_balance text, p_delta bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_rest bigint := -p_delta;
    v_part bigint;
    v_stripe record;
BEGIN
    UPDATE record.balance_stripes s SET level = s.level + p_delta
    FROM record.balances b
    WHERE b.id = p_balance AND s.balance_id = b.id AND s.stripe = pg_backend_pid() % b.stripes
      AND (b.stripes = 1 OR b.bounded = 0 OR s.level + p_delta >= 0);
    IF FOUND THEN
        RETURN;
    END IF;
    FOR v_stripe IN SELECT stripe, level FROM record.balance_stripes WHERE balance_id = p_balance
        ORDER BY stripe FOR NO KEY UPDATE
    LOOP
        v_part := least(v_rest, v_stripe.level);
        IF v_part > 0 THEN
            UPDATE record.balance_stripes SET level = level - v_part
            WHERE balance_id = p_balance AND stripe = v_stripe.stripe;
            v_rest := v_rest - v_part;
        END IF;
        EXIT WHEN v_rest = 0;
    END LOOP;
    IF v_rest <> 0 THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'level_below_zero',
            MESSAGE = format('balance %s would fall below 0', p_balance);
    END IF;
END $$;

-- Changes several levels, each once: in the order of their ids, what was used last. Whoever moves levels
-- keeps to it.
CREATE FUNCTION record.change_levels(p_balances text[], p_deltas bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_change record;
BEGIN
    FOR v_change IN SELECT m.id, sum(m.delta)::bigint AS delta FROM unnest(p_balances, p_deltas) AS m (id, delta)
        GROUP BY m.id ORDER BY m.id LIKE 'usage:%', m.id COLLATE "C"
    LOOP
        PERFORM record.change_level(v_change.id, v_change.delta);
    END LOOP;
END $$;

-- The posting of an opening or of a stray line with the levels that it moves. `p_document` and `p_line` name the row that justifies it:
-- without that row, or for the second time, it is refused by its keys.
CREATE FUNCTION record.move_credits(p_kind text, p_document text, p_line bigint, p_at bigint, p_from text, p_to text,
    p_amount bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.postings (kind, document, line, at, from_balance, to_balance, amount, opening_balance, stray_id)
    VALUES (p_kind, p_document, p_line, p_at, p_from, p_to, p_amount, CASE p_kind WHEN 'opening' THEN p_document END,
        CASE p_kind WHEN 'stray' THEN p_document END);
    PERFORM record.change_levels(ARRAY[p_from, p_to], ARRAY[-p_amount, p_amount]);
END $$;

-- Items -------------------------------------------------------------------------------------------

-- The charge that a delivery of a logical run is paid by: the first one, unless that is wholly
-- refunded already and another is not.
CREATE FUNCTION record.first_charge(p_root text) RETURNS record.charges LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT c FROM record.charges c JOIN record.runs r ON r.id = c.run_id
        WHERE r.root_id = p_root
        ORDER BY NOT EXISTS (SELECT 1 FROM record.charge_items i WHERE i.charge_id = c.id AND i.refunded < i.price),
            c.posted_at, c.id COLLATE "C" LIMIT 1);
END $$;

-- An output that counts as delivery: intact, reachable, in a project of the account that paid. An
-- object of 0 bytes is no file (R12).
CREATE FUNCTION record.intact_output(p_root text, p_item bigint, p_account text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT o.id FROM record.runs r JOIN record.outputs o ON o.run_id = r.id
        JOIN record.projects p ON p.id = o.project_id
        WHERE r.root_id = p_root AND o.item = p_item AND p.account_id = p_account AND o.state = 'stored'
          AND o.bytes > 0 AND o.quarantined_at IS NULL ORDER BY o.stored_at, o.id COLLATE "C" LIMIT 1);
END $$;

-- An instant as people read it: `14 March 2026 at 15:20:00 UTC`.
CREATE FUNCTION record.instant_words(p_at bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_char(timestamp 'epoch' + (p_at / 1000000) * interval '1 second', 'FMDD FMMonth YYYY "at" HH24:MI:SS "UTC"')
$$;

-- Who was first, in plain words: `it was refunded (rfd_1) by Ana Prata on 14 March 2026 at 15:20:00 UTC`.
-- The key of the action is for programs, and not among them.
CREATE FUNCTION record.who_was_first(p_charge text, p_item bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_last record.item_transitions;
    v_who text;
    v_what text;
BEGIN
    SELECT * INTO v_last FROM record.item_transitions
    WHERE charge_id = p_charge AND item = p_item ORDER BY seq DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 'it was never charged';
    END IF;
    SELECT coalesce(p.name, a.agent) INTO v_who
    FROM record.actions a LEFT JOIN record.people p ON p.id = a.agent WHERE a.key = v_last.action_key;
    IF v_last.action_key IS NULL THEN
        v_who := 'the platform';
    ELSIF v_who IS NULL AND EXISTS (SELECT 1 FROM record.sweep_steps s WHERE s.key = v_last.action_key) THEN
        v_who := 'the reconciler';
    END IF;
    v_what := CASE v_last.state
        WHEN 'delivering' THEN 'it is being recovered'
        WHEN 'refunded' THEN format('it was refunded (%s)', v_last.document)
        WHEN 'delivered' THEN format('it was delivered (%s)', v_last.document)
        ELSE format('it is %s', v_last.state) END;
    RETURN v_what || coalesce(' by ' || v_who, '') || ' on ' || record.instant_words(v_last.at);
END $$;

-- Why an item cannot go to a state, or null. The output or refund that brings it there is named by
-- `p_document`.
CREATE FUNCTION record.why_not(p_item record.charge_items, p_state text, p_epoch bigint, p_lease_until bigint,
    p_origin text, p_action text, p_document text, p_at bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM record.item_state_pairs WHERE from_state = p_item.state AND to_state = p_state) THEN
        RETURN 'an item cannot go from its state to that one';
    ELSIF p_item.state = 'delivering' AND p_origin = 'makegood' AND p_action IS DISTINCT FROM p_item.lease_key
        AND p_at < p_item.lease_until THEN
        RETURN 'the item is leased to another action';
    ELSIF p_state = 'delivering' AND (p_lease_until <= p_at OR (p_item.state = 'delivering' AND p_at < p_item.lease_until))
    THEN
        RETURN 'the item is leased: its lease is over at another instant';
    ELSIF p_epoch <> p_item.epoch + (p_state = 'delivering'
        OR (p_state = 'released' AND p_action IS DISTINCT FROM p_item.lease_key))::int THEN
        RETURN 'the epoch of an item rises by one with each lease and each fencing, and else stays';
    ELSIF p_state = 'delivered' AND p_origin = 'makegood'
        AND (p_item.state <> 'delivering' OR p_action IS DISTINCT FROM p_item.lease_key) THEN
        RETURN 'only the action that leased the item can deliver it';
    ELSIF p_state = 'delivered' AND NOT EXISTS (
        SELECT 1 FROM record.outputs o JOIN record.projects p ON p.id = o.project_id
        JOIN record.runs made ON made.id = o.run_id
        JOIN record.charges c ON c.account_id = p.account_id
        JOIN record.runs paid ON paid.id = c.run_id AND paid.root_id = made.root_id
        WHERE o.id = p_document AND c.id = p_item.charge_id AND o.item = p_item.item
          AND o.state = 'stored' AND o.quarantined_at IS NULL) THEN
        RETURN 'an item is delivered by an intact output of its run in a project of the account that paid';
    ELSIF p_state = 'refunded' AND NOT EXISTS (
        SELECT 1 FROM record.refund_items x JOIN record.refunds r ON r.id = x.refund_id
        WHERE r.id = p_document AND r.state = 'posted' AND x.charge_id = p_item.charge_id AND x.item = p_item.item) THEN
        RETURN 'an item is refunded by a standing refund of it';
    ELSIF p_state = 'reversed' AND EXISTS (
        SELECT 1 FROM record.refund_items x JOIN record.refunds r ON r.id = x.refund_id
        WHERE r.state = 'posted' AND x.charge_id = p_item.charge_id AND x.item = p_item.item) THEN
        RETURN 'an item is reversed when no refund of it stands';
    END IF;
    RETURN NULL;
END $$;

-- The next state of an item: its transition, its row, and its settlement. Refuses what the table of
-- states, the lease or the epoch forbid. `p_origin`: 'feed' without an action, or 'makegood' with one.
CREATE FUNCTION record.change_item(p_charge text, p_item bigint, p_state text, p_epoch bigint, p_lease_until bigint,
    p_origin text, p_action text, p_document text, p_why text, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_item record.charge_items;
    v_why_not text;
BEGIN
    SELECT * INTO v_item FROM record.charge_items WHERE charge_id = p_charge AND item = p_item FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('charge %s has no item %s', p_charge, p_item));
    END IF;
    v_why_not := record.why_not(v_item, p_state, p_epoch, p_lease_until, p_origin, p_action, p_document, p_at);
    IF v_why_not IS NOT NULL THEN
        PERFORM record.refuse(v_why_not);
    END IF;
    INSERT INTO record.item_transitions
        (charge_id, item, seq, state, epoch, lease_until, origin, action_key, document, why, at)
    VALUES (p_charge, p_item, v_item.seq + 1, p_state, p_epoch, p_lease_until, p_origin, p_action, p_document, p_why, p_at);
    UPDATE record.charge_items
    SET state = p_state, seq = v_item.seq + 1, epoch = p_epoch, lease_until = p_lease_until,
        lease_key = CASE p_state WHEN 'delivering' THEN p_action END
    WHERE charge_id = p_charge AND item = p_item;
    IF v_item.state IN ('delivered', 'refunded') AND p_state IN ('damaged', 'reversed') THEN
        DELETE FROM record.item_settlements WHERE charge_id = p_charge AND item = p_item;
    ELSIF p_state = 'delivered' OR (p_state = 'refunded' AND v_item.state <> 'refunded') THEN
        INSERT INTO record.item_settlements (charge_id, item, outcome, document)
        VALUES (p_charge, p_item, p_state, p_document);
    END IF;
END $$;

-- An output stored intact with the account that paid delivers the item of the first charge of its
-- logical run; other charges of it stay restorable. Contradictions are kept and named.
CREATE FUNCTION record.deliver_items(p_root text, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_charge record.charges := record.first_charge(p_root);
    v_item record.charge_items;
    v_output text;
BEGIN
    FOR v_item IN SELECT * FROM record.charge_items WHERE charge_id = v_charge.id ORDER BY item FOR NO KEY UPDATE LOOP
        v_output := record.intact_output(p_root, v_item.item, v_charge.account_id);
        IF v_output IS NOT NULL AND v_item.state = 'refunded' THEN
            PERFORM record.open_discrepancy('delivered_and_refunded', format('%s/%s', v_charge.id, v_item.item),
                format('output %s is stored, and the item is refunded', v_output), p_at);
        ELSIF v_output IS NOT NULL AND v_item.state <> 'delivered' THEN
            PERFORM record.change_item(v_item.charge_id, v_item.item, 'delivered', v_item.epoch, NULL, 'feed', NULL,
                v_output, NULL, p_at);
        ELSIF v_output IS NULL AND v_item.state = 'delivered' THEN
            PERFORM record.change_item(v_item.charge_id, v_item.item, 'damaged', v_item.epoch, NULL, 'feed', NULL,
                (SELECT t.document FROM record.item_transitions t
                 WHERE t.charge_id = v_item.charge_id AND t.item = v_item.item AND t.seq = v_item.seq), NULL, p_at);
        END IF;
    END LOOP;
END $$;

-- Facts that are true one by one and cannot be true together.
CREATE FUNCTION record.open_discrepancy(p_kind text, p_subject text, p_detail text, p_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.discrepancies (kind, subject, detail, opened_at) VALUES (p_kind, p_subject, p_detail, p_at)
    ON CONFLICT (kind, subject) DO UPDATE SET detail = excluded.detail, closed_at = NULL;
END $$;
CREATE FUNCTION record.close_discrepancy(p_kind text, p_subject text, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE record.discrepancies SET closed_at = p_at
    WHERE kind = p_kind AND subject = p_subject AND closed_at IS NULL;
END $$;
