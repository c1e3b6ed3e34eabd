-- The rules that keys and checks cannot say. Each refusal says what is wrong.

-- Levels ------------------------------------------------------------------------------------------

CREATE TRIGGER postings_move AFTER INSERT ON postings BEGIN
    UPDATE balances SET level = level - NEW.amount, last_posting = NEW.id WHERE id = NEW.from_balance;
    UPDATE balances SET level = level + NEW.amount, last_posting = NEW.id WHERE id = NEW.to_balance;
END;
-- Checked as the levels move, so that a posting without its document is refused at once.
CREATE TRIGGER postings_in_order BEFORE INSERT ON postings
WHEN NEW.id <> -1 AND NEW.id <= (SELECT coalesce(max(id), 0) FROM postings) BEGIN
    SELECT RAISE(ABORT, 'postings are numbered upwards');
END;
CREATE TRIGGER postings_kept BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings are never edited'); END;
CREATE TRIGGER postings_stay BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are never deleted'); END;

CREATE TRIGGER balances_start BEFORE INSERT ON balances WHEN NEW.level <> 0 OR NEW.last_posting <> 0 BEGIN
    SELECT RAISE(ABORT, 'a balance starts at 0; its level comes from postings');
END;
CREATE TRIGGER balances_level BEFORE UPDATE OF level, last_posting ON balances
WHEN NEW.level IS NOT OLD.level OR NEW.last_posting IS NOT OLD.last_posting BEGIN
    SELECT RAISE(ABORT, 'a level follows from postings')
    WHERE NEW.last_posting <= OLD.last_posting
       OR NOT EXISTS (SELECT 1 FROM postings p WHERE p.id = NEW.last_posting AND (
            (p.from_balance = OLD.id AND NEW.level = OLD.level - p.amount)
         OR (p.to_balance = OLD.id AND NEW.level = OLD.level + p.amount)));
END;
CREATE TRIGGER balances_same BEFORE UPDATE OF id, account_id, kind ON balances
WHEN NEW.id IS NOT OLD.id OR NEW.account_id IS NOT OLD.account_id OR NEW.kind IS NOT OLD.kind BEGIN
    SELECT RAISE(ABORT, 'a balance keeps its account and kind');
END;
CREATE TRIGGER balances_stay BEFORE DELETE ON balances BEGIN SELECT RAISE(ABORT, 'balances are never deleted'); END;
CREATE TRIGGER accounts_books AFTER INSERT ON accounts BEGIN
    INSERT INTO balances (id, account_id, kind, position) VALUES
        ('usage:' || NEW.id, NEW.id, 'usage', 1000), ('carried:' || NEW.id, NEW.id, 'carried', 1001);
END;

CREATE TRIGGER openings_post AFTER INSERT ON openings WHEN NEW.delta <> 0 BEGIN
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    VALUES ('opening', NEW.balance_id, NEW.line, NEW.opening_at,
            CASE WHEN NEW.delta > 0 THEN 'issuance' ELSE NEW.balance_id END,
            CASE WHEN NEW.delta > 0 THEN NEW.balance_id ELSE 'issuance' END, abs(NEW.delta));
END;
CREATE TRIGGER openings_kept BEFORE UPDATE ON openings BEGIN SELECT RAISE(ABORT, 'openings are never edited'); END;
CREATE TRIGGER openings_stay BEFORE DELETE ON openings BEGIN SELECT RAISE(ABORT, 'openings are never deleted'); END;
CREATE TRIGGER openings_first BEFORE INSERT ON openings WHEN NEW.line = 0 AND NEW.delta <> NEW.opening BEGIN
    SELECT RAISE(ABORT, 'the first opening of a balance is its level');
END;

-- Charges -----------------------------------------------------------------------------------------

CREATE TRIGGER charges_kept BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'charges are never edited'); END;
CREATE TRIGGER charges_stay BEFORE DELETE ON charges BEGIN SELECT RAISE(ABORT, 'charges are never deleted'); END;

