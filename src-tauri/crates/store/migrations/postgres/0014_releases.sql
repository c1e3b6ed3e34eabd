-- Late results that were released against a new debit (P4): what the customer agreed to, where, and which refunds
-- were taken back for it.
CREATE TABLE record.releases (
    id              text   PRIMARY KEY,
    charge_id       text   NOT NULL REFERENCES record.charges (id),
    run_id          text   NOT NULL REFERENCES record.runs (id),
    amount          bigint NOT NULL CHECK (amount > 0),
    consent_by      text   NOT NULL CHECK (btrim(consent_by) <> ''),
    consent_at      bigint NOT NULL,
    consent_message text   NOT NULL CHECK (btrim(consent_message) <> ''),
    action_key      text   NOT NULL REFERENCES record.actions (key),
    at              bigint NOT NULL,
    CONSTRAINT agreed_before_it_was_taken CHECK (consent_at <= at)
);
CREATE TABLE record.released_refunds (
    refund_id  text PRIMARY KEY REFERENCES record.refunds (id),
    release_id text NOT NULL REFERENCES record.releases (id)
);
CREATE TRIGGER releases_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.releases
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('a release is never edited');
CREATE TRIGGER released_refunds_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.released_refunds
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('a release is never edited');
CREATE VIEW api.releases AS SELECT * FROM record.releases;
CREATE VIEW api.released_refunds AS SELECT * FROM record.released_refunds;

