-- Copies of our own: a provider's file that is in the vault, whatever becomes of its item. Of two files of
-- the same item of the same job the first one counts, until it is taken out of the vault: then its next turn begins.

-- Who may call what:
--   agent       keep_capture
--   reconciler  keep_capture

CREATE TABLE record.captures (
    job_id      text   NOT NULL REFERENCES record.jobs (id),
    item        bigint NOT NULL CHECK (item >= 1),
    turn        bigint NOT NULL CHECK (turn >= 1),
    run_id      text   NOT NULL REFERENCES record.runs (id),
    sha256      text   NOT NULL REFERENCES record.files (sha256),
    captured_at bigint NOT NULL,
    captured_by text   NOT NULL,
    PRIMARY KEY (job_id, item, turn)
);
CREATE INDEX captures_by_run ON record.captures (run_id, item);
CREATE INDEX captures_by_file ON record.captures (sha256);
CREATE TRIGGER captures_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.captures
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was captured is never edited');

CREATE VIEW api.captures AS
    SELECT c.job_id, c.item, c.turn, c.run_id, c.sha256, f.bytes, f.media_type, c.captured_at, c.captured_by
    FROM record.captures c JOIN record.files f ON f.sha256 = c.sha256;

-- Those whose file was not taken out of the vault since, at most one for each item of a job.
CREATE VIEW api.standing_captures AS
    SELECT * FROM api.captures c
    WHERE NOT EXISTS (SELECT 1 FROM record.removals r WHERE r.sha256 = c.sha256 AND r.claimed_at >= c.captured_at);

-- 1 where each file of a case that could be lost is in the vault: delivered, held, or captured.
CREATE OR REPLACE FUNCTION record.case_saved(p_case text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (EXISTS (SELECT 1 FROM record.case_items k WHERE k.case_id = p_case)
        AND NOT EXISTS (SELECT 1 FROM record.case_items k JOIN record.runs m ON m.id = k.run_id
            WHERE k.case_id = p_case AND NOT EXISTS (
                SELECT 1 FROM record.runs r JOIN record.outputs o ON o.run_id = r.id
                WHERE r.root_id = m.root_id AND o.item = k.item AND o.vault IS NOT NULL)
            AND NOT EXISTS (
                SELECT 1 FROM record.runs r JOIN api.standing_captures c ON c.run_id = r.id
                WHERE r.root_id = m.root_id AND c.item = k.item)))::int;
END $$;

-- Whose name is on a capture: the person's whose login it is; a reconciler's login is nobody's.
CREATE FUNCTION record.capturer(p_said text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF record.is_known_login() OR pg_has_role(session_user, 'makegood_owner', 'MEMBER')
        OR NOT pg_has_role(session_user, 'makegood_reconciler', 'MEMBER') THEN
        RETURN record.person(p_said);
    END IF;
    RETURN 'reconciler';
END $$;

-- Keeps that the file of an item of a job is in the vault: {"job_id", "item", "file": {"sha256", "bytes",
-- "media_type"}}. Returns {"stands": the same, with the run of the job, and its time in microseconds}, or
-- {"refused": why}. Who brought it is the login's person, or the reconciler.
CREATE FUNCTION api.keep_capture(p_said jsonb, p_by text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_job text := p_said ->> 'job_id';
    v_item bigint := (p_said ->> 'item')::bigint;
    v_file jsonb := p_said -> 'file';
    v_by text := record.capturer(p_by);
    v_run text;
BEGIN
    SELECT run_id INTO v_run FROM record.jobs WHERE id = v_job;
    IF v_run IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MG003', MESSAGE = 'job', DETAIL = coalesce(v_job, '');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM api.standing_captures WHERE job_id = v_job AND item = v_item) THEN
        INSERT INTO record.files (sha256, bytes, media_type)
        VALUES (v_file ->> 'sha256', (v_file ->> 'bytes')::bigint, v_file ->> 'media_type')
        ON CONFLICT (sha256) DO NOTHING;
        -- The file's own row is the turn: whoever claims its removal holds it.
        PERFORM 1 FROM record.files WHERE sha256 = v_file ->> 'sha256' FOR KEY SHARE;
        IF EXISTS (SELECT 1 FROM record.removals r WHERE r.sha256 = v_file ->> 'sha256' AND r.claimed_at <= v_at
                AND (r.removed_at IS NULL OR r.claimed_at > v_at - 3600000000)) THEN
            RETURN jsonb_build_object('refused', 'the file was just taken out of the vault: fetch it again, an hour later');
        END IF;
        INSERT INTO record.captures (job_id, item, turn, run_id, sha256, captured_at, captured_by)
        SELECT v_job, v_item, 1 + count(*), v_run, v_file ->> 'sha256', v_at, v_by
        FROM record.captures WHERE job_id = v_job AND item = v_item
        ON CONFLICT (job_id, item, turn) DO NOTHING;
        IF FOUND THEN
            PERFORM record.add_audit(v_by, 'capture', v_run, jsonb_build_object('job_id', v_job, 'item', v_item,
                'file', v_file), v_at);
            PERFORM record.follow_cases(v_run, NULL, true);
        END IF;
    END IF;
    RETURN (SELECT jsonb_build_object('stands', jsonb_build_object('run_id', run_id, 'job_id', job_id, 'item', item,
            'file', jsonb_build_object('sha256', sha256, 'bytes', bytes, 'media_type', media_type),
            'captured_at', captured_at))
        FROM api.standing_captures WHERE job_id = v_job AND item = v_item);
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    PERFORM record.reword(SQLSTATE, SQLERRM);
    RETURN NULL;
END $$;

REVOKE ALL ON record.captures, api.captures, api.standing_captures FROM PUBLIC;
REVOKE ALL ON FUNCTION record.capturer, api.keep_capture FROM PUBLIC;
GRANT SELECT ON api.captures, api.standing_captures TO makegood_agent, makegood_approver, makegood_reconciler, makegood_auditor;
GRANT EXECUTE ON FUNCTION api.keep_capture TO makegood_agent, makegood_reconciler;
