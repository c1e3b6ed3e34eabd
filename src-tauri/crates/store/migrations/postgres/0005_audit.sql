-- The audit. A chain from line to line would let only one writer work at a time, so lines are written
-- side by side, each with a digest over all it says, and are chained afterwards by seals: a seal
-- holds the hash of the seal before it and of the digests of its lines.
--
-- Lines have the order (era, txid, seq): numbers of a sequence are given before the commit, so a line
-- may appear behind a younger one, but none appears below the oldest transaction under way. A dump
-- that is restored elsewhere starts with lower transaction numbers; record.begin_audit_era sorts what
-- comes after it.
CREATE SEQUENCE record.audit_numbers;
CREATE TABLE record.audit (
    seq     bigint PRIMARY KEY,
    era     bigint NOT NULL DEFAULT 1,
    txid    bigint NOT NULL,
    at      bigint NOT NULL,
    actor   text   NOT NULL,
    act     text   NOT NULL,
    subject text   NOT NULL,
    detail  text   NOT NULL,
    digest  bytea  NOT NULL
);
CREATE UNIQUE INDEX audit_in_order ON record.audit (era, txid, seq);
CREATE INDEX audit_by_subject ON record.audit (subject, seq);
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.audit
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('audit lines are never edited');
-- Everything that changes the record writes a line, so this makes all of it durable.
CREATE CONSTRAINT TRIGGER audit_durable AFTER INSERT ON record.audit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record.commit_durably();

-- era, txid, seq: the last line that the seal holds; it holds all from the seal before it on.
CREATE TABLE record.audit_seals (
    no        bigint PRIMARY KEY CHECK (no >= 1),
    era       bigint NOT NULL,
    txid      bigint NOT NULL,
    seq       bigint NOT NULL UNIQUE,
    lines     bigint NOT NULL CHECK (lines >= 1),
    at        bigint NOT NULL,
    prev_hash bytea  NOT NULL,
    hash      bytea  NOT NULL CHECK (length(hash) = 32)
);
CREATE UNIQUE INDEX audit_seals_in_order ON record.audit_seals (era, txid, seq);
CREATE TRIGGER audit_seals_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('seals are never edited');

