-- Credits, double entry. A posting takes an amount from one balance and gives it to another, so
-- the sum of all levels is 0 by construction. Postings are made by the functions of the documents that
-- justify them (openings, charge sources, refund lines, strays) and by nothing else.

-- A check is read anew by each statement that writes its table, and a list of words in one costs more
-- than the row itself. So the tables that a restoration writes leave such lists to functions, which a
-- connection reads once.

CREATE FUNCTION record.is_item_state(p_state text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN p_state IN ('charged', 'delivering', 'released', 'delivered', 'damaged', 'refunded', 'reversed');
END $$;

-- A change of an item has an action exactly where it was made here, and a lease exactly in one state.
CREATE FUNCTION record.is_transition(p_state text, p_lease_until bigint, p_origin text, p_action text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN record.is_item_state(p_state)
        AND (p_state = 'delivering') = (p_lease_until IS NOT NULL)
        AND (p_origin = 'makegood' AND p_action IS NOT NULL
            OR p_origin = 'feed' AND p_action IS NULL AND p_state <> 'delivering');
END $$;

CREATE FUNCTION record.is_refund(p_origin text, p_state text, p_kind text, p_settles bigint, p_action text)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN p_state IN ('posted', 'reversed') AND p_kind IN ('auto', 'manual')
        AND (p_origin = 'makegood' AND p_action IS NOT NULL AND p_settles = 1
            OR p_origin = 'feed' AND p_action IS NULL AND p_settles IN (0, 1));
END $$;

-- The kind of a posting says which of the four names its document.
CREATE FUNCTION record.is_posting(p_kind text, p_document text, p_opening text, p_charge text, p_refund text,
    p_stray text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN num_nonnulls(p_opening, p_charge, p_refund, p_stray) = 1 AND coalesce(p_document = CASE
        WHEN p_kind IN ('refund', 'reversal') THEN p_refund
        WHEN p_kind = 'charge' THEN p_charge
        WHEN p_kind = 'opening' THEN p_opening
        WHEN p_kind IN ('stray', 'stray_reversal') THEN p_stray END, false);
END $$;

-- System balances: `issuance` (one: where openings come from), and per account `usage:ID` (what was
-- consumed), `carried:ID` (movements from before the level was counted, opening_at). `stray` (one)
-- stands behind credits that the platform moved and that settle nothing. bounded: never below 0.
CREATE TABLE record.balances (
    id         text PRIMARY KEY,
    account_id text REFERENCES record.accounts (id),
    kind       text   NOT NULL,
    position   bigint NOT NULL,
    stripes    bigint NOT NULL CHECK (stripes IN (1, 16)),
    opening    bigint,
    opening_at bigint,
    bounded    bigint NOT NULL GENERATED ALWAYS AS (
                   CASE WHEN kind IN ('usage', 'carried', 'issuance', 'stray') THEN 0 ELSE 1 END) STORED,
    CHECK (kind IN ('subscription_quota', 'workspace_pool', 'wallet', 'workspace_wallet',
                    'usage', 'carried', 'issuance', 'stray')),
    CHECK ((kind IN ('issuance', 'stray')) = (account_id IS NULL)),
    CHECK ((kind IN ('usage', 'carried', 'issuance', 'stray')) = (opening_at IS NULL)),
    UNIQUE (id, account_id),
    UNIQUE (id, bounded)
);
CREATE INDEX balances_by_account ON record.balances (account_id, position);

-- A level is the sum of its stripes. Everybody of a workspace draws from one pool: as one row it would
-- let one writer through at a time. A credit goes to any stripe; a debit that one stripe can't bear
-- takes from several, so no stripe is ever below 0 and neither is their sum. Half of a page is left
-- free, so that a level moves within its page and no index is touched.
CREATE TABLE record.balance_stripes (
    balance_id text   NOT NULL,
    stripe     bigint NOT NULL CHECK (stripe BETWEEN 0 AND 15),
    level      bigint NOT NULL DEFAULT 0,
    bounded    bigint NOT NULL,
    PRIMARY KEY (balance_id, stripe),
    FOREIGN KEY (balance_id, bounded) REFERENCES record.balances (id, bounded),
    CONSTRAINT level_below_zero CHECK (bounded = 0 OR level >= 0)
) WITH (fillfactor = 50);

INSERT INTO record.balances (id, kind, position, stripes) VALUES ('issuance', 'issuance', 0, 1), ('stray', 'stray', 1, 1);
INSERT INTO record.balance_stripes (balance_id, stripe, bounded) VALUES ('issuance', 0, 0), ('stray', 0, 0);

-- What a balance is counted from. A later line corrects the count by `delta`.
CREATE TABLE record.openings (
    balance_id text   NOT NULL REFERENCES record.balances (id),
    line       bigint NOT NULL,
    opening    bigint NOT NULL CHECK (opening >= 0),
    opening_at bigint NOT NULL,
    delta      bigint NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (balance_id, line)
);

CREATE TABLE record.charges (
    id              text PRIMARY KEY,
    run_id          text   NOT NULL REFERENCES record.runs (id),
    account_id      text   NOT NULL REFERENCES record.accounts (id),
    posted_at       bigint NOT NULL,
    total           bigint NOT NULL CHECK (total >= 0),
    idempotency_key text   NOT NULL,
    UNIQUE (id, account_id)
);
CREATE INDEX charges_by_run ON record.charges (run_id);
CREATE INDEX charges_by_account ON record.charges (account_id, posted_at);

-- The unit of remedy. `state` and what goes with it follow item_transitions; `refunded` follows
-- refund_items; `ledger_breaks` compares them.
CREATE TABLE record.charge_items (
    charge_id   text   NOT NULL REFERENCES record.charges (id),
    item        bigint NOT NULL CHECK (item >= 1),
    price       bigint NOT NULL CHECK (price >= 0),
    refunded    bigint NOT NULL DEFAULT 0,
    state       text   NOT NULL DEFAULT 'charged' CHECK (record.is_item_state(state)),
    seq         bigint NOT NULL DEFAULT 0,
    epoch       bigint NOT NULL DEFAULT 0,
    lease_until bigint,
    lease_key   text,
    PRIMARY KEY (charge_id, item),
    CONSTRAINT refunded_above_price CHECK (refunded BETWEEN 0 AND price),
    CHECK ((state = 'delivering') = (lease_until IS NOT NULL))
) WITH (fillfactor = 70);

CREATE TABLE record.charge_sources (
    charge_id  text   NOT NULL,
    line       bigint NOT NULL,
    balance_id text   NOT NULL,
    account_id text   NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    restored   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (charge_id, line),
    UNIQUE (charge_id, balance_id),
    FOREIGN KEY (charge_id, account_id) REFERENCES record.charges (id, account_id),
    FOREIGN KEY (balance_id, account_id) REFERENCES record.balances (id, account_id),
    CONSTRAINT restored_above_given CHECK (restored BETWEEN 0 AND amount)
) WITH (fillfactor = 80);

-- key: makes one restoration of one action one row, whoever sends it how often. settles 0: a fact
-- that returned nothing to where the charge came from.
--
-- run_id is a run of the charge's logical run: its function sees to that, and `ledger_breaks` compares them.
CREATE TABLE record.refunds (
    id          text PRIMARY KEY,
    key         text   NOT NULL UNIQUE,
    origin      text   NOT NULL,
    charge_id   text   NOT NULL,
    account_id  text   NOT NULL,
    run_id      text   NOT NULL,
    posted_at   bigint NOT NULL,
    state       text   NOT NULL,
    kind        text   NOT NULL,
    settles     bigint NOT NULL,
    ticket_id   text,
    detected_at bigint,
    cause       text,
    action_key  text,
    UNIQUE (id, charge_id, account_id),
    FOREIGN KEY (charge_id, account_id) REFERENCES record.charges (id, account_id),
    CHECK (record.is_refund(origin, state, kind, settles, action_key))
);
CREATE INDEX refunds_by_charge ON record.refunds (charge_id);
CREATE INDEX refunds_by_run ON record.refunds (run_id);

-- What was said: the items and lines of the refund as they came, written with it.
CREATE TABLE record.refund_items_said (
    refund_id text   NOT NULL,
    position  bigint NOT NULL,
    item      bigint NOT NULL,
    PRIMARY KEY (refund_id, position)
);

CREATE TABLE record.refund_lines_said (
    refund_id  text   NOT NULL,
    position   bigint NOT NULL,
    balance_id text   NOT NULL,
    kind       text   NOT NULL,
    amount     bigint NOT NULL,
    PRIMARY KEY (refund_id, position)
);

-- What it settles: credits per item, never above the price.
CREATE TABLE record.refund_items (
    refund_id  text   NOT NULL,
    charge_id  text   NOT NULL,
    account_id text   NOT NULL,
    item       bigint NOT NULL,
    amount     bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (refund_id, item),
    FOREIGN KEY (refund_id, charge_id, account_id) REFERENCES record.refunds (id, charge_id, account_id),
    FOREIGN KEY (charge_id, item) REFERENCES record.charge_items (charge_id, item)
);
CREATE INDEX refund_items_by_item ON record.refund_items (charge_id, item);

-- Where the credits go: one account_id in three keys, so that a target of another account than the
-- charge's, or a source that the charge never drew from, cannot be written.
CREATE TABLE record.refund_lines (
    refund_id  text   NOT NULL,
    line       bigint NOT NULL,
    charge_id  text   NOT NULL,
    account_id text   NOT NULL,
    source     text   NOT NULL,
    target     text   NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (refund_id, line),
    FOREIGN KEY (refund_id, charge_id, account_id) REFERENCES record.refunds (id, charge_id, account_id),
    FOREIGN KEY (charge_id, source) REFERENCES record.charge_sources (charge_id, balance_id),
    FOREIGN KEY (target, account_id) REFERENCES record.balances (id, account_id)
);

-- Credits that the platform moved with a refund and that settle nothing.
CREATE TABLE record.strays (
    refund_id text   NOT NULL REFERENCES record.refunds (id),
    line      bigint NOT NULL,
    target    text   NOT NULL REFERENCES record.balances (id),
    amount    bigint NOT NULL CHECK (amount > 0),
    why       text   NOT NULL,
    PRIMARY KEY (refund_id, line)
);

-- kind and document and line name the row that justifies the posting; each justifies one. That its
-- balances are there follows from their stripes, which move with it: a reference for each would make all
-- writers of a shared pool lock the pool's one row, and cost more than the posting.
CREATE TABLE record.postings (
    id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    kind            text   NOT NULL,
    document        text   NOT NULL,
    line            bigint NOT NULL,
    at              bigint NOT NULL,
    from_balance    text   NOT NULL,
    to_balance      text   NOT NULL,
    amount          bigint NOT NULL CHECK (amount > 0),
    opening_balance text,
    charge_id       text,
    refund_id       text,
    stray_id        text,
    UNIQUE (kind, document, line),
    CHECK (from_balance <> to_balance),
    CHECK (record.is_posting(kind, document, opening_balance, charge_id, refund_id, stray_id)),
    FOREIGN KEY (opening_balance, line) REFERENCES record.openings (balance_id, line),
    FOREIGN KEY (charge_id, line) REFERENCES record.charge_sources (charge_id, line),
    FOREIGN KEY (refund_id, line) REFERENCES record.refund_lines (refund_id, line),
    FOREIGN KEY (stray_id, line) REFERENCES record.strays (refund_id, line)
);
CREATE INDEX postings_from ON record.postings (from_balance, at);
CREATE INDEX postings_to ON record.postings (to_balance, at);

-- One line a change of an item. Who did it: the platform's feed, or an action made here. Written with
-- the item's row locked, as its settlement is: neither needs to look for it again.
CREATE TABLE record.item_transitions (
    charge_id   text   NOT NULL,
    item        bigint NOT NULL,
    seq         bigint NOT NULL,
    state       text   NOT NULL,
    epoch       bigint NOT NULL,
    lease_until bigint,
    origin      text   NOT NULL,
    action_key  text,
    document    text,
    why         text,
    at          bigint NOT NULL,
    PRIMARY KEY (charge_id, item, seq),
    CHECK (record.is_transition(state, lease_until, origin, action_key))
);

-- The one remedy of an item. Its key is what makes "delivered and refunded" impossible.
CREATE TABLE record.item_settlements (
    charge_id text NOT NULL,
    item      bigint NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('delivered', 'refunded')),
    document  text NOT NULL,
    PRIMARY KEY (charge_id, item)
);

-- The pairs of states that may follow one another.
CREATE TABLE record.item_state_pairs (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO record.item_state_pairs VALUES
    ('charged', 'delivering'), ('charged', 'delivered'), ('charged', 'refunded'),
    ('released', 'delivering'), ('released', 'delivered'), ('released', 'refunded'),
    ('reversed', 'delivering'), ('reversed', 'delivered'), ('reversed', 'refunded'),
    ('damaged', 'delivering'), ('damaged', 'delivered'), ('damaged', 'refunded'),
    ('delivering', 'delivering'), ('delivering', 'delivered'), ('delivering', 'released'),
    ('delivered', 'damaged'),
    ('refunded', 'refunded'), ('refunded', 'reversed');

CREATE VIEW api.balances AS
    SELECT b.id, b.account_id, b.kind, b.position,
           (SELECT sum(s.level)::bigint FROM record.balance_stripes s WHERE s.balance_id = b.id) AS level,
           greatest((SELECT coalesce(max(p.id), 0) FROM record.postings p WHERE p.from_balance = b.id),
                    (SELECT coalesce(max(p.id), 0) FROM record.postings p WHERE p.to_balance = b.id)) AS last_posting,
           b.opening, b.opening_at
    FROM record.balances b;
CREATE VIEW api.balance_stripes AS SELECT balance_id, stripe, level FROM record.balance_stripes;
CREATE VIEW api.postings AS
    SELECT id, kind, document, line, at, from_balance, to_balance, amount, opening_balance, charge_id, refund_id, stray_id
    FROM record.postings;
CREATE VIEW api.openings AS SELECT * FROM record.openings;
CREATE VIEW api.charges AS SELECT * FROM record.charges;
CREATE VIEW api.charge_items AS SELECT * FROM record.charge_items;
CREATE VIEW api.charge_sources AS SELECT * FROM record.charge_sources;
CREATE VIEW api.refunds AS SELECT * FROM record.refunds;
CREATE VIEW api.refund_items_said AS SELECT * FROM record.refund_items_said;
CREATE VIEW api.refund_lines_said AS SELECT * FROM record.refund_lines_said;
CREATE VIEW api.refund_items AS SELECT * FROM record.refund_items;
CREATE VIEW api.refund_lines AS SELECT * FROM record.refund_lines;
CREATE VIEW api.strays AS SELECT * FROM record.strays;
CREATE VIEW api.item_transitions AS SELECT * FROM record.item_transitions;
CREATE VIEW api.item_settlements AS SELECT * FROM record.item_settlements;
CREATE VIEW api.item_state_pairs AS SELECT * FROM record.item_state_pairs;
