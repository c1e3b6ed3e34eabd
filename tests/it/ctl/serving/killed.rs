//! Killed at any moment, again and again, while many send: what was answered 2xx is there, once. The quick form
//! runs with the tests; `MAKEGOOD_SERVE_SENT=10000 MAKEGOOD_SERVE_KILLS=50` is the whole one.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use makegood_domain::ports::DeliveryStore;
use makegood_store::postgres::{PgSettings, PgStore, migrate};
use makegood_store::sqlite::SqliteStore;
use makegood_testkit::postgres::{Cluster, SUPERUSER};

use super::{Client, Serving, profile, webhook};

/// Each delivery is sent so often, in another order each time.
const TIMES: usize = 5;
const CLIENTS: usize = 8;

struct Sizes {
    sent: usize,
    kills: usize,
}

impl Sizes {
    fn asked() -> Self {
        let number = |name: &str, quick| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(quick);
        Self { sent: number("MAKEGOOD_SERVE_SENT", 400), kills: number("MAKEGOOD_SERVE_KILLS", 4) }
    }
}

/// What all clients know together.
#[derive(Default)]
struct Known {
    /// Where the server listens now.
    address: Option<SocketAddr>,
    acknowledged: BTreeSet<usize>,
    /// Requests answered, of all, and how many of them were called new.
    answers: usize,
    news: usize,
}

/// The same, for all threads.
#[derive(Default)]
struct Field {
    known: Mutex<Known>,
    changed: Condvar,
}

impl Field {
    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until something is so.
    fn wait<T>(&self, found: impl Fn(&Known) -> Option<T>) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match found(&known) {
                Some(found) => return found,
                None => known = self.changed.wait(known).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Sends each of `mine` in the order given until it is acknowledged, whatever happens to the server meanwhile.
fn send_all(field: &Field, mine: &[usize]) {
    let mut client: Option<Client> = None;
    for number in mine {
        let request = webhook(&format!("msg_{number}"), &format!("job_{}", number % 7));
        loop {
            if client.is_none() {
                client = Client::connect(field.wait(|known| known.address)).ok();
            }
            let Some(open) = &mut client else { continue };
            match open.ask(&request) {
                Ok((200, body)) => {
                    field.change(|known| {
                        known.acknowledged.insert(*number);
                        known.answers += 1;
                        known.news += usize::from(body.contains("new"));
                    });
                    break;
                }
                Ok((status, body)) => assert_eq!(status, 503, "{body}"),
                Err(_) => client = None,
            }
        }
    }
}

/// A fixed order that is another one for each seed.
fn shuffled(count: usize, seed: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for at in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, usize::try_from(state >> 33).unwrap_or_default() % (at + 1));
    }
    order
}

/// Runs the field against servers on `home`, killing them one after the other.
fn play(home: &std::path::Path, sizes: &Sizes) -> Field {
    let field = Arc::new(Field::default());
    let rounds: Vec<usize> = (0..TIMES).flat_map(|round| shuffled(sizes.sent, round)).collect();
    let senders: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (field, mine) =
                (Arc::clone(&field), rounds.iter().copied().skip(client).step_by(CLIENTS).collect::<Vec<_>>());
            thread::spawn(move || send_all(&field, &mine))
        })
        .collect();
    let all = sizes.sent * TIMES;
    for kill in 0..=sizes.kills {
        let serving = Serving::start(home);
        field.change(|known| known.address = Some(serving.address));
        if kill == sizes.kills {
            for sender in senders {
                sender.join().expect("a client ended well");
            }
            assert_eq!(serving.end(), Some(0));
            break;
        }
        // In the middle of the work, wherever it is: after its share of the answers.
        let until = all * (kill + 1) / (sizes.kills + 2);
        field.wait(|known| (known.answers >= until).then_some(()));
        field.change(|known| known.address = None);
        serving.kill();
    }
    Arc::into_inner(field).expect("nobody else has it")
}

async fn judge(field: Field, sizes: &Sizes, store: &dyn DeliveryStore) {
    let kept = store.deliveries(1_000_000).await.expect("the deliveries");
    let ids: BTreeSet<&str> = kept.iter().map(|row| row.delivery_id.as_str()).collect();
    assert_eq!(ids.len(), kept.len(), "none is there twice");
    let Known { acknowledged, answers, news, .. } = field.known.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lost: Vec<_> = acknowledged.iter().filter(|number| !ids.contains(format!("msg_{number}").as_str())).collect();
    assert_eq!(lost, Vec::<&usize>::new(), "answered 2xx, and not there");
    assert_eq!((acknowledged.len(), kept.len()), (sizes.sent, sizes.sent), "all were answered in the end");
    assert_eq!(answers, sizes.sent * TIMES);
    assert!(news <= sizes.sent, "{news} were called new");
    println!("{} deliveries sent {TIMES} times over {} kills: none lost, none twice", sizes.sent, sizes.kills);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

#[test]
fn nothing_that_was_answered_is_lost_on_a_file() {
    let (home, sizes) = (profile(None), Sizes::asked());
    let field = play(home.path(), &sizes);
    runtime().block_on(async {
        let store = SqliteStore::open(&home.path().join("makegood.sqlite")).await.expect("the record");
        judge(field, &sizes, &store).await;
        store.close().await;
    });
}

#[test]
fn nothing_that_was_answered_is_lost_on_a_server() {
    let (cluster, sizes) = (Cluster::shared(), Sizes::asked());
    let database = cluster.empty_database().expect("a database");
    let settings = PgSettings::new(cluster.url(&database, SUPERUSER));
    let runtime = runtime();
    runtime.block_on(migrate(&settings)).expect("a record");
    let home = profile(Some(&settings.url));
    let field = play(home.path(), &sizes);
    runtime.block_on(async {
        let store = PgStore::connect(&settings).await.expect("the record");
        judge(field, &sizes, &store).await;
    });
}
