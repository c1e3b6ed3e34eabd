-- The rules that keys and checks cannot say, and the functions that write the ledger. Nobody holds a
-- right on a table, so a row comes to be by these functions and by nothing else. Keys, checks and
-- references are the guard behind them: of two remedies for one item the second finds the key of
-- item_settlements or the check on `refunded` taken, whatever a function believed.
--
-- Triggers only keep what is written from being changed; they cost an insert nothing. Refusals carry
-- SQLSTATE MG001 and are in words for people.
--
-- Rows are locked in one order: the items of a charge by number, its refunds by id, its sources by line,
-- stripes by balance and number. An import locks as its facts come; whoever loses a deadlock is sent again.
--
-- Functions of this change (in the files of number 0003):
--
--   record.who_was_first(charge, item) text      "it was refunded (rfd_1) by Ana Prata on …"
--   record.first_charge(root) record.charges     the charge that a delivery of the logical run is paid by
--   record.intact_output(root, item, account) text
--   record.change_levels(balances text[], deltas bigint[])
--   record.move_credits(kind, document, line, at, from, to, amount)     posting and levels
--   record.change_item(charge, item, state, epoch, lease_until, origin, action_key, document, why, at)
--   record.post_restoration(refund, key, wanted jsonb, action_key, kind, ticket, cause, at) jsonb
--                                                the receipt {"refund_id", "total", "balances"}
--   record.noticed(charge, items) (at, cause)    replaced where detections are kept
--   record.deliver_items(root, at)               after outputs of a logical run changed
--   record.reverse_refunds(refunds text[], action_key, at)
--   record.open_discrepancy(kind, subject, detail, at), record.close_discrepancy(kind, subject, at)
--   record.note_place(output, project, node, hold_until, at, by)
--   record.take_KIND(row jsonb, at)              one fact each; api.feed calls them
--   api.feed(facts jsonb, at) jsonb, api.record_look_up(job jsonb, answers jsonb)

-- What is written stays ---------------------------------------------------------------------------

CREATE TRIGGER openings_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.openings
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('openings are never edited');
CREATE TRIGGER charges_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.charges
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('charges are never edited');
CREATE TRIGGER refund_items_said_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.refund_items_said
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was said is never edited');
CREATE TRIGGER refund_lines_said_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.refund_lines_said
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('what was said is never edited');
CREATE TRIGGER refund_items_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.refund_items
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('refund items are never edited');
CREATE TRIGGER refund_lines_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.refund_lines
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('refund lines are never edited');
CREATE TRIGGER strays_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.strays
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('strays are never edited');
CREATE TRIGGER postings_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.postings
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('postings are never edited');
CREATE TRIGGER item_transitions_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record.item_transitions
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('transitions are never edited');
CREATE TRIGGER item_state_pairs_kept BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON record.item_state_pairs
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('the state table is fixed');
CREATE TRIGGER balances_stay BEFORE DELETE OR TRUNCATE ON record.balances
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('balances are never deleted');
CREATE TRIGGER balances_same BEFORE UPDATE OF id, account_id, kind, stripes ON record.balances
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('a balance keeps its account and kind');
CREATE TRIGGER balance_stripes_stay BEFORE DELETE OR TRUNCATE ON record.balance_stripes
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('balances are never deleted');
CREATE TRIGGER balance_stripes_same BEFORE UPDATE OF balance_id, stripe, bounded ON record.balance_stripes
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('a balance keeps its stripes');
CREATE TRIGGER charge_items_stay BEFORE DELETE OR TRUNCATE ON record.charge_items
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('the items of a charge are never deleted');
CREATE TRIGGER charge_items_same BEFORE UPDATE OF charge_id, item, price ON record.charge_items
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('the price of an item is never edited');
CREATE TRIGGER charge_sources_stay BEFORE DELETE OR TRUNCATE ON record.charge_sources
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('the sources of a charge are never deleted');
CREATE TRIGGER charge_sources_same BEFORE UPDATE OF charge_id, line, balance_id, account_id, amount
    ON record.charge_sources
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('the sources of a charge are never edited');
CREATE TRIGGER item_settlements_kept BEFORE UPDATE OR TRUNCATE ON record.item_settlements
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('settlements are never edited');
CREATE TRIGGER refunds_stay BEFORE DELETE OR TRUNCATE ON record.refunds
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('refunds are never deleted');
CREATE TRIGGER refunds_kept BEFORE UPDATE OF id, key, origin, charge_id, account_id, run_id, posted_at, kind,
    settles, ticket_id, detected_at, cause, action_key ON record.refunds
    FOR EACH STATEMENT EXECUTE FUNCTION record.only_grows('a refund is never edited, only reversed once');
CREATE TRIGGER refunds_reversed_once BEFORE UPDATE OF state ON record.refunds
    FOR EACH ROW WHEN (OLD.state <> 'posted' OR NEW.state <> 'reversed')
    EXECUTE FUNCTION record.only_grows('a refund is never edited, only reversed once');

