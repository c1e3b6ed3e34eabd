-- Credits, double entry. A posting takes an amount from one balance and gives it to another, so
-- the sum of all levels is 0 by construction. Postings are made by triggers of the documents that
-- justify them (openings, charge sources, refund lines, strays) and by nothing else.

-- System balances: `issuance` (one: where openings come from), and per account `usage:ID` (what was
-- consumed), `carried:ID` (movements from before the level was counted, opening_at). `stray` (one)
-- stands behind credits that the platform moved and that settle nothing.
CREATE TABLE balances (
    id           TEXT PRIMARY KEY,
    account_id   TEXT REFERENCES accounts (id),
    kind         TEXT    NOT NULL,
    position     INTEGER NOT NULL,
    level        INTEGER NOT NULL DEFAULT 0,
    last_posting INTEGER NOT NULL DEFAULT 0,
    opening      INTEGER,
    opening_at   INTEGER,
    CHECK (kind IN ('subscription_quota', 'workspace_pool', 'wallet', 'workspace_wallet',
                    'usage', 'carried', 'issuance', 'stray')),
    CONSTRAINT level_below_zero CHECK (kind IN ('usage', 'carried', 'issuance', 'stray') OR level >= 0),
    CHECK ((kind IN ('issuance', 'stray')) = (account_id IS NULL)),
    CHECK ((kind IN ('usage', 'carried', 'issuance', 'stray')) = (opening_at IS NULL)),
    UNIQUE (id, account_id)
) STRICT;
CREATE INDEX balances_by_account ON balances (account_id, position);
INSERT INTO balances (id, kind, position) VALUES ('issuance', 'issuance', 0), ('stray', 'stray', 1);

