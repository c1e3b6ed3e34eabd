-- Runs :first to :last, submitted and charged, with a job of which nothing came. Past the triggers, as a
-- superuser may: only what they make is measured, not how it came. :balance, or each customer's wallet.
SET session_replication_role = replica;
SET search_path = record;
\set n_accounts :accounts - 1
INSERT INTO providers (id, retention_hours, retention_source) VALUES ('mill', 48, 'documented') ON CONFLICT DO NOTHING;
INSERT INTO models (id, display_name, family, provider_id, media, mode)
    VALUES ('veo', 'Veo 3.1', 'veo', 'mill', 'video', 'async') ON CONFLICT DO NOTHING;
INSERT INTO users (id, email) SELECT 'usr_' || n, n || '@example.com' FROM generate_series(0, :n_accounts) n
    ON CONFLICT DO NOTHING;
INSERT INTO accounts (id, kind, owner_user_id, storage_quota_mb, storage_used_mb)
    SELECT 'acc_' || n, 'personal', 'usr_' || n, 1, 1 FROM generate_series(0, :n_accounts) n
    UNION ALL SELECT 'acc_pool_' || kind, 'workspace', 'usr_0', 1, 1 FROM unnest(ARRAY['striped', 'single']) kind
    ON CONFLICT DO NOTHING;
INSERT INTO balances (id, account_id, kind, position, stripes, opening, opening_at)
    SELECT 'bal_' || n, 'acc_' || n, 'wallet', 0, 1, 1000000000, 0 FROM generate_series(0, :n_accounts) n
    UNION ALL VALUES ('pool_striped', 'acc_pool_striped', 'workspace_pool', 0, 16, 1000000000::bigint, 0::bigint),
                     ('pool_single', 'acc_pool_single', 'workspace_pool', 0, 1, 1000000000, 0)
    ON CONFLICT DO NOTHING;
INSERT INTO balances (id, account_id, kind, position, stripes)
    SELECT system || ':' || id, id, system, 1000, CASE WHEN id = 'acc_pool_striped' AND system = 'usage' THEN 16 ELSE 1 END
    FROM accounts, unnest(ARRAY['usage', 'carried']) system ON CONFLICT DO NOTHING;
INSERT INTO balance_stripes (balance_id, stripe, level, bounded)
    SELECT b.id, s, 1000000000, b.bounded FROM balances b, generate_series(0, b.stripes - 1) s
    WHERE b.account_id IS NOT NULL ON CONFLICT DO NOTHING;
INSERT INTO projects (id, name, account_id, status)
    SELECT 'prj_' || n, 'Project', 'acc_' || n, 'active' FROM generate_series(0, :n_accounts) n ON CONFLICT DO NOTHING;
INSERT INTO nodes (id, project_id, label, status)
    SELECT 'nd_' || n, 'prj_' || n, 'Shot', 'active' FROM generate_series(0, :n_accounts) n ON CONFLICT DO NOTHING;

CREATE TEMP TABLE run AS
    SELECT n, 'run_' || n AS run, 'chg_' || n AS charge, n % :accounts AS who, 1772409600000000 + n * 1000000 AS at,
           CASE :'balance' WHEN '' THEN 'acc_' || n % :accounts ELSE 'acc_' || :'balance' END AS account,
           CASE :'balance' WHEN '' THEN 'bal_' || n % :accounts ELSE :'balance' END AS balance
    FROM generate_series(:first::bigint, :last::bigint) n;
INSERT INTO runs (id, root_id, project_id, node_id, started_by, model_id, started_at, requested_items, status, params)
    SELECT run, run, 'prj_' || who, 'nd_' || who, 'usr_' || who, 'veo', at, 1, 'awaiting_result', '{}' FROM run;
INSERT INTO jobs (id, run_id, provider_id, submitted_at, state, looked_up_at)
    SELECT 'job_' || n, run, 'mill', at, 'processing', at FROM run;
INSERT INTO charges (id, run_id, account_id, posted_at, total, idempotency_key)
    SELECT charge, run, account, at, 10, run FROM run;
INSERT INTO charge_items (charge_id, item, price) SELECT charge, 1, 10 FROM run;
INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) SELECT charge, 0, balance, account, 10 FROM run;
INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, at) SELECT charge, 1, 0, 'charged', 0, 'feed', at
    FROM run;
INSERT INTO due_runs (root_id, charged_at, next_at) SELECT run, at, at FROM run;
-- The hour's number is not what is measured.
UPDATE reconciler_limits SET restorations_per_hour = 1000000000;
DROP TABLE run;
ANALYZE;
