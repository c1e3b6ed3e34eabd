//! Tables of single moves, and random sequences of them.

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn lease(key: &str, until: i64) -> Move {
    Move::Lease { key: key.into(), until: at(until) }
}

fn deliver(key: &str, epoch: i64) -> Move {
    Move::Deliver { by: By::Action(key.into()), epoch }
}

fn release(key: &str, epoch: i64) -> Move {
    Move::Release { key: key.into(), epoch }
}

fn fence(key: &str) -> Move {
    Move::Fence { by: By::Action(key.into()) }
}

const PLATFORM_DELIVERS: Move = Move::Deliver { by: By::Platform, epoch: 0 };
const PLATFORM_FENCES: Move = Move::Fence { by: By::Platform };

/// The item after moves that must all be made, a second apart.
fn after(price: Credits, moves: &[Move]) -> Item {
    moves.iter().zip(1..).fold(Item::charged(price), |item, (what, second)| {
        step(&item, what, at(second)).unwrap_or_else(|refusal| panic!("{what:?} of {item:?}: {refusal}"))
    })
}

type Row<'a> = (&'a str, &'a [Move], Move, i64, Result<(State, i64, Credits), Refusal>);

fn check(table: &[Row<'_>]) {
    for (name, before, what, second, wanted) in table {
        let item = after(10, before);
        let found = step(&item, what, at(*second)).map(|next| (next.state, next.epoch, next.refunded));
        assert_eq!(&found, wanted, "{name}");
    }
}

#[test]
fn a_lease_keeps_others_off_until_it_is_over() {
    let live = Refusal::Leased { key: "a".into(), until: at(100) };
    check(&[
        ("first", &[], lease("a", 100), 5, Ok((State::Delivering, 1, 0))),
        ("none at all", &[], lease("a", 5), 5, Err(Refusal::NoLease { until: at(5), at: at(5) })),
        ("another's", &[lease("a", 100)], lease("b", 200), 99, Err(live.clone())),
        ("one's own, twice", &[lease("a", 100)], lease("a", 200), 99, Err(live.clone())),
        ("over", &[lease("a", 100)], lease("b", 200), 100, Ok((State::Delivering, 2, 0))),
        ("refund", &[lease("a", 100)], Move::Refund { amount: 10 }, 99, Err(live.clone())),
        ("fence", &[lease("a", 100)], fence("b"), 99, Err(live)),
        ("fence of what is over", &[lease("a", 100)], fence("b"), 100, Ok((State::Released, 2, 0))),
        ("fence of one's own", &[lease("a", 100)], fence("a"), 100, Ok((State::Released, 1, 0))),
        ("the platform's fence", &[lease("a", 100)], PLATFORM_FENCES, 9, Ok((State::Released, 2, 0))),
        ("of what is delivered", &[PLATFORM_DELIVERS], lease("a", 100), 9, Err(Refusal::Settled(State::Delivered))),
    ]);
}

#[test]
fn only_the_newest_holder_delivers_or_gives_back() {
    let not_held = |epoch, now| Err(Refusal::NotHeld { epoch, now });
    let fenced = [lease("a", 100), PLATFORM_FENCES];
    check(&[
        ("holder", &[lease("a", 100)], deliver("a", 1), 50, Ok((State::Delivered, 1, 0))),
        ("late, and nobody minded", &[lease("a", 100)], deliver("a", 1), 500, Ok((State::Delivered, 1, 0))),
        ("another", &[lease("a", 100)], deliver("b", 1), 50, not_held(1, 1)),
        ("old epoch", &[lease("a", 100)], deliver("a", 0), 50, not_held(0, 1)),
        ("fenced", &fenced, deliver("a", 1), 50, not_held(1, 2)),
        ("never leased", &[], deliver("a", 0), 50, not_held(0, 0)),
        ("gives back", &[lease("a", 100)], release("a", 1), 50, Ok((State::Released, 1, 0))),
        ("another gives back", &[lease("a", 100)], release("b", 1), 50, not_held(1, 1)),
        ("the platform", &[lease("a", 100)], PLATFORM_DELIVERS, 50, Ok((State::Delivered, 1, 0))),
        ("after the platform", &[lease("a", 100), PLATFORM_DELIVERS], deliver("a", 1), 50, not_held(1, 1)),
    ]);
}

#[test]
fn refunds_stay_within_the_price() {
    let refund = |amount| Move::Refund { amount };
    let above = |refunded, amount| Err(Refusal::AbovePrice { price: 10, refunded, amount });
    check(&[
        ("whole", &[], refund(10), 9, Ok((State::Refunded, 0, 10))),
        ("part", &[], refund(3), 9, Ok((State::Refunded, 0, 3))),
        ("the rest", &[refund(3)], refund(7), 9, Ok((State::Refunded, 0, 10))),
        ("too much", &[], refund(11), 9, above(0, 11)),
        ("too much in all", &[refund(3)], refund(8), 9, above(3, 8)),
        ("without end", &[refund(3)], refund(i64::MAX), 9, above(3, i64::MAX)),
        ("twice", &[refund(10)], refund(10), 9, Err(Refusal::Settled(State::Refunded))),
        ("nothing", &[], refund(0), 9, Err(Refusal::NoRefund { amount: 0, price: 10 })),
        ("less than nothing", &[], refund(-1), 9, Err(Refusal::NoRefund { amount: -1, price: 10 })),
        ("of what is delivered", &[PLATFORM_DELIVERS], refund(1), 9, Err(Refusal::Settled(State::Delivered))),
        ("of what was damaged", &[PLATFORM_DELIVERS, Move::Damage], refund(10), 9, Ok((State::Refunded, 0, 10))),
        ("a part back", &[refund(3), refund(7)], Move::Reverse { amount: 3 }, 9, Ok((State::Refunded, 0, 7))),
        ("all back", &[refund(3)], Move::Reverse { amount: 3 }, 9, Ok((State::Reversed, 0, 0))),
        (
            "more back",
            &[refund(3)],
            Move::Reverse { amount: 4 },
            9,
            Err(Refusal::NotRefunded { refunded: 3, amount: 4 }),
        ),
        ("of what is refunded", &[refund(3)], PLATFORM_DELIVERS, 9, Err(Refusal::Settled(State::Refunded))),
    ]);
}

#[test]
fn what_cost_nothing_is_refunded_by_nothing_once() {
    let refunded = step(&Item::charged(0), &Move::Refund { amount: 0 }, at(1)).expect("settled");
    assert_eq!((refunded.state, refunded.refunded), (State::Refunded, 0));
    assert_eq!(step(&refunded, &Move::Refund { amount: 0 }, at(2)), Err(Refusal::Settled(State::Refunded)));
    let reversed = step(&refunded, &Move::Reverse { amount: 0 }, at(3)).expect("reversed");
    assert_eq!(reversed.state, State::Reversed);
}

#[test]
fn a_refund_ends_a_lease_that_is_over_first() {
    let leased = after(10, &[lease("a", 100)]);
    let by = |key: &str| By::Action(key.into());
    assert!(matches!(settle_by_refund(&leased, &by("b"), 10, at(99)), Err(Refusal::Leased { .. })));
    let (fenced, refunded) = settle_by_refund(&leased, &by("b"), 10, at(100)).expect("over");
    let fenced = fenced.expect("a change of its own");
    assert_eq!((fenced.state, fenced.epoch, fenced.seq), (State::Released, 2, 2));
    assert_eq!((refunded.state, refunded.epoch, refunded.seq), (State::Refunded, 2, 3));
    let (_, refunded) = settle_by_refund(&leased, &By::Platform, 10, at(5)).expect("the platform has refunded");
    assert_eq!(refunded.state, State::Refunded);
    assert!(settle_by_refund(&leased, &by("b"), 11, at(100)).is_err());
}

#[test]
fn an_output_that_is_moved_to_its_place_delivers() {
    let (leased, delivered) = settle_by_place(&Item::charged(10), &"a".into(), at(6), at(5)).expect("moved");
    assert_eq!((leased.state, leased.seq), (State::Delivering, 1));
    assert_eq!((delivered.state, delivered.epoch, delivered.seq), (State::Delivered, 1, 2));
}

#[test]
fn the_first_is_named() {
    let first = |state, key: Option<&str>, who: Option<&str>| First {
        state,
        document: Some("doc_1".into()),
        key: key.map(Into::into),
        who: who.map(Into::into),
        at: at(60),
    };
    for (row, text) in [
        (
            first(State::Refunded, Some("k"), Some("Ana Prata")),
            "it was refunded (doc_1) by Ana Prata on 1 January 1970 at 00:01:00 UTC",
        ),
        (
            first(State::Delivered, None, None),
            "it was delivered (doc_1) by the platform on 1 January 1970 at 00:01:00 UTC",
        ),
        (first(State::Delivering, Some("k"), None), "it is being recovered on 1 January 1970 at 00:01:00 UTC"),
        (first(State::Released, Some("k"), Some("ana")), "it is released by ana on 1 January 1970 at 00:01:00 UTC"),
    ] {
        assert_eq!(row.to_string(), text);
    }
}

fn any_key() -> impl Strategy<Value = ActionKey> {
    prop_oneof![Just("a".into()), Just("b".into()), Just("c".into())]
}

fn any_by() -> impl Strategy<Value = By> {
    prop_oneof![1 => Just(By::Platform), 3 => any_key().prop_map(By::Action)]
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => (any_key(), 0_i64..60).prop_map(|(key, until)| Move::Lease { key, until: at(until) }),
        3 => (any_by(), 0_i64..6).prop_map(|(by, epoch)| Move::Deliver { by, epoch }),
        1 => (any_key(), 0_i64..6).prop_map(|(key, epoch)| Move::Release { key, epoch }),
        1 => any_by().prop_map(|by| Move::Fence { by }),
        3 => (-1_i64..8).prop_map(|amount| Move::Refund { amount }),
        1 => (-1_i64..8).prop_map(|amount| Move::Reverse { amount }),
        1 => Just(Move::Damage),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_item_never_has_two_remedies(price in 0_i64..12, moves in vec(any_move(), 0..40)) {
        let mut item = Item::charged(price);
        // Sum of the refunds that stand, kept apart from the item.
        let mut stands = 0;
        for (what, second) in moves.iter().zip(0..) {
            let Ok(next) = step(&item, what, at(second)) else { continue };
            match what {
                Move::Refund { amount } => stands += amount,
                Move::Reverse { amount } => stands -= amount,
                _ => {}
            }
            prop_assert_eq!(next.refunded, stands);
            prop_assert!((0..=price).contains(&next.refunded), "{next:?}");
            prop_assert!(next.refunded == 0 || next.state == State::Refunded, "credits went back of {next:?}");
            prop_assert!(next.epoch >= item.epoch && next.epoch <= item.epoch + 1);
            prop_assert_eq!(next.seq, item.seq + i64::from((next.state, next.epoch, &next.lease) != (item.state, item.epoch, &item.lease)
                || matches!(what, Move::Refund { .. })));
            prop_assert_eq!(next.lease.is_some(), next.state == State::Delivering);
            prop_assert!(item.state == next.state || item.state.may_become(next.state));
            prop_assert!(next.state != State::Delivering || next.epoch == item.epoch + 1, "a lease has an epoch of its own");
            prop_assert_eq!(next.price, price);
            item = next;
        }
    }

    /// However an item came to be refunded: a release frees it of all its refunds or of none, and then delivers it.
    #[test]
    fn a_release_changes_one_remedy_for_the_other(price in 1_i64..12, moves in vec(any_move(), 0..40), parts in vec(1_i64..12, 0..4)) {
        let item = moves.iter().zip(0..).fold(Item::charged(price), |item, (what, second)| {
            step(&item, what, at(second)).unwrap_or(item)
        });
        let released = settle_by_release(&item, &parts, &"a".into(), at(61), at(60));
        let whole = item.state == State::Refunded && parts.iter().sum::<i64>() == item.refunded;
        prop_assert_eq!(released.is_ok(), whole, "{:?}: {:?}", item, released);
        if let Ok((reversed, delivered)) = released {
            prop_assert_eq!((reversed.state, reversed.refunded), (State::Reversed, 0));
            prop_assert_eq!((delivered.state, delivered.refunded, delivered.lease), (State::Delivered, 0, None));
            prop_assert_eq!((delivered.seq, delivered.epoch), (item.seq + 3, item.epoch + 1));
        }
    }
}
