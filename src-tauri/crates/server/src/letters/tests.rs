//! A platform whose endpoints are fast, slow and broken, in time that only passes when everybody waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{Courier, EndpointState, Letter, LetterEnd, LetterStore, Posted, StoreResult};
use tokio::sync::{mpsc, watch};

use super::{Post, keep_telling};
use crate::tests::Still;

/// Letters without end for each endpoint, each claimed once.
#[derive(Default)]
struct Endless(Mutex<BTreeMap<String, u32>>);

#[async_trait]
impl LetterStore for Endless {
    async fn claim_letters(
        &self,
        endpoint: &str,
        limit: u32,
        _: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<Letter>> {
        let mut claimed = self.0.lock().unwrap();
        let first = claimed.entry(endpoint.to_owned()).or_default();
        let letters = (*first..*first + limit).map(|number| Letter {
            id: format!("out_{number}"),
            at,
            kind: "cancel_upstream".to_owned(),
            payload: r#"{"effect":{"effect":"cancel_upstream","provider_id":"fal","job_id":"j"},
                "receipt":{"receipt":"queued","what":"x","outbox_id":"o"}}"#
                .to_owned(),
            tries: 0,
        });
        *first += limit;
        Ok(letters.collect())
    }
    async fn end_letter(&self, _: &str, _: &str, _: &LetterEnd, _: &[String], _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }
    async fn enable_endpoint(&self, _: &str, _: Timestamp) -> StoreResult<bool> {
        Ok(true)
    }
    async fn endpoints(&self) -> StoreResult<Vec<EndpointState>> {
        Ok(Vec::new())
    }
}

/// `dead` never answers, `fast` takes a second a letter.
struct Uneven(mpsc::UnboundedSender<String>);

#[async_trait]
impl Courier for Uneven {
    fn endpoints(&self) -> Vec<String> {
        vec!["dead".to_owned(), "fast".to_owned()]
    }
    async fn post(&self, endpoint: &str, id: &str, _: &str, _: Timestamp) -> Posted {
        if endpoint == "dead" {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.0.send(id.to_owned()).unwrap();
        Posted::Taken
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_holds_no_other_one_up() {
    let (sender, mut taken) = mpsc::unbounded_channel();
    let post = Post {
        store: Arc::new(Endless::default()),
        courier: Arc::new(Uneven(sender)),
        clock: Arc::new(Still),
        chance: Arc::new(|| 0.0),
    };
    let (stop, stopped) = watch::channel(false);
    let telling = tokio::spawn(keep_telling(post, stopped));
    let hundred = async {
        for number in 0..100 {
            assert_eq!(taken.recv().await, Some(format!("out_{number}")), "each once, in their order");
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(101), hundred).await;
    assert!(in_time.is_ok(), "the fast endpoint waited for the dead one");
    stop.send(true).unwrap();
    telling.await.unwrap();
}
