-- One fact of the platform each, as it came: {"id": …} with the fields of the feed. A row that is known
-- is renewed; what it refers to must be there. Called by api.feed, with the row and the instant.

CREATE FUNCTION record.take_provider(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.providers (id, retention_hours, retention_source)
    VALUES (p_row ->> 'id', (p_row ->> 'retention_hours')::bigint, p_row ->> 'retention_source')
    ON CONFLICT (id) DO UPDATE
    SET retention_hours = excluded.retention_hours, retention_source = excluded.retention_source;
END $$;

CREATE FUNCTION record.take_model(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.models (id, display_name, family, provider_id, media, mode)
    VALUES (p_row ->> 'id', p_row ->> 'display_name', p_row ->> 'family', p_row ->> 'provider_id', p_row ->> 'media',
            p_row ->> 'mode')
    ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, family = excluded.family,
        provider_id = excluded.provider_id, media = excluded.media, mode = excluded.mode;
    DELETE FROM record.model_aliases WHERE model_id = p_row ->> 'id';
    INSERT INTO record.model_aliases (model_id, position, alias)
    SELECT p_row ->> 'id', a.place - 1, a.alias
    FROM jsonb_array_elements_text(p_row -> 'aliases') WITH ORDINALITY AS a (alias, place);
END $$;

CREATE FUNCTION record.take_user(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.users (id, email, timezone, locale)
    VALUES (p_row ->> 'id', p_row ->> 'email', p_row ->> 'timezone', p_row ->> 'locale')
    ON CONFLICT (id) DO UPDATE SET email = excluded.email, timezone = excluded.timezone, locale = excluded.locale;
END $$;

CREATE FUNCTION record.take_workspace(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.workspaces (id, name, account_id)
    VALUES (p_row ->> 'id', p_row ->> 'name', p_row ->> 'account_id')
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_id = excluded.account_id;
    DELETE FROM record.workspace_members WHERE workspace_id = p_row ->> 'id';
    INSERT INTO record.workspace_members (workspace_id, user_id, position, role, status, left_at)
    SELECT p_row ->> 'id', m.said ->> 'user_id', m.place - 1, m.said ->> 'role', m.said ->> 'status',
           record.instant(m.said ->> 'left_at')
    FROM jsonb_array_elements(p_row -> 'members') WITH ORDINALITY AS m (said, place);
END $$;

CREATE FUNCTION record.take_project(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.projects (id, name, account_id, workspace_id, status, deleted_at)
    VALUES (p_row ->> 'id', p_row ->> 'name', p_row ->> 'account_id', p_row ->> 'workspace_id', p_row ->> 'status',
            record.instant(p_row ->> 'deleted_at'))
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_id = excluded.account_id,
        workspace_id = excluded.workspace_id, status = excluded.status, deleted_at = excluded.deleted_at;
END $$;

CREATE FUNCTION record.take_node(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.nodes (id, project_id, label, status, deleted_at)
    VALUES (p_row ->> 'id', p_row ->> 'project_id', p_row ->> 'label', p_row ->> 'status',
            record.instant(p_row ->> 'deleted_at'))
    ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, label = excluded.label,
        status = excluded.status, deleted_at = excluded.deleted_at;
END $$;

-- A retry by the system goes on in its parent's logical run, and takes its own retries along.
CREATE FUNCTION record.take_run(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_id text := p_row ->> 'id';
    v_parent text := CASE p_row ->> 'retry_initiator' WHEN 'system' THEN p_row ->> 'retry_of' END;
    v_root text := coalesce((SELECT root_id FROM record.runs WHERE id = v_parent), v_parent, v_id);
BEGIN
    INSERT INTO record.runs (id, root_id, project_id, node_id, started_by, model_id, started_at, requested_items,
        status, cancelled_at, retry_of, retry_initiator, params)
    VALUES (v_id, v_root, p_row ->> 'project_id', p_row ->> 'node_id', p_row ->> 'started_by', p_row ->> 'model_id',
        record.instant(p_row ->> 'started_at'), (p_row ->> 'requested_items')::bigint, p_row ->> 'status',
        record.instant(p_row ->> 'cancelled_at'), p_row ->> 'retry_of', p_row ->> 'retry_initiator',
        coalesce(p_row -> 'params', 'null')::text)
    ON CONFLICT (id) DO UPDATE SET root_id = excluded.root_id, project_id = excluded.project_id,
        node_id = excluded.node_id, started_by = excluded.started_by, model_id = excluded.model_id,
        started_at = excluded.started_at, requested_items = excluded.requested_items, status = excluded.status,
        cancelled_at = excluded.cancelled_at, retry_of = excluded.retry_of,
        retry_initiator = excluded.retry_initiator, params = excluded.params;
    WITH RECURSIVE retry (id) AS (
        SELECT id FROM record.runs WHERE retry_of = v_id AND retry_initiator = 'system'
        UNION SELECT r.id FROM record.runs r JOIN retry ON r.retry_of = retry.id WHERE r.retry_initiator = 'system')
    UPDATE record.runs SET root_id = v_root WHERE id IN (SELECT id FROM retry) AND root_id <> v_root;
END $$;

-- A size or count that the feed keeps unsigned. Beyond 64 bits it is kept at the largest. None is none: least()
-- alone would make the largest of it.
CREATE FUNCTION record.size(p_said text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_said IS NULL THEN NULL WHEN length(p_said) <= 18 THEN p_said::numeric::bigint
        ELSE least(p_said::numeric, 9223372036854775807)::bigint END
$$;

-- `p_at`: when its provider was asked; null where nobody did.
CREATE FUNCTION record.take_job(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.jobs (id, run_id, provider_id, submitted_at, state, processing_started_at, finished_at, error,
        looked_up_at, locator)
    VALUES (p_row ->> 'id', p_row ->> 'run_id', p_row ->> 'provider_id', record.instant(p_row ->> 'submitted_at'),
        p_row ->> 'state', record.instant(p_row ->> 'processing_started_at'), record.instant(p_row ->> 'finished_at'),
        p_row ->> 'error', p_at, p_row ->> 'locator')
    ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, provider_id = excluded.provider_id,
        submitted_at = excluded.submitted_at, state = excluded.state,
        processing_started_at = excluded.processing_started_at, finished_at = excluded.finished_at,
        error = excluded.error, looked_up_at = excluded.looked_up_at,
        locator = coalesce(excluded.locator, jobs.locator);
    DELETE FROM record.job_items WHERE job_id = p_row ->> 'id';
    INSERT INTO record.job_items (job_id, item, state, finished_at, file_bytes, file_sha256_prefix,
        file_available_until, file_exists_now)
    SELECT p_row ->> 'id', (i ->> 'item')::bigint, i ->> 'state', record.instant(i ->> 'finished_at'),
           record.size(i -> 'file' ->> 'bytes'), i -> 'file' ->> 'sha256_prefix',
           record.instant(i -> 'file' ->> 'available_until'), (i -> 'file' ->> 'exists_now')::boolean::int
    FROM jsonb_array_elements(p_row -> 'items') AS i;
END $$;

-- What a feed says of a job at `p_told`: it is nobody's look-up, whatever instant it names, and says nothing
-- new of a job whose provider said its last word, or answered since.
CREATE FUNCTION record.hear_of_job(p_row jsonb, p_told bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM record.jobs WHERE id = p_row ->> 'id' AND state <> 'lookup_failed' AND looked_up_at IS NOT NULL
        AND (looked_up_at >= p_told OR state IN ('succeeded', 'failed', 'filtered', 'cancelled', 'not_found'))
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM record.take_job(p_row, NULL);
    END IF;
END $$;

CREATE FUNCTION record.take_webhook(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.webhooks (id, job_id, run_id, received_at, attempts, result, routed_project_id, routed_node_id)
    VALUES (p_row ->> 'id', p_row ->> 'job_id', p_row ->> 'run_id', record.instant(p_row ->> 'received_at'),
        (p_row ->> 'attempts')::bigint, p_row ->> 'result', p_row -> 'routed_to' ->> 'project_id',
        p_row -> 'routed_to' ->> 'node_id')
    ON CONFLICT (id) DO UPDATE SET job_id = excluded.job_id, run_id = excluded.run_id,
        received_at = excluded.received_at, attempts = excluded.attempts, result = excluded.result,
        routed_project_id = excluded.routed_project_id, routed_node_id = excluded.routed_node_id;
END $$;

CREATE FUNCTION record.take_upload(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.uploads (run_id, item, attempted_at, result)
    VALUES (p_row ->> 'run_id', (p_row ->> 'item')::bigint, record.instant(p_row ->> 'attempted_at'), p_row ->> 'result')
    ON CONFLICT (run_id, item, attempted_at) DO UPDATE SET result = excluded.result;
END $$;

-- Where an output lies now, if that is not where it lay before.
CREATE FUNCTION record.note_place(p_output text, p_project text, p_node text, p_hold_until bigint, p_at bigint, p_by text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.placements (output_id, seq, project_id, node_id, hold_until, at, by)
    SELECT p_output, coalesce(last.seq + 1, 0), p_project, p_node, p_hold_until, p_at, p_by
    FROM (SELECT) AS one LEFT JOIN LATERAL (
        SELECT * FROM record.placements WHERE output_id = p_output ORDER BY seq DESC LIMIT 1) AS last ON true
    WHERE last.seq IS NULL
       OR (last.project_id, last.node_id, last.hold_until) IS DISTINCT FROM (p_project, p_node, p_hold_until);
END $$;

-- An output that was delivered from here is known better here. A feed that moves a quarantined output
-- out of where it lay ends the quarantine.
CREATE FUNCTION record.take_output(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM record.outputs WHERE id = p_row ->> 'id' AND origin = 'makegood') THEN
        RETURN;
    END IF;
    INSERT INTO record.outputs AS o (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history,
        on_canvas, sha256, origin)
    VALUES (p_row ->> 'id', p_row ->> 'run_id', (p_row ->> 'item')::bigint, p_row ->> 'project_id',
        p_row ->> 'node_id', record.instant(p_row ->> 'stored_at'), record.size(p_row ->> 'bytes'), p_row ->> 'state',
        (p_row ->> 'in_history')::boolean::int, (p_row ->> 'on_canvas')::boolean::int, p_row ->> 'sha256', 'feed')
    ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, item = excluded.item,
        quarantined_at = CASE WHEN o.project_id = excluded.project_id THEN o.quarantined_at END,
        quarantine_reason = CASE WHEN o.project_id = excluded.project_id THEN o.quarantine_reason END,
        project_id = excluded.project_id, node_id = excluded.node_id, stored_at = excluded.stored_at,
        bytes = excluded.bytes, state = excluded.state, in_history = excluded.in_history,
        on_canvas = excluded.on_canvas, sha256 = coalesce(excluded.sha256, o.sha256);
    PERFORM record.note_place(p_row ->> 'id', p_row ->> 'project_id', p_row ->> 'node_id', NULL, p_at, 'feed');
END $$;

CREATE FUNCTION record.take_ticket(p_row jsonb, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO record.ticket_links (id, created_at, status, outcome, requester_user_id)
    VALUES (p_row ->> 'id', record.instant(p_row ->> 'created_at'), p_row ->> 'status', p_row ->> 'outcome',
        p_row ->> 'requester_user_id')
    ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, status = excluded.status,
        outcome = excluded.outcome, requester_user_id = excluded.requester_user_id;
    DELETE FROM record.ticket_runs WHERE ticket_id = p_row ->> 'id';
    INSERT INTO record.ticket_runs (ticket_id, position, run_id)
    SELECT p_row ->> 'id', r.place - 1, r.run
    FROM jsonb_array_elements_text(p_row -> 'run_ids') WITH ORDINALITY AS r (run, place);
END $$;
