//! More than one remedy in one review: a batch of which a part is recovered and a part restored, and results that lie
//! where they do not belong. Each is proved by what the record shows afterwards.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_app::contract::{OutcomeState, ReadBack};
use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::feed::Fact;
use makegood_domain::ids::CaseId;
use makegood_domain::ledger::ItemPrice;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{
    ActionStore as _, Capability, CaseStore as _, Descriptor, FactStore as _, FileSink, JobRef, LookUp, ProviderError,
    ProviderPort, Providers, Retry,
};
use makegood_domain::work::{ItemState, JobItem};
use serde_json::json;

use super::acting::{confirmation, review};
use super::fakes::Mill;
use super::saving::dossier;
use super::telling::told;
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const FINISHED: &str = "2026-03-12T18:12:14Z";

fn fact(kind: &str, data: serde_json::Value) -> Fact {
    serde_json::from_value(json!({ "type": kind, "data": data })).expect("a fact")
}

fn output(id: &str, item: u32, project: &str, node: Option<&str>) -> Fact {
    let row = json!({ "id": id, "run_id": "run_shot4", "item": item, "project_id": project, "node_id": node,
        "stored_at": FINISHED, "bytes": 10, "state": "stored", "in_history": true, "on_canvas": node.is_some() });
    fact("output", row)
}

/// Three clips for 210 credits: the first one delivered, the second one made and not uploaded, the third one failed.
fn batch() -> Vec<Fact> {
    let mut facts = run_of_210("run_shot4", STARTED);
    for fact in &mut facts {
        match fact {
            Fact::Run(run) => run.requested_items = 3,
            Fact::Charge(charge) => charge.items = (1..=3).map(|item| ItemPrice { item, credits: 70 }).collect(),
            _ => {}
        }
    }
    let mut job = made_job("run_shot4", FINISHED, &clip());
    if let Fact::Job(job) = &mut job {
        let first = job.items[0].clone();
        job.items.push(JobItem { item: 2, ..first.clone() });
        job.items.push(JobItem { item: 3, state: ItemState::Failed, file: None, ..first });
        job.looked_up_at = Some(at(FINISHED));
    }
    facts.extend([job, output("out_1", 1, "prj_spring01", Some("nd_shot4"))]);
    facts
}

async fn case_of(house: &House, verdict: Verdict, remedy: Remedy) -> CaseId {
    let case = house.case("T-1", COMPLAINT).await;
    let finding = house.store.case(&case).await.expect("a case").finding.expect("a finding");
    assert_eq!((finding.diagnosis.verdict, finding.diagnosis.remedy), (verdict, remedy));
    case
}

async fn levels(house: &House) -> Vec<i64> {
    let scope = house.store.scope(&ticket("T-1", COMPLAINT).requester, None, at(NOW)).await.expect("readable");
    let mine = scope.accounts.iter().filter(|account| account.id.as_str() == "acc_fern");
    mine.flat_map(|account| &account.balances).map(|balance| balance.current).collect()
}

#[tokio::test]
async fn a_part_of_a_batch_is_recovered_and_the_rest_restored_in_one_review() {
    let house = house(&[ground(), batch()]).await;
    let case = case_of(&house, Verdict::PartialBatch, Remedy::RecoverAssetAndRestoreCredits).await;
    assert_eq!(levels(&house).await, [0, 360]);
    let sheet = review(&house.desk, &case, ActionKind::Recover).await;
    assert_eq!(sheet.files.iter().map(|file| file.item).collect::<Vec<_>>(), [2]);
    assert_eq!((sheet.postings[0].items.as_slice(), sheet.restored_total), ([3].as_slice(), 70));
    assert!(sheet.checks.iter().all(|check| check.ok), "{:?}", sheet.checks);
    let done = house.desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let whole = |proof: &ReadBack| {
        matches!(proof, ReadBack::File { matches: true, .. } | ReadBack::Balance { matches: true, .. })
    };
    assert_eq!(done.read_back.iter().filter(|proof| whole(proof)).count(), 2, "{:?}", done.read_back);
    let after = dossier(&house, "run_shot4").await;
    let mut delivered: Vec<_> = after.outputs.iter().map(|row| (row.item, row.on_canvas)).collect();
    delivered.sort_unstable();
    assert_eq!(delivered, [(1, true), (2, true)]);
    assert_eq!(after.refunds.iter().map(|row| row.items.clone()).collect::<Vec<_>>(), [vec![3]]);
    assert_eq!(levels(&house).await, [70, 360], "quota first (P5)");
}

#[tokio::test]
async fn a_result_at_another_node_is_put_where_it_belongs() {
    let node = json!({ "id": "nd_other", "project_id": "prj_spring01", "label": "Shot 5", "status": "active", "deleted_at": null });
    let mut facts = run_of_210("run_shot4", STARTED);
    facts.extend([
        fact("node", node),
        made_job("run_shot4", FINISHED, &clip()),
        output("out_1", 1, "prj_spring01", Some("nd_other")),
    ]);
    let house = house(&[ground(), facts]).await;
    let case = case_of(&house, Verdict::MisattributedSameCustomer, Remedy::Reattach).await;
    let sheet = review(&house.desk, &case, ActionKind::Reattach).await;
    assert!((sheet.files.is_empty(), sheet.restored_total) == (true, 0) && !sheet.effects.is_empty());
    let done = house.desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let after = dossier(&house, "run_shot4").await;
    let nodes: Vec<_> = after.outputs.iter().filter_map(|row| row.node_id.as_ref()).map(|id| id.as_str()).collect();
    assert_eq!(nodes, ["nd_shot4"]);
    assert_eq!(levels(&house).await, [0, 360], "no charge and no refund");
}

