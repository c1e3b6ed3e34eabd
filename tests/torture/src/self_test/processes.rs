//! Writers that acknowledge too early or make new keys, programs that forget, disks and servers that do
//! not keep what they said they keep, and rules that a throwaway server lacks.

use super::{Bed, Bug, Play};
use crate::kill;
use crate::pg_cut::{self, Sender};
use crate::pg_race;
use crate::powercut;
use crate::recover;
use crate::week;
use crate::writer::Plant;

/// What keeps a commit durable whatever its session says.
const NOT_DURABLE: &str = "DO $$
DECLARE
    v_trigger record;
BEGIN
    FOR v_trigger IN SELECT tgname, tgrelid::regclass AS of_table FROM pg_trigger WHERE tgname LIKE '%\\_durable' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', v_trigger.tgname, v_trigger.of_table);
    END LOOP;
END $$";

/// A restoration leaves no trace in what is asked before the next one, and no key stands in its way.
const RESTORED_AGAIN: &str = "
ALTER TABLE record.item_settlements DROP CONSTRAINT item_settlements_pkey;
ALTER TABLE record.charge_items DISABLE TRIGGER USER;
ALTER TABLE record.charge_sources DISABLE TRIGGER USER;
CREATE FUNCTION record.forget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_charge text := NEW.effect -> 'restoration' ->> 'charge_id';
BEGIN
    UPDATE record.charge_items SET state = 'charged', refunded = 0 WHERE charge_id = v_charge AND state = 'refunded';
    UPDATE record.charge_sources SET restored = 0 WHERE charge_id = v_charge;
    RETURN NULL;
END $$;
CREATE TRIGGER forget AFTER INSERT ON record.action_steps FOR EACH ROW
    WHEN (NEW.effect ->> 'effect' = 'restore') EXECUTE FUNCTION record.forget()";

/// A group goes on whatever stands in its way, and nothing is settled one by one.
const NO_FALLBACK: &str = "
CREATE OR REPLACE FUNCTION record.one_by_one(p_what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN NULL; END $$";

/// A group answers for all of its restorations and does none.
const ANSWERS_FIRST: &str = "
CREATE OR REPLACE FUNCTION api.settle_many(p_wanted jsonb, p_at bigint) RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object('step', 0, 'part', w.said -> 'part', 'at', p_at, 'receipt', jsonb_build_object(
            'receipt', 'restored', 'refund_id', w.said -> 'effect' -> 'refund_id', 'total', 1, 'balances', '[]'::jsonb))
        ORDER BY w.place)
    FROM jsonb_array_elements(p_wanted) WITH ORDINALITY AS w (said, place)
$$";