-- The digest of a line: SHA-256 over the numbers and every field with its length, so that no two lines read
-- alike.
CREATE FUNCTION record.audit_digest(p_seq bigint, p_txid bigint, p_at bigint, p_actor text, p_act text, p_subject text,
    p_detail text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN sha256(int8send(p_seq) || int8send(p_txid) || int8send(p_at)
        || int8send(octet_length(p_actor)) || convert_to(p_actor, 'UTF8')
        || int8send(octet_length(p_act)) || convert_to(p_act, 'UTF8')
        || int8send(octet_length(p_subject)) || convert_to(p_subject, 'UTF8')
        || int8send(octet_length(p_detail)) || convert_to(p_detail, 'UTF8'));
END $$;

-- Adds a line within the transaction of what it tells of. Returns its number.
CREATE FUNCTION record.add_audit(p_actor text, p_act text, p_subject text, p_detail jsonb, p_at bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint := nextval('record.audit_numbers');
    v_txid bigint := pg_current_xact_id()::text::bigint;
    v_detail text := p_detail::text;
BEGIN
    INSERT INTO record.audit (seq, txid, at, actor, act, subject, detail, digest)
    VALUES (v_seq, v_txid, p_at, p_actor, p_act, p_subject, v_detail,
            record.audit_digest(v_seq, v_txid, p_at, p_actor, p_act, p_subject, v_detail));
    RETURN v_seq;
END $$;

-- After a dump was restored, before anybody works: lines from now on come after all that are there.
CREATE FUNCTION record.begin_audit_era() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_era bigint;
BEGIN
    SELECT coalesce(max(era), 0) + 1 INTO v_era FROM record.audit;
    EXECUTE format('ALTER TABLE record.audit ALTER COLUMN era SET DEFAULT %s', v_era);
    RETURN v_era;
END $$;

-- The hash of a seal: over the seal before it, what it says itself, and its lines in order.
CREATE FUNCTION record.seal_hash(p_seal record.audit_seals, p_digests bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(p_seal.prev_hash || int8send(p_seal.no) || int8send(p_seal.era) || int8send(p_seal.txid)
        || int8send(p_seal.seq) || int8send(p_seal.lines) || int8send(p_seal.at) || p_digests)
$$;

-- Seals up to `p_limit` of the lines that no transaction under way can still slip in front of;
-- returns how many. Of two sealers at a time the second one's seal is not taken.
CREATE FUNCTION api.seal_audit(p_limit bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_over bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_last record.audit_seals;
    v_new record.audit_seals;
    v_end bigint[];
    v_digests bytea;
BEGIN
    IF p_limit < 0 THEN
        PERFORM record.refuse(format('%s lines cannot be sealed: none is the least', p_limit));
    END IF;
    SELECT * INTO v_last FROM record.audit_seals ORDER BY no DESC LIMIT 1;
    SELECT count(*), max(ARRAY[era, txid, seq]), string_agg(digest, '' ORDER BY era, txid, seq)
    INTO v_new.lines, v_end, v_digests
    FROM (SELECT era, txid, seq, digest FROM record.audit
          WHERE (era, txid, seq) > (coalesce(v_last.era, 0), coalesce(v_last.txid, 0), coalesce(v_last.seq, 0))
            AND (txid < v_over OR era < (SELECT max(era) FROM record.audit))
          ORDER BY era, txid, seq LIMIT p_limit) AS page;
    IF v_new.lines = 0 THEN
        RETURN to_jsonb(0);
    END IF;
    v_new.no := coalesce(v_last.no, 0) + 1;
    v_new.era := v_end[1];
    v_new.txid := v_end[2];
    v_new.seq := v_end[3];
    v_new.at := record.clock(p_at);
    v_new.prev_hash := coalesce(v_last.hash, '');
    v_new.hash := record.seal_hash(v_new, v_digests);
    INSERT INTO record.audit_seals VALUES (v_new.*) ON CONFLICT (no) DO NOTHING;
    RETURN to_jsonb(CASE WHEN FOUND THEN v_new.lines ELSE 0 END);
END $$;

-- hash: of the seal that holds the line, empty while none does.
CREATE VIEW api.audit AS
    SELECT a.seq, a.at, a.actor, a.act, a.subject, a.detail,
        coalesce((SELECT encode(s.hash, 'hex') FROM record.audit_seals s
                  WHERE (s.era, s.txid, s.seq) >= (a.era, a.txid, a.seq)
                  ORDER BY s.era, s.txid, s.seq LIMIT 1), '') AS hash
    FROM record.audit a;
-- For proving them.
CREATE VIEW api.audit_lines AS
    SELECT seq, era, txid, at, actor, act, subject, detail, encode(digest, 'hex') AS digest FROM record.audit;
CREATE VIEW api.audit_seals AS
    SELECT no, era, txid, seq, lines, at, encode(prev_hash, 'hex') AS prev_hash, encode(hash, 'hex') AS hash
    FROM record.audit_seals;

-- What the record's clock says, for telling how long a line has waited for its seal.
CREATE FUNCTION api.clock(p_at bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
BEGIN
    RETURN record.clock(p_at);
END $$;

-- Writes down what a person did about a provider's connection, and what came of it. Of the acts these alone, so
-- that nobody can write lines about credits.
CREATE FUNCTION api.note_connection(p_agent text, p_act text, p_provider text, p_outcome text, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
BEGIN
    IF p_act <> ALL ('{provider_added,provider_removed,key_set,key_removed,key_tested}') OR p_provider IS NULL
        OR length(p_provider) > 200 OR p_outcome IS NULL OR length(p_outcome) > 200 THEN
        PERFORM record.refuse('this is nothing that is done about a connection');
    END IF;
    PERFORM record.add_audit(record.person(p_agent), p_act, p_provider, to_jsonb(p_outcome), record.clock(p_at));
    RETURN NULL;
END $$;
