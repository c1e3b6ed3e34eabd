-- What an action changes: one effect, one transaction, with its audit line and what goes out. The
-- reconciler's effects are the same, without a case (`p_case` is null).
--
-- Functions are called by assignment (`v_done := f()`) where a restoration passes: that costs a third of
-- what a statement does.
--
-- Rows are locked in one order everywhere: the action, items by number, sources by line, balances by
-- id, cases by id. Each effect returns its receipt as the port says it, or raises why not.

-- The item of the charge that a delivery is paid by, locked.
CREATE FUNCTION record.paid_item(p_run text, p_item bigint) RETURNS record.charge_items LANGUAGE plpgsql AS $$
DECLARE
    v_root text;
    v_charge text;
    v_item record.charge_items;
BEGIN
    SELECT root_id INTO v_root FROM record.runs WHERE id = p_run;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no run %s', p_run));
    END IF;
    SELECT id INTO v_charge FROM record.first_charge(v_root);
    IF v_charge IS NULL THEN
        PERFORM record.refuse(format('run %s was never charged', p_run));
    END IF;
    SELECT * INTO v_item FROM record.charge_items WHERE charge_id = v_charge AND item = p_item FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('charge %s of %s has no item %s', v_charge, p_run, p_item));
    END IF;
    RETURN v_item;
END $$;

-- The account that paid for an item; null for none.
CREATE FUNCTION record.payer(p_item record.charge_items) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT account_id FROM record.charges WHERE id = p_item.charge_id);
END $$;