-- What a balance is counted from. A later line corrects the count by `delta`.
CREATE TABLE openings (
    balance_id TEXT    NOT NULL REFERENCES balances (id),
    line       INTEGER NOT NULL,
    opening    INTEGER NOT NULL CHECK (opening >= 0),
    opening_at INTEGER NOT NULL,
    delta      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (balance_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE charges (
    id              TEXT PRIMARY KEY,
    run_id          TEXT    NOT NULL REFERENCES runs (id),
    account_id      TEXT    NOT NULL REFERENCES accounts (id),
    posted_at       INTEGER NOT NULL,
    total           INTEGER NOT NULL CHECK (total >= 0),
    idempotency_key TEXT    NOT NULL,
    UNIQUE (id, account_id)
) STRICT;
CREATE INDEX charges_by_run ON charges (run_id);
CREATE INDEX charges_by_account ON charges (account_id, posted_at);

-- The unit of remedy. `state` and what goes with it follow item_transitions; `refunded` follows
-- refund_items. Neither can be set by hand.
CREATE TABLE charge_items (
    charge_id   TEXT    NOT NULL REFERENCES charges (id),
    item        INTEGER NOT NULL CHECK (item >= 1),
    price       INTEGER NOT NULL CHECK (price >= 0),
    refunded    INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'charged' CHECK (state IN (
                    'charged', 'delivering', 'released', 'delivered', 'damaged', 'refunded', 'reversed')),
    seq         INTEGER NOT NULL DEFAULT 0,
    epoch       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    lease_key   TEXT,
    PRIMARY KEY (charge_id, item),
    CONSTRAINT refunded_above_price CHECK (refunded BETWEEN 0 AND price),
    CHECK ((state = 'delivering') = (lease_until IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX charge_items_leased ON charge_items (lease_until) WHERE state = 'delivering';

CREATE TABLE charge_sources (
    charge_id  TEXT    NOT NULL,
    line       INTEGER NOT NULL,
    balance_id TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    restored   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (charge_id, line),
    UNIQUE (charge_id, balance_id),
    FOREIGN KEY (charge_id, account_id) REFERENCES charges (id, account_id),
    FOREIGN KEY (balance_id, account_id) REFERENCES balances (id, account_id),
    CONSTRAINT restored_above_given CHECK (restored BETWEEN 0 AND amount)
) STRICT, WITHOUT ROWID;

-- key: makes one restoration of one action one row, whoever sends it how often. settles 0: a fact
-- that returned nothing to where the charge came from.
CREATE TABLE refunds (
    id          TEXT PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    origin      TEXT    NOT NULL CHECK (origin IN ('feed', 'makegood')),
    charge_id   TEXT    NOT NULL,
    account_id  TEXT    NOT NULL,
    run_id      TEXT    NOT NULL REFERENCES runs (id),
    posted_at   INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('posted', 'reversed')),
    kind        TEXT    NOT NULL CHECK (kind IN ('auto', 'manual')),
    settles     INTEGER NOT NULL CHECK (settles IN (0, 1)),
    ticket_id   TEXT,
    detected_at INTEGER,
    cause       TEXT,
    action_key  TEXT,
    UNIQUE (id, charge_id, account_id),
    FOREIGN KEY (charge_id, account_id) REFERENCES charges (id, account_id),
    CHECK ((origin = 'makegood') = (action_key IS NOT NULL)),
    CHECK (origin = 'feed' OR settles = 1)
) STRICT;
CREATE INDEX refunds_by_charge ON refunds (charge_id);
CREATE INDEX refunds_by_run ON refunds (run_id);

-- What was said: the items and lines of the refund as they came.
CREATE TABLE refund_items_said (
    refund_id TEXT    NOT NULL REFERENCES refunds (id),
    position  INTEGER NOT NULL,
    item      INTEGER NOT NULL,
    PRIMARY KEY (refund_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund_lines_said (
    refund_id  TEXT    NOT NULL REFERENCES refunds (id),
    position   INTEGER NOT NULL,
    balance_id TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    amount     INTEGER NOT NULL,
    PRIMARY KEY (refund_id, position)
) STRICT, WITHOUT ROWID;

-- What it settles: credits per item, never above the price.
CREATE TABLE refund_items (
    refund_id  TEXT    NOT NULL,
    charge_id  TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    item       INTEGER NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (refund_id, item),
    FOREIGN KEY (refund_id, charge_id, account_id) REFERENCES refunds (id, charge_id, account_id),
    FOREIGN KEY (charge_id, item) REFERENCES charge_items (charge_id, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_items_by_item ON refund_items (charge_id, item);

-- Where the credits go: one account_id in three keys, so that a target of another account than the
-- charge's, or a source that the charge never drew from, cannot be written.
CREATE TABLE refund_lines (
    refund_id  TEXT    NOT NULL,
    line       INTEGER NOT NULL,
    charge_id  TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (refund_id, line),
    FOREIGN KEY (refund_id, charge_id, account_id) REFERENCES refunds (id, charge_id, account_id),
    FOREIGN KEY (charge_id, source) REFERENCES charge_sources (charge_id, balance_id),
    FOREIGN KEY (target, account_id) REFERENCES balances (id, account_id)
) STRICT, WITHOUT ROWID;

-- Credits that the platform moved with a refund and that settle nothing.
CREATE TABLE strays (
    refund_id TEXT    NOT NULL REFERENCES refunds (id),
    line      INTEGER NOT NULL,
    target    TEXT    NOT NULL REFERENCES balances (id),
    amount    INTEGER NOT NULL CHECK (amount > 0),
    why       TEXT    NOT NULL,
    PRIMARY KEY (refund_id, line)
) STRICT, WITHOUT ROWID;

-- kind and document and line name the row that justifies the posting; each justifies one.
CREATE TABLE postings (
    id              INTEGER PRIMARY KEY,
    kind            TEXT    NOT NULL,
    document        TEXT    NOT NULL,
    line            INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    from_balance    TEXT    NOT NULL REFERENCES balances (id),
    to_balance      TEXT    NOT NULL REFERENCES balances (id),
    amount          INTEGER NOT NULL CHECK (amount > 0),
    opening_balance TEXT GENERATED ALWAYS AS (CASE kind WHEN 'opening' THEN document END) STORED,
    charge_id       TEXT GENERATED ALWAYS AS (CASE kind WHEN 'charge' THEN document END) STORED,
    refund_id       TEXT GENERATED ALWAYS AS (CASE WHEN kind IN ('refund', 'reversal') THEN document END) STORED,
    stray_id        TEXT GENERATED ALWAYS AS (CASE WHEN kind IN ('stray', 'stray_reversal') THEN document END) STORED,
    UNIQUE (kind, document, line),
    CHECK (from_balance <> to_balance),
    CHECK (kind IN ('opening', 'charge', 'refund', 'reversal', 'stray', 'stray_reversal')),
    FOREIGN KEY (opening_balance, line) REFERENCES openings (balance_id, line),
    FOREIGN KEY (charge_id, line) REFERENCES charge_sources (charge_id, line),
    FOREIGN KEY (refund_id, line) REFERENCES refund_lines (refund_id, line),
    FOREIGN KEY (stray_id, line) REFERENCES strays (refund_id, line)
) STRICT;
CREATE INDEX postings_from ON postings (from_balance, at);
CREATE INDEX postings_to ON postings (to_balance, at);

-- One line a change of an item. Who did it: the platform's feed, or an action made here.
CREATE TABLE item_transitions (
    charge_id   TEXT    NOT NULL,
    item        INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    lease_until INTEGER,
    origin      TEXT    NOT NULL CHECK (origin IN ('feed', 'makegood')),
    action_key  TEXT,
    document    TEXT,
    why         TEXT,
    at          INTEGER NOT NULL,
    PRIMARY KEY (charge_id, item, seq),
    FOREIGN KEY (charge_id, item) REFERENCES charge_items (charge_id, item),
    CHECK ((origin = 'makegood') = (action_key IS NOT NULL)),
    CHECK ((state = 'delivering') = (lease_until IS NOT NULL)),
    CHECK (state <> 'delivering' OR action_key IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- The one remedy of an item. Its key is what makes "delivered and refunded" impossible.
CREATE TABLE item_settlements (
    charge_id TEXT NOT NULL,
    item      INTEGER NOT NULL,
    outcome   TEXT NOT NULL CHECK (outcome IN ('delivered', 'refunded')),
    document  TEXT NOT NULL,
    PRIMARY KEY (charge_id, item),
    FOREIGN KEY (charge_id, item) REFERENCES charge_items (charge_id, item)
) STRICT, WITHOUT ROWID;

-- The pairs of states that may follow one another.
CREATE TABLE item_state_pairs (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;
INSERT INTO item_state_pairs VALUES
    ('charged', 'delivering'), ('charged', 'delivered'), ('charged', 'refunded'),
    ('released', 'delivering'), ('released', 'delivered'), ('released', 'refunded'),
    ('reversed', 'delivering'), ('reversed', 'delivered'), ('reversed', 'refunded'),
    ('damaged', 'delivering'), ('damaged', 'delivered'), ('damaged', 'refunded'),
    ('delivering', 'delivering'), ('delivering', 'delivered'), ('delivering', 'released'),
    ('delivered', 'damaged'),
    ('refunded', 'refunded'), ('refunded', 'reversed');
