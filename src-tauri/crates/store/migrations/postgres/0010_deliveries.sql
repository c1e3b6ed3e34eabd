-- What providers sent, as it came. A delivery settles nothing: it leads to the run of its job, which is
-- looked at then. run_id is of our own jobs, never of the body; null while no such job is known. body is null
-- once the bytes are not kept any more.
CREATE TABLE record.deliveries (
    provider_id text   NOT NULL,
    delivery_id text   NOT NULL,
    endpoint    text,
    job_id      text,
    run_id      text   REFERENCES record.runs (id),
    event       text,
    proven      bigint NOT NULL CHECK (proven IN (0, 1)),
    headers     jsonb  NOT NULL,
    body        bytea,
    bytes       bigint NOT NULL CHECK (bytes >= 0),
    received_at bigint NOT NULL,
    PRIMARY KEY (provider_id, delivery_id),
    CHECK (run_id IS NULL OR job_id IS NOT NULL)
);
CREATE INDEX deliveries_by_time ON record.deliveries (received_at);
CREATE INDEX deliveries_waiting ON record.deliveries (job_id, provider_id)
    WHERE run_id IS NULL AND job_id IS NOT NULL;

-- Up to when what is old was gone through: what was neither evidence nor young enough is not kept any more.
CREATE TABLE record.pruned (
    what  text   PRIMARY KEY CHECK (what IN ('bodies', 'deliveries', 'events')),
    until bigint NOT NULL
);
INSERT INTO record.pruned (what, until) VALUES ('bodies', 0), ('deliveries', 0), ('events', 0);

-- Led to its run, once; and without its bytes, or gone, in its time.
CREATE FUNCTION record.delivery_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.received_at > (SELECT until FROM record.pruned WHERE what = 'deliveries') THEN
            RAISE EXCEPTION USING ERRCODE = 'MG001', MESSAGE = 'what was received is never deleted before its time';
        END IF;
        RETURN OLD;
    ELSIF (NEW.provider_id, NEW.delivery_id, NEW.endpoint, NEW.job_id, NEW.event, NEW.proven, NEW.headers, NEW.bytes,
            NEW.received_at)
        IS DISTINCT FROM (OLD.provider_id, OLD.delivery_id, OLD.endpoint, OLD.job_id, OLD.event, OLD.proven,
            OLD.headers, OLD.bytes, OLD.received_at)
        OR (OLD.run_id IS NOT NULL AND NEW.run_id IS DISTINCT FROM OLD.run_id)
        OR (NEW.body IS DISTINCT FROM OLD.body AND (NEW.body IS NOT NULL
            OR OLD.received_at > (SELECT until FROM record.pruned WHERE what = 'bodies'))) THEN
        RAISE EXCEPTION USING ERRCODE = 'MG001', MESSAGE = 'what was received is never edited';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deliveries_kept BEFORE UPDATE OR DELETE ON record.deliveries
    FOR EACH ROW EXECUTE FUNCTION record.delivery_is_kept();
CREATE TRIGGER deliveries_stay BEFORE TRUNCATE ON record.deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was received is never deleted');
-- The sender is told 2xx after the commit: then it is on disk.
CREATE CONSTRAINT TRIGGER deliveries_durable AFTER INSERT ON record.deliveries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record.commit_durably();

CREATE VIEW api.deliveries AS
    SELECT provider_id, delivery_id, endpoint, job_id, run_id, event, proven, headers::text AS headers, body,
        bytes, received_at
    FROM record.deliveries;
CREATE VIEW api.pruned AS SELECT * FROM record.pruned;

