-- Files that are taken out of the vault. claimed_at: from when on; removed_at: the vault has it no longer.
-- What comes again later and is taken away again has its line anew.
CREATE TABLE record.removals (
    sha256     text   PRIMARY KEY REFERENCES record.files (sha256),
    claimed_at bigint NOT NULL,
    removed_at bigint CHECK (removed_at >= claimed_at),
    why        text   NOT NULL
);
CREATE INDEX removals_under_way ON record.removals (sha256) WHERE removed_at IS NULL;
CREATE TRIGGER removals_stay BEFORE DELETE OR TRUNCATE ON record.removals
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('removals are never deleted');
CREATE VIEW api.removals AS SELECT * FROM record.removals;

-- What this record is known by in a vault, which is one record's. It is not copied into another database: that is
-- another record.
CREATE TABLE record.this_record (
    one integer PRIMARY KEY CHECK (one = 1),
    id  text    NOT NULL
);
INSERT INTO record.this_record VALUES (1, replace(gen_random_uuid()::text, '-', ''));
CREATE TRIGGER this_record_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON record.this_record
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what a record is known by stays');
CREATE VIEW api.this_record AS SELECT * FROM record.this_record;

CREATE INDEX outputs_by_vault ON record.outputs (vault) WHERE vault IS NOT NULL;

-- Who found a file in the vault just before it was taken away must fetch it anew: an hour is longer than any
-- transfer takes. The file's own row is the turn: whoever claims its removal holds it, and who makes an output
-- of it waits, and then sees the claim.
CREATE FUNCTION record.output_has_its_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM record.files WHERE sha256 = NEW.vault FOR KEY SHARE;
    IF EXISTS (SELECT 1 FROM record.removals r WHERE r.sha256 = NEW.vault AND r.claimed_at <= NEW.stored_at
            AND (r.removed_at IS NULL OR r.claimed_at > NEW.stored_at - 3600000000)) THEN
        PERFORM record.refuse('the file was just taken out of the vault: fetch it again, an hour later');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER outputs_have_their_file BEFORE INSERT ON record.outputs FOR EACH ROW
    WHEN (NEW.vault IS NOT NULL) EXECUTE FUNCTION record.output_has_its_file();

-- What was taken away can't be shown, unless it came again with another output.
CREATE FUNCTION record.output_shows_what_is_there() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM record.files WHERE sha256 = NEW.vault FOR KEY SHARE;
    IF EXISTS (SELECT 1 FROM record.removals r WHERE r.sha256 = NEW.vault AND NOT EXISTS (
            SELECT 1 FROM record.outputs o WHERE o.vault = r.sha256 AND o.stored_at > r.claimed_at)) THEN
        PERFORM record.refuse('its file was taken out of the vault when its time there was over');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER outputs_show_what_is_there BEFORE UPDATE OF project_id, hold_until ON record.outputs FOR EACH ROW
    WHEN (NEW.vault IS NOT NULL AND NEW.quarantined_at IS NULL)
    EXECUTE FUNCTION record.output_shows_what_is_there();

-- Claims the removal of a file: {"sha256", "bytes", "why", "by", "hold"}, the last how long a file is kept that
-- has no place. Whether nothing refers to it now, and it is claimed.
CREATE FUNCTION api.claim_removal(p_removal jsonb, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_by text := record.person(p_removal ->> 'by');
    v_sha256 text := p_removal ->> 'sha256';
    v_hold bigint := (p_removal ->> 'hold')::bigint;
BEGIN
    -- What nobody recorded has no row yet, and needs one for its turn.
    INSERT INTO record.files (sha256, bytes, media_type)
    VALUES (v_sha256, greatest((p_removal ->> 'bytes')::bigint, 1), 'application/octet-stream') ON CONFLICT (sha256) DO NOTHING;
    PERFORM 1 FROM record.files WHERE sha256 = v_sha256 FOR UPDATE;
    IF EXISTS (SELECT 1 FROM record.removals WHERE sha256 = v_sha256 AND removed_at IS NULL) THEN
        RETURN 'true';
    END IF;
    IF EXISTS (SELECT 1 FROM record.outputs o WHERE o.vault = v_sha256
            AND coalesce(greatest(o.hold_until, o.quarantined_at + v_hold) > v_at, true))
        -- What was saved is kept as long as what is held (P13), delivered or not.
        OR EXISTS (SELECT 1 FROM record.captures c WHERE c.sha256 = v_sha256 AND c.captured_at + v_hold > v_at) THEN
        RETURN 'false';
    END IF;
    UPDATE record.removals SET claimed_at = v_at, removed_at = NULL, why = p_removal ->> 'why' WHERE sha256 = v_sha256;
    IF NOT FOUND THEN
        INSERT INTO record.removals (sha256, claimed_at, why) VALUES (v_sha256, v_at, p_removal ->> 'why');
    END IF;
    PERFORM record.add_audit(v_by, 'remove_file', v_sha256, p_removal -> 'why', v_at);
    RETURN 'true';
END $$;

-- The vault no longer has the file, and the queue hears that what was saved of it is saved no longer. False where no
-- removal of it is under way.
CREATE FUNCTION api.end_removal(p_sha256 text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_ended boolean;
    v_run text;
BEGIN
    UPDATE record.removals SET removed_at = greatest(record.clock(p_at), claimed_at)
    WHERE sha256 = p_sha256 AND removed_at IS NULL;
    v_ended := FOUND;
    FOR v_run IN SELECT DISTINCT run_id FROM record.captures WHERE sha256 = p_sha256 ORDER BY run_id LOOP
        PERFORM record.follow_cases(v_run, NULL, true);
    END LOOP;
    RETURN to_jsonb(v_ended);
END $$;

REVOKE ALL ON record.removals, api.removals, record.this_record, api.this_record FROM PUBLIC;
REVOKE ALL ON FUNCTION api.claim_removal, api.end_removal FROM PUBLIC;
GRANT SELECT ON api.removals, api.this_record
    TO makegood_agent, makegood_approver, makegood_reconciler, makegood_auditor;
GRANT EXECUTE ON FUNCTION api.claim_removal, api.end_removal TO makegood_reconciler;