CREATE TRIGGER charge_sources_within BEFORE INSERT ON charge_sources BEGIN
    SELECT RAISE(ABORT, 'the sources of a charge exceed its total')
    WHERE NEW.amount + (SELECT coalesce(sum(amount), 0) FROM charge_sources WHERE charge_id = NEW.charge_id)
        > (SELECT total FROM charges WHERE id = NEW.charge_id);
    SELECT RAISE(ABORT, 'nothing is restored of a new source') WHERE NEW.restored <> 0;
END;
CREATE TRIGGER charge_sources_post AFTER INSERT ON charge_sources BEGIN
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    SELECT 'charge', NEW.charge_id, NEW.line, c.posted_at,
           CASE WHEN c.posted_at < b.opening_at THEN 'carried:' || NEW.account_id ELSE b.id END,
           'usage:' || NEW.account_id, NEW.amount
    FROM charges c, balances b WHERE c.id = NEW.charge_id AND b.id = NEW.balance_id;
END;
CREATE TRIGGER charge_sources_restored BEFORE UPDATE ON charge_sources BEGIN
    SELECT RAISE(ABORT, 'the sources of a charge are never edited')
    WHERE NEW.charge_id <> OLD.charge_id OR NEW.line <> OLD.line OR NEW.balance_id <> OLD.balance_id
       OR NEW.account_id <> OLD.account_id OR NEW.amount <> OLD.amount;
    SELECT RAISE(ABORT, 'what is restored of a source follows from refund lines')
    WHERE NEW.restored <> (SELECT coalesce(sum(l.amount), 0) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
                           WHERE l.charge_id = OLD.charge_id AND l.source = OLD.balance_id AND r.state = 'posted');
END;
CREATE TRIGGER charge_sources_stay BEFORE DELETE ON charge_sources BEGIN
    SELECT RAISE(ABORT, 'the sources of a charge are never deleted');
END;

CREATE TRIGGER charge_items_start BEFORE INSERT ON charge_items BEGIN
    SELECT RAISE(ABORT, 'the items of a charge exceed its total')
    WHERE NEW.price + (SELECT coalesce(sum(price), 0) FROM charge_items WHERE charge_id = NEW.charge_id)
        > (SELECT total FROM charges WHERE id = NEW.charge_id);
    SELECT RAISE(ABORT, 'an item starts as charged')
    WHERE NEW.state <> 'charged' OR NEW.seq <> 0 OR NEW.epoch <> 0 OR NEW.refunded <> 0;
END;
CREATE TRIGGER charge_items_open AFTER INSERT ON charge_items BEGIN
    INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, document, at)
    SELECT NEW.charge_id, NEW.item, 0, 'charged', 0, 'feed', NEW.charge_id, posted_at
    FROM charges WHERE id = NEW.charge_id;
END;
CREATE TRIGGER charge_items_follow BEFORE UPDATE ON charge_items BEGIN
    SELECT RAISE(ABORT, 'the price of an item is never edited')
    WHERE NEW.charge_id <> OLD.charge_id OR NEW.item <> OLD.item OR NEW.price <> OLD.price;
    SELECT RAISE(ABORT, 'the state of an item follows from its transitions')
    WHERE (NEW.state IS NOT OLD.state OR NEW.seq IS NOT OLD.seq OR NEW.epoch IS NOT OLD.epoch
           OR NEW.lease_until IS NOT OLD.lease_until OR NEW.lease_key IS NOT OLD.lease_key)
      AND NOT EXISTS (SELECT 1 FROM item_transitions t
                      WHERE t.charge_id = OLD.charge_id AND t.item = OLD.item AND t.seq = NEW.seq
                        AND NEW.seq = OLD.seq + 1 AND t.state = NEW.state AND t.epoch = NEW.epoch
                        AND t.lease_until IS NEW.lease_until);
    SELECT RAISE(ABORT, 'what is refunded of an item follows from refund items')
    WHERE NEW.refunded <> OLD.refunded
      AND NEW.refunded <> (SELECT coalesce(sum(i.amount), 0) FROM refund_items i JOIN refunds r ON r.id = i.refund_id
                           WHERE i.charge_id = OLD.charge_id AND i.item = OLD.item AND r.state = 'posted');
END;
CREATE TRIGGER charge_items_stay BEFORE DELETE ON charge_items BEGIN
    SELECT RAISE(ABORT, 'the items of a charge are never deleted');
END;