#[tokio::test]
async fn a_result_with_somebody_else_is_made_unreachable_there_and_given_to_its_owner() {
    let balances =
        json!([{ "id": "bal_z", "kind": "wallet", "opening": 5, "opening_at": "2026-03-01T00:00:00Z", "current": 5 }]);
    let mut facts = vec![
        fact("user", json!({ "id": "usr_z", "email": "zoe@example.com", "timezone": "UTC", "locale": "en-GB" })),
        fact(
            "account",
            json!({ "id": "acc_z", "kind": "personal", "owner_user_id": "usr_z", "storage_quota_mb": 100,
            "storage_used_mb": 0, "subscription": null, "balances": balances }),
        ),
        fact(
            "project",
            json!({ "id": "prj_z", "name": "Rodeo", "account_id": "acc_z", "workspace_id": null,
            "status": "active", "deleted_at": null }),
        ),
    ];
    facts.extend(run_of_210("run_shot4", STARTED));
    facts.extend([made_job("run_shot4", FINISHED, &clip()), output("out_1", 1, "prj_z", None)]);
    let house = house(&[ground(), facts]).await;
    let case = case_of(&house, Verdict::MisattributedOtherCustomer, Remedy::QuarantineAndRecover).await;
    let sheet = review(&house.desk, &case, ActionKind::Quarantine).await;
    assert!(sheet.effects.iter().any(|line| line.contains("unreachable")), "{:?}", sheet.effects);
    let done = house.desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let after = dossier(&house, "run_shot4").await;
    let places: Vec<_> = after.outputs.iter().map(|row| (row.project_id.as_str(), row.on_canvas)).collect();
    assert_eq!(places, [("prj_spring01", true)], "with its owner, and nowhere else");
    let kinds: Vec<_> = house.store.outbox(20).await.expect("readable").into_iter().map(|line| line.kind).collect();
    for wanted in ["asset_quarantined", "asset_moved", "incident_opened"] {
        assert!(kinds.iter().any(|kind| kind == wanted), "{wanted}: {kinds:?}");
    }
    assert_eq!(told(&*house.store).await, ["asset.moved", "asset.quarantined"].map(str::to_owned).into());
}

/// A provider, `mill`, that no longer has the file of the second item, and cannot tell before it is fetched.
struct Forgetful(Arc<Mill>);

#[async_trait]
impl ProviderPort for Forgetful {
    fn descriptor(&self) -> Descriptor {
        self.0.descriptor()
    }

    fn capability(&self) -> Capability {
        self.0.capability()
    }

    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp {
        self.0.find_job(job, now).await
    }

    async fn fetch(&self, job: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        if item != 2 {
            return self.0.fetch(job, item, sink).await;
        }
        let (provider, message) = (job.provider_id.clone(), "it was deleted".to_owned());
        Err(ProviderError { provider, operation: "fetch", message, retry: Retry::Permanent, gone: true })
    }
}

struct OneForgetful(Arc<Forgetful>);

impl Providers for OneForgetful {
    fn get(&self, id: &makegood_domain::ids::ProviderId) -> Option<Arc<dyn ProviderPort>> {
        (id.as_str() == "mill").then(|| Arc::clone(&self.0) as _)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.0.descriptor()]
    }
}

#[tokio::test]
async fn a_file_that_is_gone_keeps_neither_the_others_nor_the_case() {
    let mut facts = batch();
    for fact in &mut facts {
        if let Fact::Job(job) = fact {
            let made = JobItem { item: 3, ..job.items[1].clone() };
            job.items[2] = made;
        }
    }
    let house = house(&[ground(), facts]).await;
    let case = house.case("T-1", COMPLAINT).await;
    let providers = Arc::new(OneForgetful(Arc::new(Forgetful(Arc::clone(&house.mill)))));
    let desk = desk_asking(providers, &house.store, &house.clock, house.dir.path());
    let sheet = review(&desk, &case, ActionKind::Recover).await;
    assert_eq!(sheet.files.iter().map(|file| file.item).collect::<Vec<_>>(), [2, 3]);
    let first = desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    let why = first.why.unwrap_or_default();
    assert_eq!(first.state, OutcomeState::Refused, "{why}");
    assert!(why.contains("item 3 delivered") && why.contains("it was deleted"), "{why}");
    let after = dossier(&house, "run_shot4").await;
    assert_eq!(after.outputs.iter().map(|row| row.item).collect::<Vec<_>>(), [1, 3], "what can be had is, and stays");
    // Its provider has said so: what is left is planned anew, without a try that can never succeed.
    let finding = house.store.case(&case).await.expect("a case").finding.expect("a finding");
    assert_eq!(finding.diagnosis.remedy, Remedy::RestoreCredits, "{:?}", finding.diagnosis.verdict);
    let sheet = review(&desk, &case, ActionKind::Restore).await;
    assert_eq!((sheet.files.len(), sheet.restored_total), (0, 70));
    let again = desk.confirm(confirmation(&sheet, "b")).await.expect("an outcome");
    assert_eq!(again.state, OutcomeState::Done, "{:?}", again.why);
    assert_eq!(
        dossier(&house, "run_shot4").await.refunds.iter().map(|row| row.items.clone()).collect::<Vec<_>>(),
        [[2]]
    );
}