-- Refuses a place in a project of another account than the one that paid (P11).
CREATE FUNCTION record.check_account(p_place jsonb, p_account text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_owner text;
BEGIN
    SELECT account_id INTO v_owner FROM record.projects WHERE id = p_place ->> 'project_id';
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no project %s', p_place ->> 'project_id'));
    ELSIF v_owner IS DISTINCT FROM p_account THEN
        PERFORM record.refuse(format('project %s belongs to another account than the one that paid',
            p_place ->> 'project_id'));
    END IF;
END $$;

-- Refuses unless the action holds the item's newest lease.
CREATE FUNCTION record.check_lease(p_key text, p_item record.charge_items, p_epoch bigint, p_what text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_item.state <> 'delivering' OR p_item.lease_key IS DISTINCT FROM p_key OR p_item.epoch <> p_epoch THEN
        PERFORM record.refuse(format('%s is no longer this action''s (epoch %s, now %s): %s', p_what, p_epoch,
            p_item.epoch, record.who_was_first(p_item.charge_id, p_item.item)));
    END IF;
END $$;

-- Restoration --------------------------------------------------------------------------------------

-- Counts a restoration towards what a person may restore in a day; returns the sum of the day. Nobody is
-- counted until people have limits.
CREATE FUNCTION record.count_restored(p_person text, p_key text, p_total bigint, p_at bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RETURN 0;
END $$;

-- Posts a restoration: items, lines, postings and levels of one charge, in one go.
CREATE FUNCTION record.restore(p_key text, p_id text, p_agent text, p_case text, p_ticket text, p_effect jsonb,
    p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_receipt jsonb := record.post_restoration(p_effect ->> 'refund_id', 'restore_' || p_id, p_effect -> 'restoration', p_key,
        CASE WHEN p_case IS NULL THEN 'auto' ELSE 'manual' END, p_ticket, p_effect ->> 'cause', p_at);
    v_today bigint;
BEGIN
    IF p_case IS NOT NULL THEN
        v_today := record.count_restored(p_agent, p_key, (v_receipt ->> 'total')::bigint, p_at);
    END IF;
    RETURN v_receipt || '{"receipt": "restored"}';
END $$;

-- Recovery -----------------------------------------------------------------------------------------

-- Takes the item's lease. The epoch is the fencing token: whoever lost the lease can no longer deliver.
CREATE FUNCTION record.lease_item(p_key text, p_effect jsonb, p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run text := p_effect ->> 'run_id';
    v_seconds bigint := p_effect ->> 'lease_seconds';
    v_item record.charge_items;
    v_until bigint;
BEGIN
    v_item := record.paid_item(v_run, (p_effect ->> 'item')::bigint);
    IF v_seconds <= 0 OR v_seconds IS NULL THEN
        PERFORM record.refuse(format('a lease of %s s is none', v_seconds));
    ELSIF v_seconds > 86400 THEN
        PERFORM record.refuse(format('a lease of %s s is too long: a day is the most', v_seconds));
    ELSIF v_item.state IN ('delivered', 'refunded') OR p_at < v_item.lease_until THEN
        PERFORM record.refuse(format('item %s of %s can''t be recovered: %s', v_item.item, v_run,
            record.who_was_first(v_item.charge_id, v_item.item)));
    END IF;
    v_until := p_at + v_seconds * 1000000;
    PERFORM record.change_item(v_item.charge_id, v_item.item, 'delivering', v_item.epoch + 1, v_until, 'makegood', p_key,
        NULL, NULL, p_at);
    RETURN jsonb_build_object('receipt', 'leased', 'epoch', v_item.epoch + 1, 'until', record.instant_text(v_until));
END $$;

-- Gives the lease back: the file could not be had.
CREATE FUNCTION record.release_item(p_key text, p_effect jsonb, p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run text := p_effect ->> 'run_id';
    v_epoch bigint := p_effect ->> 'epoch';
    v_item record.charge_items;
BEGIN
    v_item := record.paid_item(v_run, (p_effect ->> 'item')::bigint);
    PERFORM record.check_lease(p_key, v_item, v_epoch, format('the lease of item %s of %s', v_item.item, v_run));
    PERFORM record.change_item(v_item.charge_id, v_item.item, 'released', v_epoch, NULL, 'makegood', p_key, NULL,
        p_effect ->> 'why', p_at);
    RETURN '{"receipt": "released"}';
END $$;

-- Records file and place, and the item as delivered.
CREATE FUNCTION record.deliver(p_key text, p_agent text, p_effect jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_run text := p_effect ->> 'run_id';
    v_epoch bigint := p_effect ->> 'epoch';
    v_output text := p_effect ->> 'output_id';
    v_file jsonb := p_effect -> 'file';
    v_sha256 text := p_effect -> 'file' ->> 'sha256';
    v_place jsonb := p_effect -> 'place';
    v_item record.charge_items;
BEGIN
    v_item := record.paid_item(v_run, (p_effect ->> 'item')::bigint);
    PERFORM record.check_lease(p_key, v_item, v_epoch, format('item %s of %s', v_item.item, v_run));
    PERFORM record.check_account(v_place, record.payer(v_item));
    PERFORM record.check_node(v_place);
    INSERT INTO record.files (sha256, bytes, media_type)
    VALUES (v_sha256, (v_file ->> 'bytes')::bigint, v_file ->> 'media_type') ON CONFLICT (sha256) DO NOTHING;
    INSERT INTO record.outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas,
        sha256, vault, origin, hold_until)
    SELECT v_output, v_run, v_item.item, s.project_id, s.node_id, p_at, (v_file ->> 'bytes')::bigint, 'stored',
        s.in_history, s.on_canvas, v_sha256, v_sha256, 'makegood', s.hold_until
    FROM record.spot(v_place) AS s;
    PERFORM record.note_place(o.id, o.project_id, o.node_id, o.hold_until, p_at, p_agent)
    FROM record.outputs o WHERE o.id = v_output;
    PERFORM record.change_item(v_item.charge_id, v_item.item, 'delivered', v_epoch, NULL, 'makegood', p_key, v_output,
        NULL, p_at);
    RETURN jsonb_build_object('receipt', 'delivered', 'output_id', v_output, 'sha256', v_sha256,
        'bytes', v_file -> 'bytes');
END $$;

-- Places -------------------------------------------------------------------------------------------

-- A place in columns: on a node, in the project's history, or on hold until an instant.
CREATE FUNCTION record.spot(p_place jsonb, OUT project_id text, OUT node_id text, OUT in_history bigint,
    OUT on_canvas bigint, OUT hold_until bigint) LANGUAGE sql STABLE AS $$
    SELECT p_place ->> 'project_id', p_place ->> 'node_id', (p_place ->> 'kind' <> 'hold')::int::bigint,
        (p_place ->> 'kind' = 'node')::int::bigint, record.instant(p_place ->> 'until')
$$;

-- Refuses a node that is not in its project.
CREATE FUNCTION record.check_node(p_place jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_node text := p_place ->> 'node_id';
    v_project text;
BEGIN
    IF v_node IS NULL THEN
        RETURN;
    END IF;
    SELECT project_id INTO v_project FROM record.nodes WHERE id = v_node;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no node %s', v_node));
    ELSIF v_project <> p_place ->> 'project_id' THEN
        PERFORM record.refuse(format('node %s is not in project %s', v_node, p_place ->> 'project_id'));
    END IF;
END $$;

-- The charged item that an output is of, locked; null for a run without charge.
CREATE FUNCTION record.item_of_output(p_root text, p_item bigint) RETURNS record.charge_items LANGUAGE plpgsql AS $$
DECLARE
    v_item record.charge_items;
BEGIN
    SELECT * INTO v_item FROM record.charge_items
    WHERE charge_id = (record.first_charge(p_root)).id AND item = p_item FOR NO KEY UPDATE;
    RETURN v_item;
END $$;

CREATE FUNCTION record.known_output(p_id text) RETURNS record.outputs LANGUAGE plpgsql AS $$
DECLARE
    v_output record.outputs;
BEGIN
    SELECT * INTO v_output FROM record.outputs WHERE id = p_id;
    IF NOT FOUND THEN
        PERFORM record.refuse(format('there is no output %s', p_id));
    END IF;
    RETURN v_output;
END $$;

-- Puts a stored output where it belongs. With the account that paid it delivers its item, as if it
-- had been recovered: leased for a second that nobody sees, and delivered in one go.
CREATE FUNCTION record.move_output(p_key text, p_agent text, p_output record.outputs, p_place jsonb, p_at bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_root text := (SELECT root_id FROM record.runs WHERE id = p_output.run_id);
    v_item record.charge_items := record.item_of_output(v_root, p_output.item);
    v_account text := record.payer(v_item);
    v_document text;
BEGIN
    PERFORM record.check_account(p_place, coalesce(v_account, (SELECT p.account_id FROM record.runs r
        JOIN record.projects p ON p.id = r.project_id WHERE r.id = p_output.run_id)));
    -- An asset of a refunded item is released only against a new debit (P4).
    IF v_item.state = 'refunded' OR p_at < v_item.lease_until THEN
        PERFORM record.refuse(format('output %s can''t be moved: %s', p_output.id,
            record.who_was_first(v_item.charge_id, v_item.item)));
    END IF;
    PERFORM record.check_node(p_place);
    UPDATE record.outputs o SET project_id = s.project_id, node_id = s.node_id, in_history = s.in_history,
        on_canvas = s.on_canvas, hold_until = s.hold_until, quarantined_at = NULL, quarantine_reason = NULL
    FROM record.spot(p_place) AS s WHERE o.id = p_output.id;
    PERFORM record.note_place(o.id, o.project_id, o.node_id, o.hold_until, p_at, p_agent)
    FROM record.outputs o WHERE o.id = p_output.id;
    IF v_item.state <> 'delivered' THEN
        v_document := record.intact_output(v_root, v_item.item, v_account);
        IF v_document IS NOT NULL THEN
            PERFORM record.change_item(v_item.charge_id, v_item.item, 'delivering', v_item.epoch + 1, p_at + 1000000,
                'makegood', p_key, NULL, 'moved', p_at);
            PERFORM record.change_item(v_item.charge_id, v_item.item, 'delivered', v_item.epoch + 1, NULL,
                'makegood', p_key, v_document, 'moved', p_at);
        END IF;
    END IF;
    RETURN jsonb_build_object('receipt', 'moved', 'output_id', p_output.id);
END $$;

-- Makes an output unreachable where it lies. Its item is damaged unless another output delivers it.
CREATE FUNCTION record.quarantine_output(p_key text, p_output record.outputs, p_reason text, p_at bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_root text := (SELECT root_id FROM record.runs WHERE id = p_output.run_id);
    v_item record.charge_items := record.item_of_output(v_root, p_output.item);
BEGIN
    UPDATE record.outputs SET quarantined_at = p_at, quarantine_reason = p_reason
    WHERE id = p_output.id AND quarantined_at IS NULL;
    IF FOUND AND v_item.state = 'delivered'
        AND record.intact_output(v_root, v_item.item, record.payer(v_item)) IS NULL THEN
        PERFORM record.change_item(v_item.charge_id, v_item.item, 'damaged', v_item.epoch, NULL, 'makegood', p_key,
            p_output.id, p_reason, p_at);
    END IF;
    RETURN jsonb_build_object('receipt', 'quarantined', 'output_id', p_output.id);
END $$;

-- Words --------------------------------------------------------------------------------------------

-- Opens a privacy incident that names outputs.
CREATE FUNCTION record.open_incident(p_key text, p_id text, p_case text, p_effect jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.incidents (id, case_id, run_id, summary, opened_at, action_key, sweep_key)
    VALUES ('inc_' || p_id, p_case, p_effect ->> 'run_id', p_effect ->> 'summary', p_at,
            CASE WHEN p_case IS NOT NULL THEN p_key END, CASE WHEN p_case IS NULL THEN p_key END);
    INSERT INTO record.incident_outputs (incident_id, output_id)
    SELECT DISTINCT 'inc_' || p_id, o.id FROM jsonb_array_elements_text(p_effect -> 'output_ids') AS o (id);
    RETURN jsonb_build_object('receipt', 'incident', 'id', 'inc_' || p_id);
END $$;

-- Adds a message to the ticket of a case. The case's lock gives messages their order.
CREATE FUNCTION record.say(p_id text, p_case text, p_agent text, p_effect jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_ticket text;
BEGIN
    SELECT ticket_id INTO v_ticket FROM record.cases WHERE id = p_case FOR NO KEY UPDATE;
    INSERT INTO record.messages (id, ticket_id, seq, kind, author, at, locale, text)
    SELECT 'msg_' || p_id, v_ticket, coalesce(max(seq) + 1, 0), p_effect ->> 'kind', p_agent, p_at,
        p_effect ->> 'locale', p_effect ->> 'text'
    FROM record.messages WHERE ticket_id = v_ticket;
    RETURN jsonb_build_object('receipt', 'said', 'message_id', 'msg_' || p_id);
END $$;

-- Notes the older ticket that goes on with the case's matter (P12).
CREATE FUNCTION record.link_ticket(p_case text, p_to text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE record.cases SET linked_to = p_to WHERE id = p_case AND ticket_id <> p_to;
    IF NOT FOUND THEN
        PERFORM record.refuse('a ticket can''t be linked to itself');
    END IF;
    RETURN jsonb_build_object('receipt', 'linked', 'to', p_to);
END $$;

-- Moves a case on; `follow_up_at` parks it.
CREATE FUNCTION record.set_case(p_case text, p_effect jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE record.cases SET state = p_effect ->> 'state', follow_up_at = record.instant(p_effect ->> 'follow_up_at')
    WHERE id = p_case;
    RETURN jsonb_build_object('receipt', 'case_set', 'state', p_effect -> 'state');
END $$;

-- What the platform or the help desk is told of an effect, for people, without the text of messages.
-- Null: nobody outside is to know.
CREATE FUNCTION record.letter(p_effect jsonb, p_receipt jsonb, OUT kind text, OUT summary text)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE p_effect ->> 'effect'
        WHEN 'restore' THEN
            kind := 'credits_restored';
            summary := format('%s credits of %s restored', p_receipt -> 'total', p_effect -> 'restoration' ->> 'charge_id');
        WHEN 'deliver' THEN
            kind := 'asset_delivered';
            summary := format('item %s of %s delivered as %s', p_effect -> 'item', p_effect ->> 'run_id',
                p_effect ->> 'output_id');
        WHEN 'release' THEN
            kind := 'asset_released';
            summary := format('item %s of %s released for %s credits',
                (SELECT string_agg(i.part ->> 'item', ', ' ORDER BY i.place)
                 FROM jsonb_array_elements(p_effect -> 'items') WITH ORDINALITY AS i (part, place)),
                p_effect ->> 'run_id', p_effect -> 'amount');
        WHEN 'move' THEN
            kind := 'asset_moved';
            summary := format('%s moved to its place', p_effect ->> 'output_id');
        WHEN 'quarantine' THEN
            kind := 'asset_quarantined';
            summary := format('%s made unreachable', p_effect ->> 'output_id');
        WHEN 'open_incident' THEN
            kind := 'incident_opened';
            summary := 'privacy incident opened';
        WHEN 'link_ticket' THEN
            kind := 'ticket_linked';
            summary := format('joined to ticket %s', p_effect ->> 'to');
        WHEN 'cancel_upstream', 'tell_owner' THEN
            kind := p_effect ->> 'effect';
            summary := p_receipt ->> 'what';
        WHEN 'say' THEN
            kind := 'message';
            summary := format('%s added to the ticket', p_effect ->> 'kind');
        WHEN 'set_case' THEN
            kind := 'case_state';
            summary := format('case is %s', p_effect ->> 'state');
        ELSE NULL;
    END CASE;
END $$;

-- Does one effect with its audit line and what goes out, and brings the queue and the reconciler's
-- list in line with it. `p_ticket`: of the case, where there is one. `p_id`: what the ids of what the step makes end with; the same step makes the
-- same ids.
CREATE FUNCTION record.do_effect(p_key text, p_id text, p_agent text, p_case text, p_ticket text, p_effect jsonb,
    p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_done bigint;
    v_kind text := p_effect ->> 'effect';
    v_run text := p_effect ->> 'run_id';
    v_root text;
    v_output record.outputs;
    v_receipt jsonb;
    v_letter record;
BEGIN
    IF p_case IS NULL AND v_kind IN ('release', 'link_ticket', 'say', 'set_case') THEN
        PERFORM record.refuse('this needs a case, and the reconciler has none');
    END IF;
    CASE v_kind
        WHEN 'restore' THEN
            v_run := p_effect -> 'restoration' ->> 'run_id';
            v_receipt := record.restore(p_key, p_id, p_agent, p_case, p_ticket, p_effect, p_at);
        WHEN 'lease_item' THEN v_receipt := record.lease_item(p_key, p_effect, p_at);
        WHEN 'deliver' THEN v_receipt := record.deliver(p_key, p_agent, p_effect, p_at);
        WHEN 'release_item' THEN v_receipt := record.release_item(p_key, p_effect, p_at);
        WHEN 'release' THEN v_receipt := record.release(p_key, p_id, p_agent, p_effect, p_at);
        WHEN 'move', 'quarantine' THEN
            v_output := record.known_output(p_effect ->> 'output_id');
            v_run := v_output.run_id;
            v_receipt := CASE v_kind
                WHEN 'move' THEN record.move_output(p_key, p_agent, v_output, p_effect -> 'place', p_at)
                ELSE record.quarantine_output(p_key, v_output, p_effect ->> 'reason', p_at) END;
        WHEN 'open_incident' THEN v_receipt := record.open_incident(p_key, p_id, p_case, p_effect, p_at);
        WHEN 'link_ticket' THEN v_receipt := record.link_ticket(p_case, p_effect ->> 'to');
        WHEN 'cancel_upstream' THEN
            v_receipt := jsonb_build_object('receipt', 'queued', 'outbox_id', 'out_' || p_id, 'what',
                format('cancel job %s at %s', p_effect ->> 'job_id', p_effect ->> 'provider_id'));
        WHEN 'tell_owner' THEN
            v_receipt := jsonb_build_object('receipt', 'queued', 'outbox_id', 'out_' || p_id, 'what',
                format('tell the owner of %s', p_effect ->> 'account_id'));
        WHEN 'say' THEN v_receipt := record.say(p_id, p_case, p_agent, p_effect, p_at);
        WHEN 'set_case' THEN v_receipt := record.set_case(p_case, p_effect);
        ELSE PERFORM record.refuse(format('there is no effect %s', v_kind));
    END CASE;
    -- Texts to and from customers stay out of the audit, which nobody can erase from.
    v_done := record.add_audit(p_agent, v_kind,
        coalesce(p_case, v_run, p_effect ->> 'output_id', p_effect ->> 'job_id', p_effect ->> 'account_id', 'incident'),
        jsonb_build_object('action', p_key, 'effect', p_effect - 'text' - 'consent', 'receipt', v_receipt), p_at);
    v_letter := record.letter(p_effect, v_receipt);
    IF v_letter.kind IS NOT NULL THEN
        INSERT INTO record.outbox (id, at, kind, case_id, action_key, summary, payload, state)
        VALUES ('out_' || p_id, p_at, v_letter.kind, p_case, p_key, v_letter.summary,
                jsonb_build_object('effect', p_effect, 'receipt', v_receipt, 'agent', p_agent), 'waiting');
    END IF;
    IF v_kind IN ('restore', 'deliver', 'release', 'move', 'quarantine') THEN
        v_done := record.follow_cases(v_run, p_case, v_kind <> 'restore');
    ELSIF v_kind NOT IN ('lease_item', 'release_item') THEN
        UPDATE record.cases SET revision = revision + 1 WHERE id = p_case;
    END IF;
    IF v_kind IN ('restore', 'deliver', 'release_item', 'release', 'move', 'quarantine') THEN
        SELECT root_id INTO v_root FROM record.runs WHERE id = v_run;
        v_done := CASE WHEN p_case IS NULL THEN record.renew_due(v_root, p_at) ELSE record.follow_due(v_root, p_at) END;
    END IF;
    RETURN v_receipt;
END $$;