-- Items -------------------------------------------------------------------------------------------

CREATE TRIGGER item_transitions_allowed BEFORE INSERT ON item_transitions WHEN NEW.seq > 0 BEGIN
    SELECT RAISE(ABORT, 'an item goes on from its newest state')
    FROM charge_items i WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item AND NEW.seq <> i.seq + 1;
    SELECT RAISE(ABORT, 'an item cannot go from its state to that one')
    FROM charge_items i WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item
      AND NOT EXISTS (SELECT 1 FROM item_state_pairs p WHERE p.from_state = i.state AND p.to_state = NEW.state);
    SELECT RAISE(ABORT, 'the item is leased to another action')
    FROM charge_items i WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item AND i.state = 'delivering'
      AND NEW.origin = 'makegood' AND NEW.action_key IS NOT i.lease_key AND NEW.at < i.lease_until;
    SELECT RAISE(ABORT, 'the item is leased: its lease is over at another instant')
    FROM charge_items i WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item
      AND NEW.state = 'delivering' AND (NEW.lease_until <= NEW.at OR (i.state = 'delivering' AND NEW.at < i.lease_until));
    SELECT RAISE(ABORT, 'the epoch of an item rises by one with each lease and each fencing, and else stays')
    FROM charge_items i WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item
      AND NEW.epoch <> i.epoch + CASE
            WHEN NEW.state = 'delivering' THEN 1
            WHEN NEW.state = 'released' AND NEW.action_key IS NOT i.lease_key THEN 1
            ELSE 0 END;
    SELECT RAISE(ABORT, 'only the action that leased the item can deliver it')
    FROM charge_items i WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item
      AND NEW.state = 'delivered' AND NEW.origin = 'makegood'
      AND (i.state <> 'delivering' OR NEW.action_key IS NOT i.lease_key);
    SELECT RAISE(ABORT, 'an item is delivered by an intact output of its run in a project of the account that paid')
    WHERE NEW.state = 'delivered'
      AND NOT EXISTS (SELECT 1 FROM outputs o JOIN projects p ON p.id = o.project_id
                      JOIN runs made ON made.id = o.run_id
                      JOIN charges c ON c.account_id = p.account_id
                      JOIN runs paid ON paid.id = c.run_id AND paid.root_id = made.root_id
                      WHERE o.id = NEW.document AND c.id = NEW.charge_id AND o.item = NEW.item
                        AND o.state = 'stored' AND o.quarantined_at IS NULL);
    SELECT RAISE(ABORT, 'an item is refunded by a standing refund of it')
    WHERE NEW.state = 'refunded'
      AND NOT EXISTS (SELECT 1 FROM refund_items i JOIN refunds r ON r.id = i.refund_id
                      WHERE r.id = NEW.document AND r.state = 'posted' AND i.charge_id = NEW.charge_id AND i.item = NEW.item);
    SELECT RAISE(ABORT, 'an item is reversed when no refund of it stands')
    WHERE NEW.state = 'reversed'
      AND EXISTS (SELECT 1 FROM refund_items i JOIN refunds r ON r.id = i.refund_id
                  WHERE r.state = 'posted' AND i.charge_id = NEW.charge_id AND i.item = NEW.item);
END;
CREATE TRIGGER item_transitions_first BEFORE INSERT ON item_transitions WHEN NEW.seq <= 0 BEGIN
    SELECT RAISE(ABORT, 'an item starts as charged') WHERE NEW.seq <> 0 OR NEW.state <> 'charged' OR NEW.epoch <> 0;
END;
CREATE TRIGGER item_transitions_apply AFTER INSERT ON item_transitions WHEN NEW.seq > 0 BEGIN
    UPDATE charge_items SET state = NEW.state, seq = NEW.seq, epoch = NEW.epoch, lease_until = NEW.lease_until,
           lease_key = CASE NEW.state WHEN 'delivering' THEN NEW.action_key END
    WHERE charge_id = NEW.charge_id AND item = NEW.item;
    DELETE FROM item_settlements
    WHERE NEW.state IN ('damaged', 'reversed') AND charge_id = NEW.charge_id AND item = NEW.item;
    INSERT INTO item_settlements (charge_id, item, outcome, document)
    SELECT NEW.charge_id, NEW.item, NEW.state, NEW.document
    WHERE NEW.state = 'delivered'
       OR (NEW.state = 'refunded' AND NOT EXISTS (SELECT 1 FROM item_settlements s
            WHERE s.charge_id = NEW.charge_id AND s.item = NEW.item AND s.outcome = 'refunded'));