-- Refuses a release that takes back another amount, or not exactly the refunds that stand of its items: a refund is
-- taken back whole or not at all. When the newest of them was posted.
CREATE FUNCTION record.check_released_refunds(p_charge text, p_effect jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_refunds text[] := ARRAY(SELECT jsonb_array_elements_text(p_effect -> 'refund_ids'));
    v_items bigint[] := ARRAY(SELECT (i ->> 'item')::bigint FROM jsonb_array_elements(p_effect -> 'items') AS i);
    v_row record;
    v_back bigint := 0;
    v_newest bigint;
    v_taken text[] := '{}';
    v_freed bigint[] := '{}';
BEGIN
    IF cardinality(v_refunds) = 0 OR cardinality(v_items) = 0
        OR cardinality(v_refunds) <> (SELECT count(DISTINCT r) FROM unnest(v_refunds) AS r)
        OR cardinality(v_items) <> (SELECT count(DISTINCT i) FROM unnest(v_items) AS i) THEN
        PERFORM record.refuse('a release names its items and their refunds, each once');
    END IF;
    FOR v_row IN SELECT x.refund_id, x.item, x.amount, r.posted_at,
            EXISTS (SELECT 1 FROM record.strays s WHERE s.refund_id = r.id) AS stray
        FROM record.refunds r JOIN record.refund_items x ON x.refund_id = r.id
        WHERE r.charge_id = p_charge AND r.state = 'posted' ORDER BY x.refund_id COLLATE "C", x.item
    LOOP
        IF v_row.refund_id = ANY (v_refunds) AND v_row.stray THEN
            PERFORM record.refuse(format('a part of refund %s went astray: that comes first', v_row.refund_id));
        ELSIF v_row.refund_id = ANY (v_refunds) AND v_row.item <> ALL (v_items) THEN
            PERFORM record.refuse(format('refund %s is of item %s too, which is not released: it can''t be split',
                v_row.refund_id, v_row.item));
        ELSIF v_row.refund_id <> ALL (v_refunds) AND v_row.item = ANY (v_items) THEN
            PERFORM record.refuse(format('refund %s of item %s stands too, and was not agreed to', v_row.refund_id,
                v_row.item));
        ELSIF v_row.refund_id = ANY (v_refunds) THEN
            v_back := v_back + v_row.amount;
            v_newest := greatest(v_newest, v_row.posted_at);
            v_taken := v_taken || v_row.refund_id;
            v_freed := v_freed || v_row.item;
        END IF;
    END LOOP;
    IF NOT v_refunds <@ v_taken THEN
        PERFORM record.refuse('one of these refunds stands no longer, or is of another charge');
    ELSIF NOT v_items <@ v_freed THEN
        PERFORM record.refuse('one of these items is not refunded');
    ELSIF v_back IS DISTINCT FROM (p_effect ->> 'amount')::bigint OR v_back <= 0 THEN
        PERFORM record.refuse(format('the refunds returned %s credits, and the customer agreed to %s', v_back,
            p_effect ->> 'amount'));
    END IF;
    RETURN v_newest;
END $$;

-- Refuses a consent that does not say who agreed and where, or that is older than what it takes back.
CREATE FUNCTION record.check_consent(p_consent jsonb, p_refunded_at bigint, p_at bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_at bigint := record.instant(p_consent ->> 'at');
BEGIN
    IF coalesce(btrim(p_consent ->> 'by'), '') = '' THEN
        PERFORM record.refuse('it is not recorded who agreed to the debit');
    ELSIF coalesce(btrim(p_consent ->> 'message'), '') = '' THEN
        PERFORM record.refuse('it is not recorded in which message the customer agreed to the debit');
    ELSIF char_length(p_consent ->> 'by') > 200 OR char_length(p_consent ->> 'message') > 4000 THEN
        PERFORM record.refuse('the record of the customer''s agreement is too long: 200 characters for who, 4000 for the message');
    ELSIF v_at IS NULL OR v_at > p_at THEN
        PERFORM record.refuse('the customer''s agreement is dated in the future');
    ELSIF v_at < p_refunded_at THEN
        PERFORM record.refuse('the customer''s agreement is older than the refund that it is to take back');
    END IF;
END $$;

-- Refuses a file that is not saved for this item of the logical run.
CREATE FUNCTION record.check_saved(p_root text, p_item jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM record.runs r JOIN api.standing_captures c ON c.run_id = r.id
            WHERE r.root_id = p_root AND c.item = (p_item ->> 'item')::bigint
                AND c.sha256 = p_item -> 'file' ->> 'sha256') THEN
        PERFORM record.refuse(format('this file of item %s of %s is not saved: look it up again', p_item ->> 'item', p_root));
    END IF;
END $$;

-- Delivers one released item by its file: leased for a second that nobody sees, and delivered in one go.
CREATE FUNCTION record.deliver_released(p_key text, p_agent text, p_run text, p_charge text, p_item jsonb, p_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_item record.charge_items;
    v_output text := p_item ->> 'output_id';
    v_sha256 text := p_item -> 'file' ->> 'sha256';
    v_bytes bigint := (p_item -> 'file' ->> 'bytes')::bigint;
BEGIN
    SELECT * INTO v_item FROM record.charge_items
    WHERE charge_id = p_charge AND item = (p_item ->> 'item')::bigint FOR NO KEY UPDATE;
    PERFORM record.check_node(p_item -> 'place');
    INSERT INTO record.outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas,
        sha256, vault, origin, hold_until)
    SELECT v_output, p_run, v_item.item, s.project_id, s.node_id, p_at, v_bytes, 'stored', s.in_history, s.on_canvas,
        v_sha256, v_sha256, 'makegood', s.hold_until
    FROM record.spot(p_item -> 'place') AS s;
    PERFORM record.note_place(o.id, o.project_id, o.node_id, o.hold_until, p_at, p_agent)
    FROM record.outputs o WHERE o.id = v_output;
    PERFORM record.change_item(p_charge, v_item.item, 'delivering', v_item.epoch + 1, p_at + 1000000, 'makegood', p_key,
        NULL, 'released', p_at);
    PERFORM record.change_item(p_charge, v_item.item, 'delivered', v_item.epoch + 1, NULL, 'makegood', p_key, v_output,
        'released', p_at);
END $$;

-- Takes back refunds, and delivers their items by saved files, in one go.
CREATE FUNCTION record.release(p_key text, p_id text, p_agent text, p_effect jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_run text := p_effect ->> 'run_id';
    v_amount bigint := (p_effect ->> 'amount')::bigint;
    v_limit bigint := (record.limits_of(p_agent)).per_posting;
    v_consent jsonb := p_effect -> 'consent';
    v_root text;
    v_charge record.charges;
    v_part record;
    v_refunds text[] := ARRAY(SELECT jsonb_array_elements_text(p_effect -> 'refund_ids'));
    v_before jsonb;
BEGIN
    SELECT root_id INTO v_root FROM record.runs WHERE id = v_run;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no run %s', v_run));
    END IF;
    v_charge := record.first_charge(v_root);
    IF v_charge.id IS NULL THEN
        PERFORM record.refuse(format('run %s was never charged', v_run));
    END IF;
    FOR v_part IN SELECT w.number, i.item, i.state FROM
            (SELECT (p ->> 'item')::bigint AS number FROM jsonb_array_elements(p_effect -> 'items') AS p) AS w
            LEFT JOIN record.charge_items i ON i.charge_id = v_charge.id AND i.item = w.number ORDER BY w.number
    LOOP
        IF v_part.item IS NULL THEN
            PERFORM record.refuse(format('charge %s of %s has no item %s', v_charge.id, v_run, v_part.number));
        END IF;
        SELECT state INTO v_part.state FROM record.charge_items
        WHERE charge_id = v_charge.id AND item = v_part.number FOR NO KEY UPDATE;
        IF v_part.state <> 'refunded' THEN
            PERFORM record.refuse(format('item %s of %s can''t be released: %s', v_part.number, v_run,
                record.who_was_first(v_charge.id, v_part.number)));
        END IF;
    END LOOP;
    PERFORM record.check_consent(v_consent, record.check_released_refunds(v_charge.id, p_effect), p_at);
    IF v_amount > v_limit AND NOT EXISTS (SELECT 1 FROM record.approvals WHERE used_by = p_key) THEN
        PERFORM record.refuse(format('%s credits are over the limit of %s in one posting: a second person must approve it (R53)',
            v_amount, v_limit));
    END IF;
    FOR v_part IN SELECT l.target, sum(l.amount) AS amount, (SELECT sum(level) FROM record.balance_stripes WHERE balance_id = l.target) AS level
        FROM record.refund_lines l WHERE l.refund_id = ANY (v_refunds)
        GROUP BY l.target ORDER BY l.target COLLATE "C"
    LOOP
        IF v_part.level < v_part.amount THEN
            PERFORM record.refuse(format('balance %s has %s credits, and %s would be taken: nothing was done', v_part.target,
                v_part.level, v_part.amount));
        END IF;
    END LOOP;
    FOR v_part IN SELECT i.part FROM jsonb_array_elements(p_effect -> 'items') AS i (part) LOOP
        PERFORM record.check_saved(v_root, v_part.part);
        PERFORM record.check_account(v_part.part -> 'place', v_charge.account_id);
    END LOOP;
    INSERT INTO record.releases (id, charge_id, run_id, amount, consent_by, consent_at, consent_message, action_key, at)
    VALUES ('release_' || p_id, v_charge.id, v_run, v_amount, v_consent ->> 'by', record.instant(v_consent ->> 'at'),
            v_consent ->> 'message', p_key, p_at);
    v_before := record.released_levels(p_effect);
    INSERT INTO record.released_refunds (refund_id, release_id) SELECT r, 'release_' || p_id FROM unnest(v_refunds) AS r;
    PERFORM record.reverse_refunds(v_refunds, p_key, p_at);
    FOR v_part IN SELECT i.part FROM jsonb_array_elements(p_effect -> 'items') AS i (part)
        ORDER BY (i.part ->> 'item')::bigint
    LOOP
        PERFORM record.deliver_released(p_key, p_agent, v_run, v_charge.id, v_part.part, p_at);
    END LOOP;
    RETURN jsonb_build_object('receipt', 'redebited', 'total', v_amount, 'refund_ids', p_effect -> 'refund_ids',
        'balances', (SELECT jsonb_agg(b.was || jsonb_build_object('after', n.now -> 'before') ORDER BY b.place)
            FROM jsonb_array_elements(v_before) WITH ORDINALITY AS b (was, place)
            JOIN jsonb_array_elements(record.released_levels(p_effect)) WITH ORDINALITY AS n (now, place) ON n.place = b.place),
        'outputs', (SELECT jsonb_agg(jsonb_build_object('output_id', i.part -> 'output_id',
                'sha256', i.part -> 'file' -> 'sha256', 'bytes', i.part -> 'file' -> 'bytes') ORDER BY i.place)
            FROM jsonb_array_elements(p_effect -> 'items') WITH ORDINALITY AS i (part, place)));
END $$;

-- The balances that the refunds of a release went to, by id, with their levels now as `before`.
CREATE FUNCTION record.released_levels(p_effect jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('balance_id', b.id, 'kind', b.kind, 'before',
                (SELECT sum(level) FROM record.balance_stripes WHERE balance_id = b.id)) ORDER BY b.id COLLATE "C")
        FROM record.balances b WHERE b.id IN (SELECT l.target FROM record.refund_lines l
            WHERE l.refund_id IN (SELECT jsonb_array_elements_text(p_effect -> 'refund_ids'))));
END $$;

REVOKE ALL ON record.releases, record.released_refunds, api.releases, api.released_refunds FROM PUBLIC;
REVOKE ALL ON FUNCTION record.check_released_refunds, record.check_consent, record.check_saved, record.deliver_released,
    record.release, record.released_levels FROM PUBLIC;
GRANT SELECT ON api.releases, api.released_refunds TO makegood_agent, makegood_approver, makegood_reconciler, makegood_auditor;