CREATE FUNCTION record.settlement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM record.charge_items i
               WHERE i.charge_id = OLD.charge_id AND i.item = OLD.item AND i.state = OLD.outcome) THEN
        PERFORM record.refuse('a settlement ends with its item''s state');
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER item_settlements_stay BEFORE DELETE ON record.item_settlements
    FOR EACH ROW EXECUTE FUNCTION record.settlement_stays();

-- What was answered is on disk. What is done here comes with an audit line, which does the same.
CREATE CONSTRAINT TRIGGER openings_durable AFTER INSERT ON record.openings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record.commit_durably();
CREATE CONSTRAINT TRIGGER charges_durable AFTER INSERT ON record.charges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record.commit_durably();
CREATE CONSTRAINT TRIGGER refunds_durable AFTER INSERT OR UPDATE ON record.refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.origin = 'feed') EXECUTE FUNCTION record.commit_durably();

-- Anything here means that the rules were got around. Read by the check of a store's health.
CREATE VIEW api.ledger_breaks AS
    SELECT 'level' AS kind, b.id AS subject FROM record.balances b
    WHERE (SELECT coalesce(sum(level), 0) FROM record.balance_stripes WHERE balance_id = b.id)
       <> (SELECT coalesce(sum(amount), 0) FROM record.postings WHERE to_balance = b.id)
        - (SELECT coalesce(sum(amount), 0) FROM record.postings WHERE from_balance = b.id)
    UNION ALL
    SELECT 'stripes', b.id FROM record.balances b
    WHERE b.stripes <> (SELECT count(*) FROM record.balance_stripes WHERE balance_id = b.id)
    UNION ALL
    SELECT 'posting', p.id::text FROM record.postings p
    WHERE NOT EXISTS (SELECT 1 FROM record.balances WHERE id = p.from_balance)
       OR NOT EXISTS (SELECT 1 FROM record.balances WHERE id = p.to_balance)
    UNION ALL
    SELECT 'transition', t.charge_id || '/' || t.item || '/' || t.seq FROM record.item_transitions t
    WHERE NOT EXISTS (SELECT 1 FROM record.charge_items WHERE charge_id = t.charge_id AND item = t.item)
    UNION ALL
    SELECT 'settlement', s.charge_id || '/' || s.item FROM record.item_settlements s
    WHERE NOT EXISTS (SELECT 1 FROM record.charge_items WHERE charge_id = s.charge_id AND item = s.item)
    UNION ALL
    SELECT 'sum', 'all' WHERE (SELECT sum(level) FROM record.balance_stripes) <> 0
    UNION ALL
    SELECT 'charge items', c.id FROM record.charges c
    WHERE c.total <> (SELECT coalesce(sum(price), 0) FROM record.charge_items WHERE charge_id = c.id)
    UNION ALL
    SELECT 'charge sources', c.id FROM record.charges c
    WHERE c.total <> (SELECT coalesce(sum(amount), 0) FROM record.charge_sources WHERE charge_id = c.id)
    UNION ALL
    SELECT 'refund', r.id FROM record.refunds r
    WHERE (SELECT coalesce(sum(amount), 0) FROM record.refund_items WHERE refund_id = r.id)
       <> (SELECT coalesce(sum(amount), 0) FROM record.refund_lines WHERE refund_id = r.id)
    UNION ALL
    SELECT 'refund', r.id FROM record.refunds r
    WHERE NOT EXISTS (SELECT 1 FROM record.charges c JOIN record.runs paid ON paid.id = c.run_id
                      JOIN record.runs made ON made.root_id = paid.root_id
                      WHERE c.id = r.charge_id AND made.id = r.run_id)
    UNION ALL
    SELECT 'refunded', i.charge_id || '/' || i.item FROM record.charge_items i
    WHERE i.refunded <> (SELECT coalesce(sum(x.amount), 0) FROM record.refund_items x
                         JOIN record.refunds r ON r.id = x.refund_id
                         WHERE x.charge_id = i.charge_id AND x.item = i.item AND r.state = 'posted')
    UNION ALL
    SELECT 'restored', s.charge_id || '/' || s.balance_id FROM record.charge_sources s
    WHERE s.restored <> (SELECT coalesce(sum(l.amount), 0) FROM record.refund_lines l
                         JOIN record.refunds r ON r.id = l.refund_id
                         WHERE l.charge_id = s.charge_id AND l.source = s.balance_id AND r.state = 'posted')
    UNION ALL
    SELECT 'state', i.charge_id || '/' || i.item FROM record.charge_items i
    WHERE NOT EXISTS (SELECT 1 FROM record.item_transitions t
                      WHERE t.charge_id = i.charge_id AND t.item = i.item AND t.seq = i.seq AND t.state = i.state
                        AND t.epoch = i.epoch AND t.lease_until IS NOT DISTINCT FROM i.lease_until)
       OR i.seq + 1 <> (SELECT count(*) FROM record.item_transitions t
                        WHERE t.charge_id = i.charge_id AND t.item = i.item)
    UNION ALL
    SELECT 'settlement', i.charge_id || '/' || i.item FROM record.charge_items i
    LEFT JOIN record.item_settlements s ON s.charge_id = i.charge_id AND s.item = i.item
    WHERE (i.state IN ('delivered', 'refunded')) <> (s.outcome IS NOT NULL) OR s.outcome <> i.state;