END;
CREATE TRIGGER item_transitions_kept BEFORE UPDATE ON item_transitions BEGIN
    SELECT RAISE(ABORT, 'transitions are never edited');
END;
CREATE TRIGGER item_transitions_stay BEFORE DELETE ON item_transitions BEGIN
    SELECT RAISE(ABORT, 'transitions are never deleted');
END;
CREATE TRIGGER item_settlements_follow BEFORE INSERT ON item_settlements BEGIN
    SELECT RAISE(ABORT, 'a settlement follows from a transition')
    WHERE NOT EXISTS (SELECT 1 FROM charge_items i
                      WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item AND i.state = NEW.outcome);
END;
CREATE TRIGGER item_settlements_kept BEFORE UPDATE ON item_settlements BEGIN
    SELECT RAISE(ABORT, 'settlements are never edited');
END;
CREATE TRIGGER item_settlements_stay BEFORE DELETE ON item_settlements BEGIN
    SELECT RAISE(ABORT, 'a settlement ends with its item''s state')
    FROM charge_items i WHERE i.charge_id = OLD.charge_id AND i.item = OLD.item AND i.state = OLD.outcome;
END;
CREATE TRIGGER item_state_pairs_kept BEFORE UPDATE ON item_state_pairs BEGIN SELECT RAISE(ABORT, 'the state table is fixed'); END;
CREATE TRIGGER item_state_pairs_stay BEFORE DELETE ON item_state_pairs BEGIN SELECT RAISE(ABORT, 'the state table is fixed'); END;
CREATE TRIGGER item_state_pairs_full BEFORE INSERT ON item_state_pairs BEGIN SELECT RAISE(ABORT, 'the state table is fixed'); END;

-- Refunds -----------------------------------------------------------------------------------------

CREATE TRIGGER refunds_start BEFORE INSERT ON refunds WHEN NEW.state <> 'posted' BEGIN
    SELECT RAISE(ABORT, 'a refund starts as posted');
END;
CREATE TRIGGER refunds_kept BEFORE UPDATE ON refunds BEGIN
    SELECT RAISE(ABORT, 'a refund is never edited, only reversed once')
    WHERE OLD.state <> 'posted' OR NEW.state <> 'reversed' OR NEW.id <> OLD.id OR NEW.key <> OLD.key
       OR NEW.origin <> OLD.origin OR NEW.charge_id <> OLD.charge_id OR NEW.account_id <> OLD.account_id
       OR NEW.run_id <> OLD.run_id OR NEW.posted_at <> OLD.posted_at OR NEW.kind <> OLD.kind
       OR NEW.settles <> OLD.settles OR NEW.ticket_id IS NOT OLD.ticket_id
       OR NEW.detected_at IS NOT OLD.detected_at OR NEW.cause IS NOT OLD.cause
       OR NEW.action_key IS NOT OLD.action_key;
END;
CREATE TRIGGER refunds_stay BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'refunds are never deleted'); END;
CREATE TRIGGER refunds_reverse AFTER UPDATE OF state ON refunds WHEN NEW.state = 'reversed' AND OLD.state = 'posted' BEGIN
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    SELECT CASE kind WHEN 'refund' THEN 'reversal' ELSE 'stray_reversal' END, document, line, at,
           to_balance, from_balance, amount
    FROM postings WHERE kind IN ('refund', 'stray') AND document = NEW.id ORDER BY id;
    UPDATE charge_sources SET restored = (
        SELECT coalesce(sum(l.amount), 0) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
        WHERE l.charge_id = charge_sources.charge_id AND l.source = charge_sources.balance_id AND r.state = 'posted')
    WHERE charge_id = NEW.charge_id;
    UPDATE charge_items SET refunded = (
        SELECT coalesce(sum(i.amount), 0) FROM refund_items i JOIN refunds r ON r.id = i.refund_id
        WHERE i.charge_id = charge_items.charge_id AND i.item = charge_items.item AND r.state = 'posted')
    WHERE charge_id = NEW.charge_id AND item IN (SELECT item FROM refund_items WHERE refund_id = NEW.id);
    INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
    SELECT i.charge_id, i.item, i.seq + 1, 'reversed', i.epoch, NEW.origin, NEW.action_key, NEW.id, NEW.posted_at
    FROM charge_items i JOIN refund_items x ON x.refund_id = NEW.id AND x.item = i.item AND x.charge_id = i.charge_id
    WHERE i.state = 'refunded'
      AND NOT EXISTS (SELECT 1 FROM refund_items y JOIN refunds r ON r.id = y.refund_id
                      WHERE r.state = 'posted' AND y.charge_id = i.charge_id AND y.item = i.item);
