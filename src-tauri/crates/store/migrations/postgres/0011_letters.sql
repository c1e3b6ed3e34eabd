-- What the platform is told of the outbox, an endpoint at a time.
CREATE TABLE record.letter_tries (
    endpoint      text   NOT NULL,
    outbox_id     text   NOT NULL REFERENCES record.outbox (id),
    tries         bigint NOT NULL CHECK (tries >= 0),
    next_at       bigint NOT NULL,
    claimed_until bigint,
    state         text   NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
    why           text,
    PRIMARY KEY (endpoint, outbox_id)
);
CREATE INDEX letter_tries_next ON record.letter_tries (endpoint, next_at) WHERE state = 'waiting';
CREATE INDEX letter_tries_of ON record.letter_tries (outbox_id);
CREATE TRIGGER letter_tries_stay BEFORE DELETE OR TRUNCATE ON record.letter_tries
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('tries are never deleted');

-- failing_since: since when every try failed. disabled_at: from when on nothing is sent any more.
CREATE TABLE record.endpoints (
    name          text PRIMARY KEY,
    failing_since bigint,
    disabled_at   bigint,
    why           text
);

CREATE INDEX outbox_to_tell ON record.outbox (seq) WHERE state = 'waiting'
    AND kind IN ('asset_delivered', 'asset_moved', 'asset_quarantined', 'asset_released', 'cancel_upstream', 'credits_restored');

CREATE VIEW api.letter_tries AS SELECT * FROM record.letter_tries;
CREATE VIEW api.endpoints AS SELECT * FROM record.endpoints;

-- Claims letters for an endpoint: [{"id", "at", "kind", "payload", "tries"}], the earliest first.
CREATE FUNCTION api.claim_letters(p_endpoint text, p_limit bigint, p_lease bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_letters jsonb;
BEGIN
    INSERT INTO record.endpoints (name) VALUES (p_endpoint) ON CONFLICT (name) DO NOTHING;
    IF EXISTS (SELECT 1 FROM record.endpoints WHERE name = p_endpoint AND disabled_at IS NOT NULL) THEN
        RETURN '[]';
    END IF;
    INSERT INTO record.letter_tries (endpoint, outbox_id, tries, next_at, state)
    SELECT p_endpoint, o.id, 0, o.at, 'waiting' FROM record.outbox o
    WHERE o.state = 'waiting' AND o.kind IN ('asset_delivered', 'asset_moved', 'asset_quarantined', 'asset_released', 'cancel_upstream', 'credits_restored')
        AND NOT EXISTS (SELECT 1 FROM record.letter_tries t WHERE t.endpoint = p_endpoint AND t.outbox_id = o.id)
    ORDER BY o.seq LIMIT p_limit ON CONFLICT (endpoint, outbox_id) DO NOTHING;
    WITH due AS (
        SELECT t.outbox_id FROM record.letter_tries t JOIN record.outbox o ON o.id = t.outbox_id
        WHERE t.endpoint = p_endpoint AND t.state = 'waiting' AND t.next_at <= v_at
            AND (t.claimed_until IS NULL OR t.claimed_until <= v_at)
        ORDER BY t.next_at, o.seq LIMIT p_limit FOR UPDATE OF t SKIP LOCKED
    ), claimed AS (
        UPDATE record.letter_tries t SET claimed_until = v_at + p_lease
        FROM due WHERE t.endpoint = p_endpoint AND t.outbox_id = due.outbox_id
        RETURNING t.outbox_id, t.tries, t.next_at
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'at', o.at, 'kind', o.kind, 'payload', o.payload::text,
        'tries', c.tries) ORDER BY c.next_at, o.seq), '[]')
    INTO v_letters FROM claimed c JOIN record.outbox o ON o.id = c.outbox_id;
    RETURN v_letters;
END $$;

-- Ends a try: {"end": "sent"}, {"end": "again", "at", "why"}, {"end": "given_up", "why"}, {"end": "gone", "why"}.
-- p_all: the names of all endpoints that are told. Returns whether the endpoint was disabled by this.
CREATE FUNCTION api.end_letter(p_endpoint text, p_id text, p_end jsonb, p_all jsonb, p_endured bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_end text := p_end ->> 'end';
    v_is_disabled boolean := false;
BEGIN
    UPDATE record.letter_tries SET claimed_until = NULL, tries = tries + 1, why = p_end ->> 'why',
        state = CASE v_end WHEN 'sent' THEN 'sent' WHEN 'given_up' THEN 'given_up' ELSE 'waiting' END,
        next_at = CASE v_end WHEN 'again' THEN (p_end ->> 'at')::bigint ELSE next_at END
    WHERE endpoint = p_endpoint AND outbox_id = p_id AND state <> 'sent';
    IF NOT FOUND THEN
        RETURN 'false';
    END IF;
    IF v_end = 'sent' THEN
        UPDATE record.endpoints SET failing_since = NULL, why = NULL WHERE name = p_endpoint AND failing_since IS NOT NULL;
    ELSE
        UPDATE record.endpoints SET failing_since = coalesce(failing_since, v_at), why = p_end ->> 'why',
            disabled_at = CASE WHEN v_end = 'gone' OR v_at - coalesce(failing_since, v_at) >= p_endured THEN v_at END
        WHERE name = p_endpoint AND disabled_at IS NULL RETURNING disabled_at IS NOT NULL INTO v_is_disabled;
    END IF;
    IF v_end IN ('sent', 'given_up') THEN
        -- One of two that end the same letter at the same time sees what the other did.
        PERFORM 1 FROM record.outbox WHERE id = p_id FOR UPDATE;
        UPDATE record.outbox SET state = CASE WHEN EXISTS (SELECT 1 FROM record.letter_tries
            WHERE outbox_id = p_id AND state = 'sent') THEN 'sent' ELSE 'failed' END
        WHERE id = p_id AND state <> 'sent' AND NOT EXISTS (
            SELECT 1 FROM jsonb_array_elements_text(p_all) AS e (name) WHERE NOT EXISTS (
                SELECT 1 FROM record.letter_tries t
                WHERE t.outbox_id = p_id AND t.endpoint = e.name AND t.state IN ('sent', 'given_up')));
    END IF;
    RETURN to_jsonb(coalesce(v_is_disabled, false));
END $$;

-- Tries a disabled endpoint again. What was given up is tried again too, as far as others have not ended it.
CREATE FUNCTION api.enable_endpoint(p_endpoint text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
BEGIN
    UPDATE record.endpoints SET failing_since = NULL, disabled_at = NULL, why = NULL WHERE name = p_endpoint;
    IF NOT FOUND THEN
        RETURN 'false';
    END IF;
    UPDATE record.letter_tries SET state = 'waiting', tries = 0, next_at = v_at, claimed_until = NULL
    WHERE endpoint = p_endpoint AND state IN ('waiting', 'given_up');
    RETURN 'true';
END $$;

REVOKE ALL ON record.letter_tries, record.endpoints, api.letter_tries, api.endpoints FROM PUBLIC;
REVOKE ALL ON FUNCTION api.claim_letters, api.end_letter, api.enable_endpoint FROM PUBLIC;
GRANT SELECT ON api.letter_tries, api.endpoints
    TO makegood_agent, makegood_approver, makegood_reconciler, makegood_auditor;
GRANT EXECUTE ON FUNCTION api.claim_letters, api.end_letter, api.enable_endpoint TO makegood_reconciler;
