//! Cases, findings, choices, drafts and views.

use makegood_domain::diagnose::{ItemActionKind, Reason, Verdict};
use makegood_domain::ports::{
    AttachmentFile, ChosenRuns, Draft, DraftKind, DraftSave, Finding, NewCase, QueueLine, QueueQuery, SavedView,
    StoreError,
};
use makegood_domain::support::{Attachment, TicketStatus};

use super::world::{at, charge, deliver, finding, lease, new_case, restore, run};
use super::{Seen, act, number, world};

async fn charged<S: Seen>() -> S {
    world(vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[320], &[("bal_q", 320)])]).await
}

pub(crate) async fn a_ticket_has_one_case<S: Seen>() {
    let store = charged::<S>().await;
    let mut new = new_case("c1");
    let picture = Attachment {
        id: Some("att_1".into()),
        name: "canvas.png".into(),
        kind: "image".into(),
        description: "empty".into(),
    };
    new.ticket.attachments = vec![picture.clone(), Attachment { id: Some("att_2".into()), ..picture }];
    new.files = vec![AttachmentFile {
        id: "att_1".into(),
        name: "canvas.png".into(),
        media_type: "image/png".into(),
        bytes: vec![1, 2, 3],
    }];
    let (case, is_new) = store.open_case(&new).await.unwrap();
    assert!(is_new);
    assert_eq!((&case.ticket, case.revision, case.finding.is_none()), (&new.ticket, 1, true));
    let again = NewCase { case_id: "c2".into(), ..new.clone() };
    assert_eq!(store.open_case(&again).await.unwrap(), (case.clone(), false));
    assert_eq!(store.case(&case.id).await.unwrap(), case);
    assert_eq!(store.attachment(&"att_1".into()).await.unwrap(), new.files[0]);
    assert_eq!(store.attachment(&"att_2".into()).await.unwrap().bytes, Vec::<u8>::new(), "known by name only");
    let missing = store.attachment(&"att_9".into()).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no attachment att_9");
    assert_eq!(store.case(&"c9".into()).await.unwrap_err().to_string(), "there is no case c9");
}

pub(crate) async fn a_finding_counts_from_the_revision_it_was_made_at<S: Seen>() {
    let store = charged::<S>().await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    assert_eq!(store.cases_without_finding(10).await.unwrap(), std::slice::from_ref(&case.id));
    let found = finding("run_1", Verdict::UploadFailed, Some(at(5000)));
    assert_eq!(store.save_finding(&case.id, 1, &found).await.unwrap(), 2);
    assert!(store.cases_without_finding(10).await.unwrap().is_empty());
    let later = Finding { found_at: at(800), ..found.clone() };
    assert_eq!(store.save_finding(&case.id, 2, &later).await.unwrap(), 2, "it says the same");
    let mut seen = later.clone();
    seen.diagnosis.reasons.push(Reason { rule: "webhook".into(), text: "it came".into(), facts: vec![] });
    assert_eq!(store.save_finding(&case.id, 2, &seen).await.unwrap(), 2, "other reasons for the same");
    assert_eq!(store.case(&case.id).await.unwrap().finding, Some(seen));
    let stale = store.save_finding(&case.id, 1, &later).await.unwrap_err();
    assert!(matches!(stale, StoreError::Stale { what: "case", .. }), "{stale}");
    let other = finding("run_1", Verdict::WebhookLost, None);
    assert_eq!(store.save_finding(&case.id, 2, &other).await.unwrap(), 3);
    assert_eq!(store.case(&case.id).await.unwrap().finding, Some(other));
    assert_eq!(number(&store, "SELECT count(*) FROM findings").await, 3, "the first ones are kept");
    let chosen = ChosenRuns { run_ids: vec!["run_1".into()], agent: "ana".into(), at: at(900), reason: "url".into() };
    assert_eq!(store.choose_runs(&case.id, 3, &chosen).await.unwrap(), 4);
    let other = ChosenRuns { reason: "guess".into(), ..chosen.clone() };
    let stale = store.choose_runs(&case.id, 3, &other).await.unwrap_err();
    assert_eq!(stale.to_string(), "case c1 has changed meanwhile");
    store.assign(&case.id, Some(&"ben".into()), &"ana".into(), at(901)).await.unwrap();
    let record = store.case(&case.id).await.unwrap();
    assert_eq!((record.chosen_runs, record.assignee, record.revision), (Some(chosen), Some("ben".into()), 4));
    assert!(store.assign(&"c9".into(), None, &"ana".into(), at(901)).await.is_err());
}

async fn line<S: Seen>(store: &S) -> QueueLine {
    let search = QueueQuery { search: "TCK_C1 lookbook".into(), ..QueueQuery::default() };
    store.queue(&search).await.unwrap().lines[0].clone()
}

