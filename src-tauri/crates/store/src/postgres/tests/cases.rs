//! Cases that are changed over a link that can break: what is sent again is answered again.

use makegood_domain::diagnose::Verdict;
use makegood_domain::ports::{CaseStore, ChosenRuns};

use super::world::{at, finding, new_case, run, world};

#[tokio::test]
async fn what_is_sent_again_is_answered_again() {
    let store = world(vec![run("run_1", "a", "a", 10)]).await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    let found = finding("run_1", Verdict::UploadFailed, Some(at(5000)));
    let chosen = ChosenRuns { run_ids: vec!["run_1".into()], agent: "ana".into(), at: at(900), reason: "url".into() };
    for time in ["first", "again"] {
        assert_eq!(store.save_finding(&case.id, 1, &found).await.unwrap(), 2, "{time}");
    }
    for time in ["first", "again"] {
        assert_eq!(store.choose_runs(&case.id, 2, &chosen).await.unwrap(), 3, "{time}");
    }
}
