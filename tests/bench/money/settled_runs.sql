-- Runs :first to :last, charged and delivered into the project of who paid. Past the triggers, as a superuser
-- may, and without what neither a pass nor a full scan reads.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET search_path = record;
CREATE TEMP TABLE settled AS
    SELECT 'old_' || lpad(n::text, 9, '0') AS id, 'chg_old_' || lpad(n::text, 9, '0') AS chg,
           'out_old_' || lpad(n::text, 9, '0') AS out, 'prj_' || n % :accounts AS prj,
           'nd_' || n % :accounts || CASE WHEN n < :filled THEN '' ELSE '_' || n / :filled END AS nd,
           'usr_' || n % :accounts AS usr, 'acc_' || n % :accounts AS acc, 'bal_' || n % :accounts AS bal,
           1772409600000000 + n * 1000000 AS at
    FROM generate_series(:first::bigint, :last::bigint) n;
INSERT INTO nodes (id, project_id, label, status)
    SELECT DISTINCT nd, prj, nd, 'active' FROM settled ON CONFLICT DO NOTHING;
INSERT INTO runs (id, root_id, project_id, node_id, started_by, model_id, started_at, requested_items, status, params)
    SELECT id, id, prj, nd, usr, 'veo', at, 1, 'succeeded', '{}' FROM settled;
INSERT INTO charges (id, run_id, account_id, posted_at, total, idempotency_key) SELECT chg, id, acc, at, 10, id FROM settled;
INSERT INTO charge_items (charge_id, item, price, state, seq) SELECT chg, 1, 10, 'delivered', 1 FROM settled;
INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) SELECT chg, 0, bal, acc, 10 FROM settled;
INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
    SELECT chg, 1, 1, 'delivered', 0, 'feed', out, at FROM settled;
INSERT INTO item_settlements (charge_id, item, outcome, document) SELECT chg, 1, 'delivered', out FROM settled;
INSERT INTO outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas, origin)
    SELECT out, id, 1, prj, nd, at, 9, 'stored', 1, 1, 'feed' FROM settled;
DROP TABLE settled;