END;

CREATE TRIGGER refund_items_allowed BEFORE INSERT ON refund_items BEGIN
    SELECT RAISE(ABORT, 'this refund settles nothing')
    FROM refunds WHERE id = NEW.refund_id AND (settles = 0 OR state <> 'posted');
    SELECT RAISE(ABORT, 'the item is refunded already')
    FROM charge_items WHERE charge_id = NEW.charge_id AND item = NEW.item AND state = 'refunded' AND NEW.amount = 0;
    SELECT RAISE(ABORT, 'the refund of an item would exceed its price')
    FROM charge_items WHERE charge_id = NEW.charge_id AND item = NEW.item AND refunded + NEW.amount > price;
END;
CREATE TRIGGER refund_items_apply AFTER INSERT ON refund_items BEGIN
    INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, action_key, document, at)
    SELECT i.charge_id, i.item, i.seq + 1, 'refunded', i.epoch, r.origin, r.action_key, r.id, r.posted_at
    FROM charge_items i JOIN refunds r ON r.id = NEW.refund_id
    WHERE i.charge_id = NEW.charge_id AND i.item = NEW.item;
    UPDATE charge_items SET refunded = refunded + NEW.amount WHERE charge_id = NEW.charge_id AND item = NEW.item;
END;
CREATE TRIGGER refund_items_kept BEFORE UPDATE ON refund_items BEGIN SELECT RAISE(ABORT, 'refund items are never edited'); END;
CREATE TRIGGER refund_items_stay BEFORE DELETE ON refund_items BEGIN SELECT RAISE(ABORT, 'refund items are never deleted'); END;

-- Credits move only for items: the lines of a refund never exceed its items.
CREATE TRIGGER refund_lines_allowed BEFORE INSERT ON refund_lines BEGIN
    SELECT RAISE(ABORT, 'this refund settles nothing')
    FROM refunds WHERE id = NEW.refund_id AND (settles = 0 OR state <> 'posted');
    SELECT RAISE(ABORT, 'credits go to a balance of the customer')
    FROM balances WHERE id = NEW.target AND opening_at IS NULL;
    SELECT RAISE(ABORT, 'the lines of a refund exceed its items')
    WHERE NEW.amount + (SELECT coalesce(sum(amount), 0) FROM refund_lines WHERE refund_id = NEW.refund_id)
        > (SELECT coalesce(sum(amount), 0) FROM refund_items WHERE refund_id = NEW.refund_id);
    SELECT RAISE(ABORT, 'more would be restored than the balance gave')
    FROM charge_sources WHERE charge_id = NEW.charge_id AND balance_id = NEW.source AND restored + NEW.amount > amount;
END;
CREATE TRIGGER refund_lines_post AFTER INSERT ON refund_lines BEGIN
    UPDATE charge_sources SET restored = restored + NEW.amount
    WHERE charge_id = NEW.charge_id AND balance_id = NEW.source;
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    SELECT 'refund', NEW.refund_id, NEW.line, r.posted_at, 'usage:' || NEW.account_id,
           CASE WHEN r.posted_at < b.opening_at THEN 'carried:' || NEW.account_id ELSE b.id END, NEW.amount
    FROM refunds r, balances b WHERE r.id = NEW.refund_id AND b.id = NEW.target;
