//! What a person may restore alone, and the second person's yes to the rest (R53, I11).

use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::plan::{Effect, Plan, money_digest, restorations};
use makegood_domain::ports::{
    Applied, Approval, ApprovalDecision, ApprovalRequest, ApprovalState, Begun, Decided, Person, Role, Store,
};

use super::world::restore;
use super::world::{self, at, charge, new_case, run};
use super::{begin, take};

/// Runs `r0` … `r3` of 100 each; Ana may restore 150 in one posting and 250 in a day, Ben approves.
async fn desk(store: &dyn Store) {
    let mut facts = Vec::new();
    for number in 0..4 {
        let id = format!("r{number}");
        facts.push(run(&id, "a", "a", 10));
        facts.push(charge(&format!("chg_{id}"), &id, "a", 20, &[100], &[("bal_q", 100)]));
    }
    take(store, &facts, at(1500)).await;
    for (id, role) in [("ana", Role::Agent), ("ben", Role::Approver), ("cy", Role::Agent)] {
        let roles = vec![role];
        let person = Person { id: id.into(), name: id.to_uppercase(), roles, per_posting: 150, per_day: 250 };
        store.put_person(&person, at(1500)).await.unwrap();
    }
}

fn back(number: u32) -> Effect {
    restore(&format!("rfd_{number}"), &format!("chg_r{number}"), &format!("r{number}"), 100)
}

fn wanted(effects: &[Effect]) -> Vec<ChargeRestoration> {
    restorations(&Plan { steps: world::steps(effects), ..world::plan(&"x".into(), 1) })
}

/// Ana's request for the restorations of `effects` on the case of action `key`, at `seconds`.
async fn request(store: &dyn Store, id: &str, key: &str, effects: &[Effect], seconds: i64) -> ApprovalRequest {
    let (case, _) = store.open_case(&new_case(&format!("case_{key}"))).await.unwrap();
    let restorations = wanted(effects);
    ApprovalRequest {
        id: id.into(),
        digest: money_digest(&case.id, &restorations, &[], "a promise"),
        case_id: case.id,
        amount: 100 * i64::try_from(effects.len()).unwrap(),
        restorations,
        releases: Vec::new(),
        reason: "a promise".into(),
        asked_by: "ana".into(),
        asked_at: at(seconds),
    }
}

async fn decide(store: &dyn Store, request: &ApprovalRequest, state: ApprovalState, by: &str, seconds: i64) -> Decided {
    let decision = ApprovalDecision { digest: request.digest.clone(), state, by: by.into(), note: Some("seen".into()) };
    store.decide_approval(&request.id, &decision, at(seconds)).await.unwrap()
}

fn done(decided: Decided) -> Approval {
    match decided {
        Decided::Done(approval) => *approval,
        other => panic!("{other:?}"),
    }
}

