-- What people see of cases, and what they can do with them. Each function is one unit of work.

-- The person who acts. Here it is whom the caller names; where logins are known, whose login it is.
CREATE FUNCTION record.person(p_said text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_said;
END $$;

CREATE VIEW api.tickets AS SELECT * FROM record.tickets;
CREATE VIEW api.blobs AS SELECT * FROM record.blobs;
CREATE VIEW api.attachments AS SELECT * FROM record.attachments;
CREATE VIEW api.messages AS SELECT * FROM record.messages;
CREATE VIEW api.cases AS SELECT * FROM record.cases;
CREATE VIEW api.case_search AS SELECT * FROM record.case_search;
CREATE VIEW api.case_runs AS SELECT * FROM record.case_runs;
CREATE VIEW api.case_items AS SELECT * FROM record.case_items;
CREATE VIEW api.findings AS SELECT case_id, seq, at, document::text AS document FROM record.findings;
CREATE VIEW api.chosen_runs AS SELECT case_id, seq, document::text AS document FROM record.chosen_runs;
CREATE VIEW api.drafts AS SELECT * FROM record.drafts;
CREATE VIEW api.draft_history AS SELECT * FROM record.draft_history;
CREATE VIEW api.saved_views AS SELECT agent, name, query::text AS query FROM record.saved_views;

-- Keeps the bytes of a file under their hash. Kept before the ticket that names them, one a call, so
-- that no statement carries more than one file; bytes that no ticket came to name do no harm.
CREATE FUNCTION api.keep_blob(p_bytes bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_sha256 text := encode(sha256(p_bytes), 'hex');
BEGIN
    INSERT INTO record.blobs (sha256, bytes) VALUES (v_sha256, p_bytes) ON CONFLICT (sha256) DO NOTHING;
    RETURN v_sha256;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Opens the case of a ticket: {"case_id", "is_new"}. `p_new`: case_id, opened_at, due_at, search_text,
-- ticket (the columns of tickets) and attachments (the columns of attachments, in order).
CREATE FUNCTION api.open_case(p_new jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_ticket record.tickets;
    v_case text;
BEGIN
    v_ticket := jsonb_populate_record(NULL::record.tickets, p_new -> 'ticket');
    INSERT INTO record.tickets VALUES (v_ticket.*) ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        SELECT id INTO v_case FROM record.cases WHERE ticket_id = v_ticket.id;
        RETURN jsonb_build_object('case_id', v_case, 'is_new', false);
    END IF;
    v_case := p_new ->> 'case_id';
    INSERT INTO record.attachments (ticket_id, position, id, name, kind, description, media_type, sha256)
    SELECT v_ticket.id, a.place - 1, a.file ->> 'id', a.file ->> 'name', a.file ->> 'kind',
           a.file ->> 'description', a.file ->> 'media_type', a.file ->> 'sha256'
    FROM jsonb_array_elements(p_new -> 'attachments') WITH ORDINALITY AS a (file, place);
    INSERT INTO record.cases (id, ticket_id, state, opened_at, due_at, revision, desk, subject, customer, search_text)
    VALUES (v_case, v_ticket.id, 'open', (p_new ->> 'opened_at')::bigint, (p_new ->> 'due_at')::bigint, 1,
            coalesce(v_ticket.desk, ''), v_ticket.subject, v_ticket.requester_email, p_new ->> 'search_text');
    RETURN jsonb_build_object('case_id', v_case, 'is_new', true);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Locks a case that must still be at a revision.
CREATE FUNCTION record.lock_case(p_case text, p_revision bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_revision bigint;
BEGIN
    SELECT revision INTO v_revision FROM record.cases WHERE id = p_case FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'case', DETAIL = coalesce(p_case, '');
    ELSIF v_revision <> p_revision THEN
        RAISE EXCEPTION USING ERRCODE = 'MG002', MESSAGE = 'case', DETAIL = coalesce(p_case, '');
    END IF;
END $$;

-- Keeps a finding made at a revision of its case; returns the new revision. `p_found`: the columns
-- that the queue reads (verdict, remedy, matched_run, file_deadline, search_text), the ids of the runs
-- that it is about, and the items of which a file can be lost as [run, item].
-- The same as the newest finding, made at another time, changes nothing; sent again after the answer
-- was lost, it is answered as the first time. Other reasons for the same are kept, and raise no revision: they
-- take nobody's review away.
CREATE FUNCTION api.save_finding(p_case text, p_revision bigint, p_document jsonb, p_found jsonb, p_at bigint)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_revision bigint;
    v_last jsonb;
    v_same boolean;
BEGIN
    SELECT revision INTO v_revision FROM record.cases WHERE id = p_case FOR NO KEY UPDATE;
    SELECT document INTO v_last FROM record.findings WHERE case_id = p_case ORDER BY seq DESC LIMIT 1;
    IF (v_revision = p_revision AND v_last - 'found_at' = p_document - 'found_at')
        OR (v_revision = p_revision + 1 AND v_last = p_document) THEN
        RETURN to_jsonb(v_revision);
    END IF;
    PERFORM record.lock_case(p_case, p_revision);
    v_same := coalesce(v_last #- '{diagnosis,reasons}' #- '{found_at}' = p_document #- '{diagnosis,reasons}' #- '{found_at}', false);
    INSERT INTO record.findings (case_id, seq, at, document)
    SELECT p_case, finding_seq + 1, p_at, p_document FROM record.cases WHERE id = p_case;
    DELETE FROM record.case_runs WHERE case_id = p_case;
    INSERT INTO record.case_runs (case_id, run_id)
    SELECT DISTINCT p_case, run FROM jsonb_array_elements_text(p_found -> 'runs') AS r (run);
    DELETE FROM record.case_items WHERE case_id = p_case;
    INSERT INTO record.case_items (case_id, run_id, item)
    SELECT p_case, i.part ->> 0, (i.part ->> 1)::bigint FROM jsonb_array_elements(p_found -> 'items') AS i (part);
    UPDATE record.cases c
    SET finding_seq = c.finding_seq + 1, verdict = p_found ->> 'verdict', remedy = p_found ->> 'remedy',
        matched_run = p_found ->> 'matched_run', file_deadline = (p_found ->> 'file_deadline')::bigint,
        search_text = p_found ->> 'search_text', revision = c.revision + (NOT v_same)::int,
        amount = (SELECT a.amount FROM record.case_amounts a WHERE a.case_id = c.id), saved = record.case_saved(c.id),
        model = (SELECT m.display_name FROM record.runs r JOIN record.models m ON m.id = r.model_id
                 WHERE r.id = p_found ->> 'matched_run')
    WHERE c.id = p_case RETURNING c.revision INTO v_revision;
    RETURN to_jsonb(v_revision);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- An agent's choice of run, which overrules the match; returns the new revision. Sent again after
-- the answer was lost, it is answered as the first time.
CREATE FUNCTION api.choose_runs(p_case text, p_revision bigint, p_document jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_agent text := record.person(p_document ->> 'agent');
    v_at bigint := record.clock(p_at);
    v_revision bigint;
    v_last jsonb;
BEGIN
    SELECT revision INTO v_revision FROM record.cases WHERE id = p_case FOR NO KEY UPDATE;
    SELECT document INTO v_last FROM record.chosen_runs WHERE case_id = p_case ORDER BY seq DESC LIMIT 1;
    IF v_revision = p_revision + 1 AND v_last = p_document THEN
        RETURN to_jsonb(v_revision);
    END IF;
    PERFORM record.lock_case(p_case, p_revision);
    INSERT INTO record.chosen_runs (case_id, seq, document)
    SELECT p_case, coalesce(max(seq) + 1, 0), p_document FROM record.chosen_runs WHERE case_id = p_case;
    UPDATE record.cases SET revision = revision + 1 WHERE id = p_case RETURNING revision INTO v_revision;
    PERFORM record.add_audit(v_agent, 'choose_runs', p_case, p_document, v_at);
    RETURN to_jsonb(v_revision);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Gives a case to an agent, or to nobody.
CREATE FUNCTION api.assign(p_case text, p_agent text, p_by text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_by text := record.person(p_by);
BEGIN
    UPDATE record.cases SET assignee = p_agent WHERE id = p_case;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'case', DETAIL = coalesce(p_case, '');
    END IF;
    PERFORM record.add_audit(v_by, 'assign', p_case, coalesce(to_jsonb(p_agent), 'null'), record.clock(p_at));
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Saves a text: {"saved": revision}, or {"theirs": draft} where it was written from elsewhere since
-- `p_base`. Both texts are kept in any case; the same text again is no conflict.
CREATE FUNCTION api.save_draft(p_case text, p_kind text, p_author text, p_text text, p_base bigint, p_at bigint)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_author text := record.person(p_author);
    v_at bigint := record.clock(p_at);
    v_known record.drafts;
    v_revision bigint := 1;
BEGIN
    INSERT INTO record.drafts (case_id, kind, author, text, revision, saved_at)
    VALUES (p_case, p_kind, v_author, p_text, v_revision, v_at) ON CONFLICT (case_id, kind, author) DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO v_known FROM record.drafts
        WHERE case_id = p_case AND kind = p_kind AND author = v_author FOR NO KEY UPDATE;
        IF v_known.text = p_text THEN
            RETURN jsonb_build_object('saved', v_known.revision);
        ELSIF v_known.revision <> p_base THEN
            INSERT INTO record.draft_history (case_id, kind, author, text, base_revision, revision, at)
            SELECT p_case, p_kind, v_author, p_text, p_base, NULL, v_at WHERE NOT EXISTS (
                SELECT 1 FROM record.draft_history WHERE case_id = p_case AND kind = p_kind AND author = v_author
                  AND base_revision = p_base AND revision IS NULL AND text = p_text);
            RETURN jsonb_build_object('theirs', to_jsonb(v_known));
        END IF;
        v_revision := v_known.revision + 1;
        UPDATE record.drafts SET text = p_text, revision = v_revision, saved_at = v_at
        WHERE case_id = p_case AND kind = p_kind AND author = v_author;
    END IF;
    INSERT INTO record.draft_history (case_id, kind, author, text, base_revision, revision, at)
    VALUES (p_case, p_kind, v_author, p_text, p_base, v_revision, v_at);
    RETURN jsonb_build_object('saved', v_revision);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

-- Keeps a view of the queue under a name.
CREATE FUNCTION api.save_view(p_agent text, p_name text, p_query jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
BEGIN
    INSERT INTO record.saved_views (agent, name, query) VALUES (record.person(p_agent), p_name, p_query)
    ON CONFLICT (agent, name) DO UPDATE SET query = excluded.query;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

CREATE FUNCTION api.delete_view(p_agent text, p_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
BEGIN
    DELETE FROM record.saved_views WHERE agent = record.person(p_agent) AND name = p_name;
    RETURN NULL;
END $$;
