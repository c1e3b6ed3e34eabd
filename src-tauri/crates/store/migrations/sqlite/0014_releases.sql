-- Late results that were released against a new debit (P4): what the customer agreed to, where, and which refunds
-- were taken back for it.
CREATE TABLE releases (
    id              TEXT PRIMARY KEY,
    charge_id       TEXT    NOT NULL REFERENCES charges (id),
    run_id          TEXT    NOT NULL REFERENCES runs (id),
    amount          INTEGER NOT NULL CHECK (amount > 0),
    consent_by      TEXT    NOT NULL CHECK (trim(consent_by) <> ''),
    consent_at      INTEGER NOT NULL,
    consent_message TEXT    NOT NULL CHECK (trim(consent_message) <> ''),
    action_key      TEXT    NOT NULL REFERENCES actions (key),
    at              INTEGER NOT NULL,
    CONSTRAINT agreed_before_it_was_taken CHECK (consent_at <= at)
) STRICT;
CREATE TABLE released_refunds (
    refund_id  TEXT PRIMARY KEY REFERENCES refunds (id),
    release_id TEXT NOT NULL REFERENCES releases (id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER releases_kept BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'a release is never edited'); END;
CREATE TRIGGER releases_stay BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'a release is never deleted'); END;
CREATE TRIGGER released_refunds_kept BEFORE UPDATE ON released_refunds BEGIN
    SELECT RAISE(ABORT, 'a release is never edited');
END;
CREATE TRIGGER released_refunds_stay BEFORE DELETE ON released_refunds BEGIN
    SELECT RAISE(ABORT, 'a release is never deleted');
END;
CREATE TRIGGER released_refunds_posted BEFORE INSERT ON released_refunds BEGIN
    SELECT RAISE(ABORT, 'only a refund that stands is taken back')
    WHERE NOT EXISTS (SELECT 1 FROM refunds r JOIN releases e ON e.charge_id = r.charge_id
                      WHERE r.id = NEW.refund_id AND e.id = NEW.release_id AND r.state = 'posted');
END;

-- As before, and: a refund that is taken back with the customer's consent is a debit of that instant, from the balances
-- that it went to as they are counted by then.
DROP TRIGGER IF EXISTS refunds_reverse;
CREATE TRIGGER refunds_reverse AFTER UPDATE OF state ON refunds WHEN NEW.state = 'reversed' AND OLD.state = 'posted' BEGIN
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    SELECT CASE kind WHEN 'refund' THEN 'reversal' ELSE 'stray_reversal' END, document, line, at,
           to_balance, from_balance, amount
    FROM postings WHERE kind IN ('refund', 'stray') AND document = NEW.id
        AND NOT EXISTS (SELECT 1 FROM released_refunds WHERE refund_id = NEW.id) ORDER BY id;
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    SELECT 'reversal', l.refund_id, l.line, e.at,
           CASE WHEN e.at < b.opening_at THEN 'carried:' || l.account_id ELSE b.id END, 'usage:' || l.account_id, l.amount
    FROM released_refunds k JOIN releases e ON e.id = k.release_id
    JOIN refund_lines l ON l.refund_id = k.refund_id JOIN balances b ON b.id = l.target
    WHERE k.refund_id = NEW.id ORDER BY l.line;
    UPDATE charge_sources SET restored = (
        SELECT coalesce(sum(l.amount), 0) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
        WHERE l.charge_id = charge_sources.charge_id AND l.source = charge_sources.balance_id AND r.state = 'posted')
    WHERE charge_id = NEW.charge_id;
    UPDATE charge_items SET refunded = (
        SELECT coalesce(sum(i.amount), 0) FROM refund_items i JOIN refunds r ON r.id = i.refund_id
        WHERE i.charge_id = charge_items.charge_id AND i.item = charge_items.item AND r.state = 'posted')
    WHERE charge_id = NEW.charge_id AND item IN (SELECT item FROM refund_items WHERE refund_id = NEW.id);
    INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
    SELECT i.charge_id, i.item, i.seq + 1, 'reversed', i.epoch,
           CASE WHEN e.id IS NULL THEN NEW.origin ELSE 'makegood' END, coalesce(e.action_key, NEW.action_key), NEW.id,
           coalesce(e.at, NEW.posted_at)
    FROM charge_items i JOIN refund_items x ON x.refund_id = NEW.id AND x.item = i.item AND x.charge_id = i.charge_id
    LEFT JOIN released_refunds k ON k.refund_id = NEW.id LEFT JOIN releases e ON e.id = k.release_id
    WHERE i.state = 'refunded'
      AND NOT EXISTS (SELECT 1 FROM refund_items y JOIN refunds r ON r.id = y.refund_id
                      WHERE r.state = 'posted' AND y.charge_id = i.charge_id AND y.item = i.item);
END;