END;
CREATE TRIGGER refund_lines_kept BEFORE UPDATE ON refund_lines BEGIN SELECT RAISE(ABORT, 'refund lines are never edited'); END;
CREATE TRIGGER refund_lines_stay BEFORE DELETE ON refund_lines BEGIN SELECT RAISE(ABORT, 'refund lines are never deleted'); END;

CREATE TRIGGER strays_allowed BEFORE INSERT ON strays BEGIN
    SELECT RAISE(ABORT, 'only a feed''s refund can go astray')
    FROM refunds WHERE id = NEW.refund_id AND (origin <> 'feed' OR state <> 'posted');
    SELECT RAISE(ABORT, 'credits go to a balance of the customer')
    FROM balances WHERE id = NEW.target AND opening_at IS NULL;
    SELECT RAISE(ABORT, 'more went astray than the refund says')
    WHERE NEW.amount + (SELECT coalesce(sum(amount), 0) FROM strays WHERE refund_id = NEW.refund_id)
                     + (SELECT coalesce(sum(amount), 0) FROM refund_lines WHERE refund_id = NEW.refund_id)
        > (SELECT coalesce(sum(amount), 0) FROM refund_lines_said WHERE refund_id = NEW.refund_id);
END;
CREATE TRIGGER strays_post AFTER INSERT ON strays BEGIN
    INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
    SELECT 'stray', NEW.refund_id, NEW.line, r.posted_at, 'stray',
           CASE WHEN r.posted_at < b.opening_at THEN 'carried:' || b.account_id ELSE b.id END, NEW.amount
    FROM refunds r, balances b WHERE r.id = NEW.refund_id AND b.id = NEW.target;
END;
CREATE TRIGGER strays_kept BEFORE UPDATE ON strays BEGIN SELECT RAISE(ABORT, 'strays are never edited'); END;
CREATE TRIGGER strays_stay BEFORE DELETE ON strays BEGIN SELECT RAISE(ABORT, 'strays are never deleted'); END;
CREATE TRIGGER refund_lines_said_kept BEFORE UPDATE ON refund_lines_said BEGIN SELECT RAISE(ABORT, 'what was said is never edited'); END;
CREATE TRIGGER refund_lines_said_stay BEFORE DELETE ON refund_lines_said BEGIN SELECT RAISE(ABORT, 'what was said is never deleted'); END;
CREATE TRIGGER refund_items_said_kept BEFORE UPDATE ON refund_items_said BEGIN SELECT RAISE(ABORT, 'what was said is never edited'); END;
CREATE TRIGGER refund_items_said_stay BEFORE DELETE ON refund_items_said BEGIN SELECT RAISE(ABORT, 'what was said is never deleted'); END;

-- Anything here means that the rules above were got around. Read by the check of a store's health.
CREATE VIEW ledger_breaks AS
    SELECT 'level' AS kind, b.id AS subject FROM balances b
    WHERE b.level <> (SELECT coalesce(sum(amount), 0) FROM postings WHERE to_balance = b.id)
                   - (SELECT coalesce(sum(amount), 0) FROM postings WHERE from_balance = b.id)
    UNION ALL
    SELECT 'sum', 'all' WHERE (SELECT sum(level) FROM balances) <> 0
    UNION ALL
    SELECT 'charge items', c.id FROM charges c
    WHERE c.total <> (SELECT coalesce(sum(price), 0) FROM charge_items WHERE charge_id = c.id)
    UNION ALL
    SELECT 'charge sources', c.id FROM charges c
    WHERE c.total <> (SELECT coalesce(sum(amount), 0) FROM charge_sources WHERE charge_id = c.id)
    UNION ALL
    SELECT 'refund', r.id FROM refunds r
    WHERE (SELECT coalesce(sum(amount), 0) FROM refund_items WHERE refund_id = r.id)
       <> (SELECT coalesce(sum(amount), 0) FROM refund_lines WHERE refund_id = r.id)
    UNION ALL
    SELECT 'settlement', i.charge_id || '/' || i.item FROM charge_items i
    LEFT JOIN item_settlements s ON s.charge_id = i.charge_id AND s.item = i.item
    WHERE (i.state IN ('delivered', 'refunded')) <> (s.outcome IS NOT NULL) OR s.outcome <> i.state;