/// Looks for what is due, and then claims it.
const CLAIMED_TWICE: &str = "
CREATE OR REPLACE FUNCTION api.claim_due(p_worker text, p_limit bigint, p_lease bigint, p_at bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, record, pg_temp AS $$
DECLARE
    v_roots text[] := ARRAY(SELECT root_id FROM record.due_runs
        WHERE next_at <= p_at AND (claimed_until IS NULL OR claimed_until <= p_at) ORDER BY next_at, root_id LIMIT p_limit);
BEGIN
    UPDATE record.due_runs SET claimed_by = p_worker, claimed_until = p_at + p_lease WHERE root_id = ANY (v_roots);
    RETURN coalesce((SELECT jsonb_agg(jsonb_build_object('root_id', root_id, 'charged_at', charged_at, 'tries', tries))
        FROM record.due_runs WHERE root_id = ANY (v_roots)), '[]');
END $$";

/// A yes that was used stays a yes. Of triggers on one row the one whose name comes last has the last word.
const USED_AGAIN: &str = "
CREATE FUNCTION record.stays_a_yes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.state := 'approved';
    NEW.used_by := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER zz_stays_a_yes BEFORE UPDATE ON record.approvals FOR EACH ROW
    WHEN (NEW.state = 'used') EXECUTE FUNCTION record.stays_a_yes()";

pub fn beds() -> Vec<Bed> {
    vec![writers(), programs(), servers(), disks(), links(), given_up(), races(), recoveries(), weeks()]
}

fn recoveries() -> Bed {
    let play = |forgetful| -> Play {
        let plant = recover::Plant { forgetful };
        let size = recover::Size { seeds: None, pairs: Some(0), plant };
        Box::new(move |run| recover::play(run, &size))
    };
    let bug = Bug { name: "every file from its first byte", shows: &["were fetched twice"], play: play(true) };
    Bed { suite: "recover", control: play(false), bugs: vec![bug] }
}

fn weeks() -> Bed {
    let play = |plant| -> Play { Box::new(move |run| week::play(run, 220, plant)) };
    let bug = |name, plant| Bug { name, shows: &["and is lost"], play: play(plant) };
    Bed {
        suite: "week",
        control: play(week::Plant::Nothing),
        bugs: vec![
            bug("looks again in an hour", week::Plant::LooksSeldom),
            bug("asks nobody after a webhook", week::Plant::HearsNothing),
            bug("sleeps for an hour after a pass", week::Plant::SleepsThrough),
        ],
    }
}

fn killed(size: kill::Size) -> Play {
    Box::new(move |run| kill::play(run, &size))
}

fn writers() -> Bed {
    let size = kill::Size { instants: 20, ..kill::Size::NONE };
    let bug = |name, shows, plant| Bug { name, shows, play: killed(kill::Size { plant, ..size }) };
    Bed {
        suite: "kill",
        control: killed(size),
        bugs: vec![
            bug("acknowledges first", &["acknowledged of"], Plant::EarlyAck),
            bug("new keys after a kill", &["stopped by itself: `remedy`"], Plant::NewKeys),
        ],
    }
}

fn programs() -> Bed {
    let size = kill::Size { named: Some(12), ..kill::Size::NONE };
    let bug = Bug {
        name: "forgets to resume",
        shows: &["an action has no end"],
        play: killed(kill::Size { forgets: true, ..size }),
    };
    Bed { suite: "kill", control: killed(size), bugs: vec![bug] }
}

fn servers() -> Bed {
    let size = kill::Size { pg_stops: 3, ..kill::Size::NONE };
    let bug = Bug {
        name: "a session may be hasty",
        shows: &["acknowledged of"],
        play: killed(kill::Size { planted: NOT_DURABLE, ..size }),
    };
    Bed { suite: "kill", control: killed(size), bugs: vec![bug] }
}

fn disks() -> Bed {
    let size = powercut::Size { cuts: 20, acks: 0, acks_a_cut: 160, plant: Plant::Nothing, lies: None, between: false };
    let cut = |size: powercut::Size| -> Play { Box::new(move |run| powercut::cuts(run, &size)) };
    let bug = |name, shows, size| Bug { name, shows, play: cut(size) };
    Bed {
        suite: "powercut",
        control: cut(size),
        bugs: vec![
            bug(
                "the log is not synced",
                &["acknowledged of", "can't be read", "damaged"],
                powercut::Size { lies: Some("-wal"), ..size },
            ),
            bug("acknowledges first", &["acknowledged of"], powercut::Size { plant: Plant::EarlyAck, ..size }),
            bug("no cut meets a commit", &["between commits"], powercut::Size { between: true, ..size }),
        ],
    }
}

fn links() -> Bed {
    let cut = |sender| -> Play { Box::new(move |run| pg_cut::small(run, 24, sender)) };
    let bug = Bug { name: "a new key after a cut", shows: &["under a new key", "again)"], play: cut(Sender::NewKey) };
    Bed { suite: "pg-cut", control: cut(Sender::Faithful), bugs: vec![bug] }
}

fn given_up() -> Bed {
    let play = |clean| -> Play { Box::new(move |run| pg_cut::given_up(run, 200, clean)) };
    let bug = Bug {
        name: "connections handed out as they are",
        shows: &["cancelled calls an acknowledged write was not there"],
        play: play(false),
    };
    Bed { suite: "pg-cut", control: play(true), bugs: vec![bug] }
}

fn races() -> Bed {
    let race = |planted| -> Play {
        Box::new(move |run| pg_race::race(run, &pg_race::Size { planted, ..pg_race::Size::SMALL }))
    };
    let bug = |name, shows, planted| Bug { name, shows, play: race(planted) };
    Bed {
        suite: "pg-race",
        control: race(""),
        bugs: vec![
            bug("no key against a second restoration", &["winners", "settled twice"], RESTORED_AGAIN),
            bug("a group goes on whatever is in its way", &["both remedies", "what its items say"], NO_FALLBACK),
            bug("a group answers for what it did not do", &["in no journal"], ANSWERS_FIRST),
            bug("looks and then claims", &["times at once"], CLAIMED_TWICE),
            bug("a yes is used again", &["was used"], USED_AGAIN),
        ],
    }
}