-- Leads deliveries that wait for this job to its run; those that are proven become webhook facts.
CREATE FUNCTION record.lead_deliveries(p_job text, p_provider text, p_run text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH led AS (
        UPDATE record.deliveries SET run_id = p_run
        WHERE job_id = p_job AND provider_id = p_provider AND run_id IS NULL
        RETURNING provider_id, delivery_id, job_id, proven, received_at
    )
    INSERT INTO record.webhooks (id, job_id, run_id, received_at, attempts, result)
    SELECT 'delivery/' || provider_id || '/' || delivery_id, job_id, p_run, received_at, 1, 'accepted'
    FROM led WHERE proven = 1 ON CONFLICT (id) DO NOTHING;
END $$;

-- A job that becomes known after its deliveries. The import makes the run due.
CREATE FUNCTION record.job_meets_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM record.deliveries
               WHERE job_id = NEW.id AND provider_id = NEW.provider_id AND run_id IS NULL) THEN
        PERFORM record.lead_deliveries(NEW.id, NEW.provider_id, NEW.run_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_meet_deliveries AFTER INSERT ON record.jobs
    FOR EACH ROW EXECUTE FUNCTION record.job_meets_deliveries();

-- Makes runs due at once, as far as they are on the list. What is proven is news, also for who is looking
-- and for what waits for people; a hint only brings the next look forward.
CREATE FUNCTION record.wake_roots(p_proven text[], p_hinted text[], p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM record.due_runs WHERE root_id = ANY (p_proven || p_hinted) ORDER BY root_id FOR UPDATE;
    UPDATE record.due_runs SET why = NULL, next_at = least(next_at, p_at),
        touched = touched + (claimed_until IS NOT NULL)::int
    WHERE root_id = ANY (p_proven);
    UPDATE record.due_runs SET next_at = p_at WHERE root_id = ANY (p_hinted) AND next_at > p_at;
END $$;

-- Keeps deliveries: [{"provider_id", "delivery_id", "endpoint", "job_id", "event", "proven": 0 or 1, "headers",
-- "received_at": microseconds, "start": first byte of its body in p_bodies from 1, "bytes"}]. Returns a list of
-- booleans: which of them were not known before. In the order of their keys, so that two calls with the same
-- deliveries wait for each other and not both for the other.
CREATE FUNCTION api.keep_deliveries(p_said jsonb, p_bodies bytea, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    v_new text[];
    v_proven text[];
    v_hinted text[];
BEGIN
    IF jsonb_typeof(p_said) IS DISTINCT FROM 'array' THEN
        PERFORM record.refuse('deliveries come as a list');
    END IF;
    WITH said AS (
        SELECT s.*, j.run_id FROM jsonb_to_recordset(p_said) AS s (provider_id text, delivery_id text, endpoint text,
            job_id text, event text, proven bigint, headers jsonb, received_at bigint, start int, bytes int)
        LEFT JOIN record.jobs j ON j.id = s.job_id AND j.provider_id = s.provider_id
    ), kept AS (
        INSERT INTO record.deliveries (provider_id, delivery_id, endpoint, job_id, run_id, event, proven, headers, body,
            bytes, received_at)
        SELECT provider_id, delivery_id, endpoint, job_id, run_id, event, proven, headers,
            substring(p_bodies FROM start FOR bytes), length(substring(p_bodies FROM start FOR bytes)),
            least(received_at, v_at)
        FROM said ORDER BY provider_id COLLATE "C", delivery_id COLLATE "C", start
        ON CONFLICT (provider_id, delivery_id) DO NOTHING
        RETURNING provider_id, delivery_id, job_id, run_id, proven, received_at
    ), facts AS (
        INSERT INTO record.webhooks (id, job_id, run_id, received_at, attempts, result)
        SELECT 'delivery/' || provider_id || '/' || delivery_id, job_id, run_id, received_at, 1, 'accepted'
        FROM kept WHERE proven = 1 AND run_id IS NOT NULL ON CONFLICT (id) DO NOTHING
    )
    SELECT array_agg(k.provider_id || chr(10) || k.delivery_id),
        array_agg(r.root_id) FILTER (WHERE k.proven = 1 AND r.root_id IS NOT NULL),
        array_agg(r.root_id) FILTER (WHERE k.proven = 0 AND r.root_id IS NOT NULL)
    INTO v_new, v_proven, v_hinted
    FROM kept k LEFT JOIN record.runs r ON r.id = k.run_id;
    IF v_proven IS NOT NULL OR v_hinted IS NOT NULL THEN
        PERFORM record.wake_roots(coalesce(v_proven, '{}'), coalesce(v_hinted, '{}'), v_at);
    END IF;
    -- Of the same delivery twice in one call, the first one is new.
    RETURN (SELECT coalesce(jsonb_agg(s.key = ANY (coalesce(v_new, '{}')) AND s.time = 1 ORDER BY s.place), '[]')
            FROM (SELECT place, said ->> 'provider_id' || chr(10) || (said ->> 'delivery_id') AS key,
                      row_number() OVER (PARTITION BY said ->> 'provider_id', said ->> 'delivery_id' ORDER BY place) AS time
                  FROM jsonb_array_elements(p_said) WITH ORDINALITY AS e (said, place)) AS s);
END $$;

-- Leads deliveries since p_since to jobs that were written at the same moment, which neither saw. Returns
-- how many.
CREATE FUNCTION api.match_deliveries(p_since bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_job record;
    v_count bigint := 0;
BEGIN
    FOR v_job IN
        SELECT j.id, j.provider_id, j.run_id, r.root_id, bool_or(d.proven = 1) AS proven, count(*) AS deliveries
        FROM (SELECT job_id, provider_id, proven FROM record.deliveries
              WHERE run_id IS NULL AND job_id IS NOT NULL AND received_at >= p_since
              ORDER BY received_at DESC LIMIT 10000) AS d
        JOIN record.jobs j ON j.id = d.job_id AND j.provider_id = d.provider_id
        JOIN record.runs r ON r.id = j.run_id
        GROUP BY j.id, j.provider_id, j.run_id, r.root_id ORDER BY r.root_id
    LOOP
        PERFORM record.lead_deliveries(v_job.id, v_job.provider_id, v_job.run_id);
        PERFORM record.wake_roots(CASE WHEN v_job.proven THEN ARRAY[v_job.root_id] ELSE '{}'::text[] END,
            CASE WHEN v_job.proven THEN '{}'::text[] ELSE ARRAY[v_job.root_id] END, record.clock(p_at));
        v_count := v_count + v_job.deliveries;
    END LOOP;
    RETURN to_jsonb(v_count);
END $$;

-- Whether a case is concerned with the run, or with the one that it goes on.
CREATE FUNCTION record.is_evidence(p_run text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT p_run IS NOT NULL AND EXISTS (SELECT 1 FROM record.case_runs c
        WHERE c.run_id = p_run OR c.run_id = (SELECT root_id FROM record.runs WHERE id = p_run))
$$;

-- How far to go through what is older than p_to now: past the p_limit-th that comes next, else to p_to.
CREATE FUNCTION record.prune_until(p_what text, p_next bigint, p_to bigint, OUT was bigint, OUT until bigint)
LANGUAGE plpgsql AS $$
BEGIN
    -- Two at a time go through it one after the other.
    SELECT p.until INTO was FROM record.pruned p WHERE p.what = p_what FOR UPDATE;
    until := greatest(was, coalesce(p_next, p_to));
    UPDATE record.pruned p SET until = prune_until.until WHERE p.what = p_what AND p.until < prune_until.until;
END $$;

-- Lets go of what is older than it is kept: bytes before p_bodies, deliveries and names of events before p_names,
-- each but for how much younger the database's clock makes them. Of each the p_limit oldest and what came in the
-- same instant. Returns {"bodies", "deliveries", "events", "more"}.
CREATE FUNCTION api.prune(p_limit bigint, p_bodies bigint, p_names bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_at bigint := record.clock(p_at);
    -- Never sooner than a month and a quarter, whoever asks.
    v_bodies bigint := v_at - greatest(p_bodies, 30 * 86400000000);
    v_names bigint := v_at - greatest(p_names, 90 * 86400000000);
    v_part record;
    v_count bigint;
    v_told jsonb := '{}';
    v_more boolean := false;
BEGIN
    SELECT * INTO v_part FROM record.prune_until('bodies', (
        SELECT received_at FROM record.deliveries
        WHERE received_at > (SELECT until FROM record.pruned WHERE what = 'bodies') AND received_at <= v_bodies
        ORDER BY received_at OFFSET greatest(p_limit, 1) - 1 LIMIT 1), v_bodies);
    UPDATE record.deliveries SET body = NULL
    WHERE received_at > v_part.was AND received_at <= v_part.until AND body IS NOT NULL AND NOT record.is_evidence(run_id);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_told := v_told || jsonb_build_object('bodies', v_count);
    v_more := v_more OR v_part.until < v_bodies;
    SELECT * INTO v_part FROM record.prune_until('deliveries', (
        SELECT received_at FROM record.deliveries
        WHERE received_at > (SELECT until FROM record.pruned WHERE what = 'deliveries') AND received_at <= v_names
        ORDER BY received_at OFFSET greatest(p_limit, 1) - 1 LIMIT 1), v_names);
    DELETE FROM record.deliveries
    WHERE received_at > v_part.was AND received_at <= v_part.until AND NOT record.is_evidence(run_id);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_told := v_told || jsonb_build_object('deliveries', v_count);
    v_more := v_more OR v_part.until < v_names;
    SELECT * INTO v_part FROM record.prune_until('events', (
        SELECT at FROM record.events_taken
        WHERE at > (SELECT until FROM record.pruned WHERE what = 'events') AND at <= v_names
        ORDER BY at OFFSET greatest(p_limit, 1) - 1 LIMIT 1), v_names);
    DELETE FROM record.events_taken WHERE at > v_part.was AND at <= v_part.until;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_told := v_told || jsonb_build_object('events', v_count);
    IF EXISTS (SELECT 1 FROM jsonb_each_text(v_told) AS t WHERE t.value <> '0') THEN
        PERFORM record.add_audit('reconciler', 'prune', 'deliveries', v_told, v_at);
    END IF;
    RETURN v_told || jsonb_build_object('more', v_more OR v_part.until < v_names);
END $$;

REVOKE ALL ON record.deliveries, record.pruned, api.deliveries, api.pruned FROM PUBLIC;
REVOKE ALL ON FUNCTION record.delivery_is_kept, record.lead_deliveries, record.job_meets_deliveries, record.wake_roots,
    record.is_evidence, record.prune_until, api.keep_deliveries, api.match_deliveries, api.prune FROM PUBLIC;
GRANT SELECT ON api.deliveries, api.pruned TO makegood_agent, makegood_approver, makegood_reconciler, makegood_auditor;
GRANT EXECUTE ON FUNCTION api.keep_deliveries, api.match_deliveries TO makegood_feeder;
GRANT EXECUTE ON FUNCTION api.prune TO makegood_reconciler;