fn refused(decided: Decided) -> String {
    match decided {
        Decided::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

/// A request of Ana's that Ben said yes to at `seconds`.
async fn approved(store: &dyn Store, id: &str, key: &str, effects: &[Effect], seconds: i64) -> ApprovalRequest {
    let asked = request(store, id, key, effects, seconds - 1).await;
    done(store.ask_approval(&asked).await.unwrap());
    done(decide(store, &asked, ApprovalState::Approved, "ben", seconds).await);
    asked
}

fn why(begun: Begun) -> String {
    match begun {
        Begun::ApprovalNeeded { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

async fn apply(store: &dyn Store, key: &str, step: u32, effect: &Effect) -> Applied {
    store.apply(&key.into(), step, 0, effect, at(2000)).await.unwrap()
}

pub(crate) async fn limits_are_by_posting_and_by_day(store: &dyn Store) {
    desk(store).await;
    let both = [back(0), back(1)];
    let begun = begin(store, "k1", "ana", &both, None).await;
    assert!(matches!(begun, Begun::ApprovalNeeded { amount: 200, .. }), "{begun:?}");
    assert!(why(begun).contains("over the limit of 150 in one posting"));
    assert_eq!(store.action(&"k1".into()).await.unwrap(), None, "nothing was journalled");
    for number in 0..2 {
        let key = format!("day_{number}");
        assert_eq!(begin(store, &key, "ana", &[back(number)], None).await, Begun::New);
        assert!(matches!(apply(store, &key, 0, &back(number)).await, Applied::Done(_)));
    }
    let me = store.identity(&"ana".into(), at(2000)).await.unwrap();
    assert_eq!((me.restored_today, me.person.per_day, me.person.name.as_str()), (200, 250, "ANA"));
    assert_eq!(store.identity(&"ana".into(), at(86_400)).await.unwrap().restored_today, 0, "another day");
    let third = why(begin(store, "day_2", "ana", &[back(2)], None).await);
    assert!(third.contains("after 200 today, are over the limit of 250 in a day"), "{third}");
    assert_eq!(begin(store, "ans", "ana", &[], None).await, Begun::New, "what restores nothing needs nobody");
}

pub(crate) async fn two_actions_cannot_pass_the_day_together(store: &dyn Store) {
    desk(store).await;
    for number in 0..3 {
        assert_eq!(begin(store, &format!("k{number}"), "ana", &[back(number)], None).await, Begun::New);
    }
    assert!(matches!(apply(store, "k0", 0, &back(0)).await, Applied::Done(_)));
    assert!(matches!(apply(store, "k1", 0, &back(1)).await, Applied::Done(_)));
    let third = apply(store, "k2", 0, &back(2)).await;
    assert!(matches!(&third, Applied::Refused(why) if why.contains("limit of 250 in a day")), "{third:?}");
    assert_eq!(store.identity(&"ana".into(), at(2000)).await.unwrap().restored_today, 200);
}

pub(crate) async fn a_limit_that_was_lowered_counts_at_once(store: &dyn Store) {
    desk(store).await;
    assert_eq!(begin(store, "k1", "ana", &[back(0)], None).await, Begun::New);
    let (name, roles) = ("ANA".to_owned(), vec![Role::Agent]);
    let lowered = Person { id: "ana".into(), name, roles, per_posting: 99, per_day: 250 };
    store.put_person(&lowered, at(1600)).await.unwrap();
    let applied = apply(store, "k1", 0, &back(0)).await;
    assert!(
        matches!(&applied, Applied::Refused(why) if why.contains("over the limit of 99 in one posting")),
        "{applied:?}"
    );
    assert_eq!(store.identity(&"ana".into(), at(2000)).await.unwrap().restored_today, 0);
}

pub(crate) async fn a_yes_is_for_exactly_this(store: &dyn Store) {
    desk(store).await;
    let both = [back(0), back(1)];
    approved(store, "apr_1", "k1", &both, 1990).await;
    let other_money = why(begin(store, "k1", "ana", &[back(0), back(2)], Some("a promise")).await);
    assert!(other_money.contains("a second person must approve it"), "{other_money}");
    why(begin(store, "k1", "ana", &both, Some("another reason")).await);
    why(begin(store, "k1", "ana", &both, None).await);
    why(begin(store, "k1", "cy", &both, Some("a promise")).await);
    why(begin(store, "k2", "ana", &both, Some("a promise")).await);
    assert_eq!(begin(store, "k1", "ana", &both, Some("a promise")).await, Begun::New);
    for (step, effect) in (0..).zip(&both) {
        assert!(matches!(apply(store, "k1", step, effect).await, Applied::Done(_)));
    }
    assert_eq!(store.identity(&"ana".into(), at(2000)).await.unwrap().restored_today, 200);
    let used = store.approvals(false, 10, at(2000)).await.unwrap();
    assert_eq!((used[0].state, used[0].used_by.clone()), (ApprovalState::Used, Some("k1".into())));
    assert_eq!(store.approvals(true, 10, at(2000)).await.unwrap(), vec![]);
}

pub(crate) async fn a_yes_is_used_once(store: &dyn Store) {
    desk(store).await;
    let both = [back(0), back(1)];
    approved(store, "apr_1", "same", &both, 1990).await;
    let (case, _) = store.open_case(&new_case("case_same")).await.unwrap();
    let plan = Plan { steps: world::steps(&both), ..world::plan(&case.id, case.revision) };
    let tries = (0..8).map(|number| {
        let (mut order, plan) = (world::order(&format!("k{number}"), "ana"), plan.clone());
        order.reason = Some("a promise".into());
        async move { (order.key.clone(), store.begin_action(&order, &plan).await.unwrap()) }
    });
    let mut begun = Vec::new();
    for outcome in futures_of(tries).await {
        if outcome.1 == Begun::New {
            begun.push(outcome.0);
        }
    }
    let [winner] = begun.as_slice() else { panic!("{begun:?}") };
    let used = store.approvals(false, 10, at(2000)).await.unwrap();
    assert_eq!(used[0].used_by.as_ref(), Some(winner));
    let failed = makegood_domain::ports::ActionState::FailedBeforeEffect { why: "no".into(), retry: true };
    store.finish_action(winner, &failed, at(2001)).await.unwrap();
    let again = why(begin(store, "same", "ana", &both, Some("a promise")).await);
    assert!(again.contains("must approve"), "used is used, whatever became of the action: {again}");
}

/// All of them at the same time.
async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in &mut waiting {
            if answer.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *answer = Some(value);
            }
        }
        if waiting.iter().all(|(_, answer)| answer.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, answer)| answer).collect()
}

pub(crate) async fn a_yes_expires_at_its_instant(store: &dyn Store) {
    desk(store).await;
    let both = [back(0), back(1)];
    // Orders are given at 2000: the one yes is just 15 minutes old then, the other a second more.
    let asked = approved(store, "apr_1", "late", &both, 2000 - 901).await;
    let late = why(begin(store, "late", "ana", &both, Some("a promise")).await);
    assert!(late.contains("more than 15 minutes ago"), "{late}");
    let told = store.approvals(false, 10, at(2000)).await.unwrap();
    assert_eq!((told[0].state, told[0].expires_at), (ApprovalState::Expired, Some(at(1999))));
    assert_eq!(store.approvals(true, 10, at(2000)).await.unwrap(), vec![]);
    let too_late = refused(decide(store, &asked, ApprovalState::Declined, "ben", 2000).await);
    assert!(too_late.contains("is expired already"), "{too_late}");
    approved(store, "apr_2", "just", &both, 2000 - 900).await;
    assert_eq!(store.approvals(true, 10, at(2000)).await.unwrap().len(), 1);
    assert_eq!(begin(store, "just", "ana", &both, Some("a promise")).await, Begun::New);
}

pub(crate) async fn an_unanswered_request_expires(store: &dyn Store) {
    desk(store).await;
    let both = [back(0), back(1)];
    let asked = request(store, "apr_1", "k1", &both, 1600).await;
    done(store.ask_approval(&asked).await.unwrap());
    let waits = why(begin(store, "k1", "ana", &both, Some("a promise")).await);
    assert!(waits.contains("waits for a second person's answer"), "{waits}");
    let (last, over) = (1600 + 86_400, 1601 + 86_400);
    assert_eq!(store.approvals(true, 10, at(last)).await.unwrap()[0].state, ApprovalState::Waiting);
    assert_eq!(store.approvals(false, 10, at(over)).await.unwrap()[0].state, ApprovalState::Expired);
    let late = refused(decide(store, &asked, ApprovalState::Approved, "ben", over).await);
    assert!(late.contains("is expired already"), "{late}");
}

pub(crate) async fn nobody_answers_the_own_request(store: &dyn Store) {
    desk(store).await;
    let asked = request(store, "apr_1", "k1", &[back(0), back(1)], 1600).await;
    done(store.ask_approval(&asked).await.unwrap());
    for state in [ApprovalState::Approved, ApprovalState::Declined] {
        let own = refused(decide(store, &asked, state, "ana", 1601).await);
        assert!(own.contains("your own request"), "{own}");
    }
    let not_approver = refused(decide(store, &asked, ApprovalState::Approved, "cy", 1601).await);
    assert!(not_approver.contains("cy may not approve"), "{not_approver}");
    let not_own = refused(decide(store, &asked, ApprovalState::Withdrawn, "ben", 1601).await);
    assert!(not_own.contains("only who asked"), "{not_own}");
    let invented = refused(decide(store, &asked, ApprovalState::Used, "ben", 1601).await);
    assert!(invented.contains("nobody decides"), "{invented}");
    let mut other = asked.clone();
    other.digest = "0".repeat(64);
    let unseen = refused(decide(store, &other, ApprovalState::Approved, "ben", 1601).await);
    assert!(unseen.contains("look at it again"), "{unseen}");
    let yes = done(decide(store, &asked, ApprovalState::Approved, "ben", 1602).await);
    assert_eq!((yes.decided_at, yes.expires_at, yes.note.as_deref()), (Some(at(1602)), Some(at(2502)), Some("seen")));
    let twice = decide(store, &asked, ApprovalState::Approved, "ben", 1700).await;
    assert_eq!(twice, Decided::Already(Box::new(yes)));
    let changed = refused(decide(store, &asked, ApprovalState::Declined, "ben", 1700).await);
    assert!(changed.contains("is approved already"), "{changed}");
}

pub(crate) async fn a_request_is_asked_once(store: &dyn Store) {
    desk(store).await;
    let asked = request(store, "apr_1", "k1", &[back(0), back(1)], 1600).await;
    let waiting = done(store.ask_approval(&asked).await.unwrap());
    assert_eq!((waiting.state, &waiting.request), (ApprovalState::Waiting, &asked));
    let subject = new_case("case_k1").ticket.subject;
    assert!(!subject.is_empty() && waiting.subject == subject, "{waiting:?}");
    assert_eq!(store.approvals(true, 9, at(1600)).await.unwrap(), std::slice::from_ref(&waiting));
    assert_eq!(store.ask_approval(&asked).await.unwrap(), Decided::Already(Box::new(waiting)));
    let twisted: [fn(&mut ApprovalRequest); 5] = [
        |row| row.amount = 201,
        |row| row.reason = "another".into(),
        |row| row.asked_by = "cy".into(),
        |row| (row.id, row.amount) = ("apr_2".into(), 199),
        |row| (row.id, row.reason) = ("apr_2".into(), "not what the digest says".into()),
    ];
    for twist in twisted {
        let mut other = asked.clone();
        twist(&mut other);
        refused(store.ask_approval(&other).await.unwrap());
    }
    let taken_back = done(decide(store, &asked, ApprovalState::Withdrawn, "ana", 1601).await);
    assert_eq!((taken_back.state, taken_back.expires_at), (ApprovalState::Withdrawn, None));
    let late = refused(decide(store, &asked, ApprovalState::Approved, "ben", 1602).await);
    assert!(late.contains("is withdrawn already"), "{late}");
    assert_eq!(store.people().await.unwrap().len(), 3);
}
