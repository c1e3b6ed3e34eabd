-- What the platform said, row by row, in its own words. The tables are those of SQLite's record, so
-- that a record can be copied table by table. Instants are UTC microseconds, credits are whole
-- numbers, yes and no are 1 and 0; all numbers are 64 bits wide.
--
-- Schema `record` holds the tables and is open to nobody. People read the views of schema `api` and
-- call its functions, which run with the owner's rights under a fixed search_path.

-- The database's clock, in microseconds. `p_at` is what the caller says: it is not believed. Tests in
-- virtual time replace this function by one that does.
CREATE FUNCTION record.clock(p_at bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

-- Refuses in plain words, which are shown to people.
CREATE FUNCTION record.refuse(p_why text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MG001', MESSAGE = p_why;
END $$;

-- For triggers. Their argument says what is not to be done.
CREATE FUNCTION record.only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MG001', MESSAGE = TG_ARGV[0];
END $$;

-- An agent may turn `synchronous_commit` off for the own session. What has been answered must be on
-- disk all the same, so it is put back when the transaction commits.
CREATE FUNCTION record.commit_durably() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN NULL;
END $$;

-- An instant as the port writes it: 2026-03-14T15:20:00.5Z.
CREATE FUNCTION record.instant_text(p_at bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_char(timestamp 'epoch' + (p_at / 1000000) * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN p_at % 1000000 = 0 THEN ''
                ELSE '.' || rtrim(lpad((p_at % 1000000)::text, 6, '0'), '0') END || 'Z'
$$;

-- The instant of such a text, in microseconds; what is finer is cut. A number is taken as it is. What needs no
-- cutting, as almost all do, is read without a regular expression.
CREATE FUNCTION record.instant(p_text text) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_text LIKE '%Z' AND length(p_text) <= 27 THEN (extract(epoch FROM p_text::timestamptz) * 1000000)::bigint
        WHEN p_text ~ '^-?\d+$' THEN p_text::bigint
        ELSE (extract(epoch FROM regexp_replace(p_text, '(\.\d{6})\d+', '\1')::timestamptz) * 1000000)::bigint END
$$;

CREATE TABLE record.providers (
    id               text PRIMARY KEY,
    retention_hours  bigint,
    retention_source text NOT NULL
);

CREATE TABLE record.models (
    id           text PRIMARY KEY,
    display_name text NOT NULL,
    family       text NOT NULL,
    provider_id  text NOT NULL REFERENCES record.providers (id),
    media        text NOT NULL,
    mode         text NOT NULL
);

CREATE TABLE record.model_aliases (
    model_id text   NOT NULL REFERENCES record.models (id),
    position bigint NOT NULL,
    alias    text   NOT NULL,
    PRIMARY KEY (model_id, position)
);

CREATE TABLE record.users (
    id       text PRIMARY KEY,
    email    text NOT NULL,
    timezone text,
    locale   text
);

CREATE TABLE record.accounts (
    id                  text PRIMARY KEY,
    kind                text   NOT NULL CHECK (kind IN ('personal', 'workspace')),
    owner_user_id       text   NOT NULL REFERENCES record.users (id),
    storage_quota_mb    bigint NOT NULL,
    storage_used_mb     bigint NOT NULL,
    subscription_status text,
    period_start        bigint,
    period_end          bigint,
    CHECK ((subscription_status IS NULL) = (period_start IS NULL)),
    CHECK ((subscription_status IS NULL) = (period_end IS NULL))
);
CREATE INDEX accounts_by_owner ON record.accounts (owner_user_id, kind);

CREATE TABLE record.workspaces (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    account_id text NOT NULL REFERENCES record.accounts (id)
);
CREATE INDEX workspaces_by_account ON record.workspaces (account_id);

CREATE TABLE record.workspace_members (
    workspace_id text   NOT NULL REFERENCES record.workspaces (id),
    user_id      text   NOT NULL REFERENCES record.users (id),
    position     bigint NOT NULL,
    role         text   NOT NULL,
    status       text   NOT NULL CHECK (status IN ('active', 'left')),
    left_at      bigint,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX workspace_members_by_user ON record.workspace_members (user_id);

CREATE TABLE record.projects (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    account_id   text NOT NULL REFERENCES record.accounts (id),
    workspace_id text REFERENCES record.workspaces (id),
    status       text NOT NULL,
    deleted_at   bigint
);
CREATE INDEX projects_by_account ON record.projects (account_id);

CREATE TABLE record.nodes (
    id         text PRIMARY KEY,
    project_id text NOT NULL REFERENCES record.projects (id),
    label      text NOT NULL,
    status     text NOT NULL,
    deleted_at bigint
);
CREATE INDEX nodes_by_project ON record.nodes (project_id);

-- root_id: the first run of the logical run, found over retries that the system made (P2).
CREATE TABLE record.runs (
    id              text PRIMARY KEY,
    root_id         text   NOT NULL REFERENCES record.runs (id),
    project_id      text   NOT NULL REFERENCES record.projects (id),
    node_id         text   NOT NULL REFERENCES record.nodes (id),
    started_by      text   NOT NULL REFERENCES record.users (id),
    model_id        text   NOT NULL REFERENCES record.models (id),
    started_at      bigint NOT NULL,
    requested_items bigint NOT NULL CHECK (requested_items >= 0),
    status          text   NOT NULL,
    cancelled_at    bigint,
    retry_of        text REFERENCES record.runs (id),
    retry_initiator text,
    params          text   NOT NULL CHECK (params::json IS NOT NULL)
);
CREATE INDEX runs_by_project ON record.runs (project_id);
CREATE INDEX runs_by_starter ON record.runs (started_by);
CREATE INDEX runs_by_root ON record.runs (root_id);
CREATE INDEX runs_by_retry ON record.runs (retry_of) WHERE retry_of IS NOT NULL;

-- The newest word about a job. looked_up_at: when its provider was asked; null where only a feed has told
-- of it. A feed's word never stands in for a look-up.
CREATE TABLE record.jobs (
    id                    text PRIMARY KEY,
    run_id                text   NOT NULL REFERENCES record.runs (id),
    provider_id           text   NOT NULL REFERENCES record.providers (id),
    submitted_at          bigint NOT NULL,
    state                 text   NOT NULL,
    processing_started_at bigint,
    finished_at           bigint,
    error                 text,
    looked_up_at          bigint,
    locator               text
);
CREATE INDEX jobs_by_run ON record.jobs (run_id);

CREATE TABLE record.job_items (
    job_id               text   NOT NULL REFERENCES record.jobs (id),
    item                 bigint NOT NULL,
    state                text   NOT NULL,
    finished_at          bigint,
    file_bytes           bigint,
    file_sha256_prefix   text,
    file_available_until bigint,
    file_exists_now      bigint CHECK (file_exists_now IN (0, 1)),
    PRIMARY KEY (job_id, item),
    CHECK ((file_bytes IS NULL) = (file_sha256_prefix IS NULL))
);

-- Look-up answers as they came. Kept apart from the job: an answer is never edited.
CREATE TABLE record.look_ups (
    id         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    job_id     text   NOT NULL REFERENCES record.jobs (id),
    url        text   NOT NULL,
    status     bigint NOT NULL,
    body       text   NOT NULL,
    fetched_at bigint NOT NULL
);
CREATE INDEX look_ups_by_job ON record.look_ups (job_id, fetched_at);

CREATE TABLE record.webhooks (
    id                text PRIMARY KEY,
    job_id            text   NOT NULL,
    run_id            text   NOT NULL REFERENCES record.runs (id),
    received_at       bigint NOT NULL,
    attempts          bigint NOT NULL,
    result            text   NOT NULL,
    routed_project_id text,
    routed_node_id    text,
    CHECK ((routed_project_id IS NULL) = (routed_node_id IS NULL))
);
CREATE INDEX webhooks_by_run ON record.webhooks (run_id);

CREATE TABLE record.uploads (
    run_id       text   NOT NULL REFERENCES record.runs (id),
    item         bigint NOT NULL,
    attempted_at bigint NOT NULL,
    result       text   NOT NULL,
    PRIMARY KEY (run_id, item, attempted_at)
);

-- Files in the vault, by content.
CREATE TABLE record.files (
    sha256     text PRIMARY KEY CHECK (length(sha256) = 64),
    bytes      bigint NOT NULL CHECK (bytes > 0),
    media_type text   NOT NULL
);

-- origin: who put it there. vault: the sha256 of our own copy.
CREATE TABLE record.outputs (
    id                text PRIMARY KEY,
    run_id            text   NOT NULL REFERENCES record.runs (id),
    item              bigint NOT NULL,
    project_id        text   NOT NULL REFERENCES record.projects (id),
    node_id           text REFERENCES record.nodes (id),
    stored_at         bigint NOT NULL,
    bytes             bigint NOT NULL,
    state             text   NOT NULL CHECK (state IN ('stored', 'corrupt', 'held')),
    in_history        bigint NOT NULL CHECK (in_history IN (0, 1)),
    on_canvas         bigint NOT NULL CHECK (on_canvas IN (0, 1)),
    sha256            text,
    vault             text REFERENCES record.files (sha256),
    origin            text   NOT NULL CHECK (origin IN ('feed', 'makegood')),
    hold_until        bigint,
    quarantined_at    bigint,
    quarantine_reason text,
    CHECK ((quarantined_at IS NULL) = (quarantine_reason IS NULL)),
    CHECK (origin = 'feed' OR vault IS NOT NULL)
);
CREATE INDEX outputs_by_run ON record.outputs (run_id, item);
CREATE INDEX outputs_by_project ON record.outputs (project_id);

-- Where an output has been. The newest line is where it is.
CREATE TABLE record.placements (
    output_id  text   NOT NULL REFERENCES record.outputs (id),
    seq        bigint NOT NULL,
    project_id text   NOT NULL,
    node_id    text,
    hold_until bigint,
    at         bigint NOT NULL,
    by         text   NOT NULL,
    PRIMARY KEY (output_id, seq)
);

-- Tickets of elsewhere, and the runs that they are known to be about (P12).
CREATE TABLE record.ticket_links (
    id                text PRIMARY KEY,
    created_at        bigint NOT NULL,
    status            text   NOT NULL,
    outcome           text,
    requester_user_id text
);

CREATE TABLE record.ticket_runs (
    ticket_id text   NOT NULL REFERENCES record.ticket_links (id),
    position  bigint NOT NULL,
    run_id    text   NOT NULL,
    PRIMARY KEY (ticket_id, position)
);
CREATE INDEX ticket_runs_by_run ON record.ticket_runs (run_id);

-- The newest thing that the feed said about a row: the same again changes nothing, also where the
-- row has been changed here since, and so does what was said before it and comes after it.
CREATE TABLE record.fact_digests (
    kind        text   NOT NULL,
    id          text   NOT NULL,
    digest      bytea    NOT NULL CHECK (octet_length(digest) = 32),
    imported_at bigint NOT NULL,
    -- As of when it was said: the time of its event, else when it came.
    told_at     bigint NOT NULL,
    PRIMARY KEY (kind, id)
);

-- Facts that are true one by one and cannot be true together.
CREATE TABLE record.discrepancies (
    kind      text   NOT NULL,
    subject   text   NOT NULL,
    detail    text   NOT NULL,
    opened_at bigint NOT NULL,
    closed_at bigint,
    PRIMARY KEY (kind, subject)
);

CREATE TRIGGER look_ups_kept BEFORE UPDATE OR TRUNCATE ON record.look_ups
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('look_ups are never edited');
CREATE TRIGGER placements_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.placements
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('placements are never edited');

CREATE VIEW api.providers AS SELECT * FROM record.providers;
CREATE VIEW api.models AS SELECT * FROM record.models;
CREATE VIEW api.model_aliases AS SELECT * FROM record.model_aliases;
CREATE VIEW api.users AS SELECT * FROM record.users;
CREATE VIEW api.accounts AS SELECT * FROM record.accounts;
CREATE VIEW api.workspaces AS SELECT * FROM record.workspaces;
CREATE VIEW api.workspace_members AS SELECT * FROM record.workspace_members;
CREATE VIEW api.projects AS SELECT * FROM record.projects;
CREATE VIEW api.nodes AS SELECT * FROM record.nodes;
CREATE VIEW api.runs AS SELECT * FROM record.runs;
CREATE VIEW api.jobs AS SELECT * FROM record.jobs;
CREATE VIEW api.job_items AS SELECT * FROM record.job_items;
CREATE VIEW api.look_ups AS SELECT * FROM record.look_ups;
CREATE VIEW api.webhooks AS SELECT * FROM record.webhooks;
CREATE VIEW api.uploads AS SELECT * FROM record.uploads;
CREATE VIEW api.files AS SELECT * FROM record.files;
CREATE VIEW api.outputs AS SELECT * FROM record.outputs;
CREATE VIEW api.placements AS SELECT * FROM record.placements;
CREATE VIEW api.ticket_links AS SELECT * FROM record.ticket_links;
CREATE VIEW api.ticket_runs AS SELECT * FROM record.ticket_runs;
CREATE VIEW api.fact_digests AS SELECT * FROM record.fact_digests;
CREATE VIEW api.discrepancies AS SELECT * FROM record.discrepancies;
