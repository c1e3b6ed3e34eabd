-- Who may do what. People have a login each and no right on any table: they read the views of schema
-- `api` and call its functions, which decide by whose login it is. A test compares this list with the
-- catalogue; a role that is not on it, `public` included, may nothing. A function on no line is for the
-- owner of the record alone (put_person, put_login).
--
-- Who may call what:
--   agent       keep_blob open_case save_finding choose_runs assign save_draft save_view delete_view
--   agent       begin_action apply finish_action record_look_up ask_approval decide_approval approvals_at
--   agent       identity clock seal_audit note_connection
--   approver    save_view delete_view decide_approval approvals_at identity clock seal_audit
--   reconciler  claim_due end_look settle settle_many detect close_detections save_pass record_look_up save_finding
--   reconciler  identity clock seal_audit claim_letters end_letter enable_endpoint prune
--   reconciler  claim_removal end_removal
--   feeder      feed clock identity keep_deliveries match_deliveries
--   auditor     approvals_at identity clock
-- Who may read what:
--   agent       *
--   approver    *
--   reconciler  *
--   auditor     *
--   feeder      schema_migrations fact_digests discrepancies

-- Roles and the database itself are for the login that changes the schema, not for the owner of tables.
RESET ROLE;
DO $$
DECLARE
    v_role text;
    v_function text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['makegood_agent', 'makegood_approver', 'makegood_reconciler', 'makegood_feeder',
        'makegood_auditor'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of the same server has it.
        END;
    END LOOP;
    -- Room that any login could fill: temporary tables, large objects. Who has no role can connect, sees
    -- nothing, and is told what is missing.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    FOR v_function IN SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND (proname LIKE 'lo\_%' OR proname IN ('loread', 'lowrite'))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
    END LOOP;
END $$;
SET LOCAL ROLE makegood_owner;

-- Whose a login is. Two logins of one person are one person, who can't be the own second one.
CREATE TABLE record.logins (
    login  text PRIMARY KEY,
    person text NOT NULL REFERENCES record.people (id)
);
CREATE VIEW api.logins AS SELECT * FROM record.logins;

-- Whose login this is. The owner's logins are believed whom they name, for moving records and for tests.
CREATE OR REPLACE FUNCTION record.person(p_said text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_person text;
BEGIN
    SELECT person INTO v_person FROM record.logins WHERE login = session_user;
    IF FOUND THEN
        RETURN v_person;
    ELSIF pg_has_role(session_user, 'makegood_owner', 'MEMBER') THEN
        RETURN p_said;
    END IF;
    PERFORM record.refuse(format('the record does not know whose login %s is: its owner must say', session_user));
END $$;

CREATE OR REPLACE FUNCTION record.is_known_login() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM record.logins WHERE login = session_user)
$$;

-- By what is recorded, and by the role of the login.
CREATE OR REPLACE FUNCTION record.may_approve(p_person text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT roles ? 'approver' FROM record.people WHERE id = p_person), true)
        AND (NOT record.is_known_login() OR pg_has_role(session_user, 'makegood_approver', 'MEMBER'));
END $$;

-- Says whose a login is. For the owner of the record.
CREATE FUNCTION api.put_login(p_login text, p_person text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
BEGIN
    INSERT INTO record.logins (login, person) VALUES (p_login, p_person) ON CONFLICT (login) DO NOTHING;
    IF NOT FOUND THEN
        UPDATE record.logins SET person = p_person WHERE login = p_login;
    END IF;
    PERFORM record.add_audit('owner', 'put_login', p_person, jsonb_build_object('login', p_login), record.clock(p_at));
    RETURN NULL;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA record, api FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA record, api FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA record, api FROM PUBLIC;
REVOKE ALL ON SCHEMA record, api FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO makegood_agent, makegood_approver, makegood_reconciler, makegood_feeder, makegood_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO makegood_agent, makegood_approver, makegood_reconciler, makegood_auditor;
GRANT SELECT ON api.schema_migrations, api.fact_digests, api.discrepancies TO makegood_feeder;

GRANT EXECUTE ON FUNCTION api.keep_blob, api.open_case, api.save_finding, api.choose_runs, api.assign, api.save_draft,
    api.save_view, api.delete_view, api.begin_action, api.apply, api.finish_action, api.record_look_up,
    api.ask_approval, api.decide_approval, api.approvals_at, api.identity, api.clock, api.seal_audit,
    api.note_connection TO makegood_agent;
GRANT EXECUTE ON FUNCTION api.save_view, api.delete_view, api.decide_approval, api.approvals_at, api.identity,
    api.clock, api.seal_audit TO makegood_approver;
GRANT EXECUTE ON FUNCTION api.claim_due, api.end_look, api.settle, api.settle_many, api.detect, api.close_detections,
    api.save_pass, api.record_look_up, api.save_finding, api.identity, api.clock, api.seal_audit TO makegood_reconciler;
GRANT EXECUTE ON FUNCTION api.feed, api.clock, api.identity TO makegood_feeder;
GRANT EXECUTE ON FUNCTION api.approvals_at, api.identity, api.clock TO makegood_auditor;