pub(crate) async fn the_queue_follows_ledger_and_vault<S: Seen>() {
    let store = charged::<S>().await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    store.save_finding(&case.id, 1, &finding("run_1", Verdict::UploadFailed, Some(at(5000)))).await.unwrap();
    let before = line(&store).await;
    assert_eq!((before.amount, before.saved, before.file_deadline), (Some(320), false, Some(at(5000))));
    assert_eq!((before.model.as_deref(), before.customer.as_str()), (Some("Veo 3.1"), "ana@example.com"));
    act(&store, "k1", &[lease("run_1"), deliver("run_1", 1, "a")]).await;
    let after = line(&store).await;
    assert_eq!((after.amount, after.saved), (Some(0), true), "our copy is in the vault");

    let store = charged::<S>().await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    store.save_finding(&case.id, 1, &finding("run_1", Verdict::ProviderFailed, None)).await.unwrap();
    act(&store, "k1", &[restore("rfd_1", "chg_1", "run_1", 320)]).await;
    assert_eq!(line(&store).await.amount, Some(0));
}

pub(crate) async fn a_file_that_is_gone_does_not_come_before_one_that_can_be_lost<S: Seen>() {
    let store = charged::<S>().await;
    for (id, deadline, action) in [("c1", at(100), ItemActionKind::Restore), ("c2", at(5000), ItemActionKind::Recover)]
    {
        let (case, _) = store.open_case(&new_case(id)).await.unwrap();
        let mut found = finding("run_1", Verdict::UploadFailed, Some(deadline));
        found.diagnosis.item_actions[0].action = action;
        store.save_finding(&case.id, 1, &found).await.unwrap();
    }
    let lines = store.queue(&QueueQuery { as_of: at(700), ..QueueQuery::default() }).await.unwrap().lines;
    let shown: Vec<_> = lines.iter().map(|line| (line.case_id.as_str(), line.file_deadline)).collect();
    assert_eq!(shown, [("c2", Some(at(5000))), ("c1", Some(at(100)))], "the deadline of what is gone is still told");
}

pub(crate) async fn a_case_is_a_ticket_about_its_run<S: Seen>() {
    let store = charged::<S>().await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    store.save_finding(&case.id, 1, &finding("run_1", Verdict::UploadFailed, None)).await.unwrap();
    let requester = &case.ticket.requester;
    let own = store.scope(requester, Some(&case.ticket.id), at(1000)).await.unwrap();
    assert_eq!(own.runs[0].tickets, vec![], "not about itself");
    let other = store.scope(requester, Some(&"tck_c2".into()), at(1000)).await.unwrap();
    let link = &other.runs[0].tickets[0];
    assert_eq!((link.id.as_str(), link.status, link.run_ids.len()), ("tck_c1", TicketStatus::Open, 1));
}

pub(crate) async fn no_text_is_lost<S: Seen>() {
    let store = charged::<S>().await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    let draft = |author: &str, text: &str, revision: i64| Draft {
        case_id: case.id.clone(),
        kind: DraftKind::EscalationNote,
        author: author.into(),
        text: text.into(),
        revision,
        saved_at: at(700),
    };
    let saved = |revision| DraftSave::Saved { revision };
    assert_eq!(store.save_draft(&draft("ana", "one", 0), 0).await.unwrap(), saved(1));
    assert_eq!(store.save_draft(&draft("ana", "one two", 1), 1).await.unwrap(), saved(2));
    assert_eq!(store.save_draft(&draft("ana", "one two", 1), 0).await.unwrap(), saved(2), "the same text again");
    let theirs = draft("ana", "one two", 2);
    assert_eq!(store.save_draft(&draft("ana", "elsewhere", 1), 1).await.unwrap(), DraftSave::Conflict { theirs });
    assert_eq!(store.save_draft(&draft("ben", "mine", 0), 0).await.unwrap(), saved(1), "each writes for themselves");
    let texts: Vec<_> = store.drafts(&case.id).await.unwrap().into_iter().map(|row| row.text).collect();
    assert_eq!(texts, ["one two", "mine"]);
    assert_eq!(
        number(&store, "SELECT count(*) FROM draft_history WHERE text = 'elsewhere' AND revision IS NULL").await,
        1
    );
    assert_eq!(number(&store, "SELECT count(*) FROM draft_history").await, 4);
}

pub(crate) async fn views_are_kept_by_agent_and_name<S: Seen>() {
    let store = charged::<S>().await;
    let view = |limit: u64| SavedView { name: "urgent".into(), query: QueueQuery { limit, ..QueueQuery::default() } };
    store.save_view(&"ana".into(), &view(10)).await.unwrap();
    store.save_view(&"ana".into(), &view(20)).await.unwrap();
    assert_eq!(store.saved_views(&"ana".into()).await.unwrap(), [view(20)]);
    assert!(store.saved_views(&"ben".into()).await.unwrap().is_empty());
    store.delete_view(&"ana".into(), "urgent").await.unwrap();
    assert!(store.saved_views(&"ana".into()).await.unwrap().is_empty());
}
