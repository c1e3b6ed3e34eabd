//! What the platform is told, as it arrives there: each letter is what the schema says that was printed for it.

use std::collections::BTreeSet;

use makegood_app::letters::tell_once;
use makegood_connectors::courier::{EndpointSettings, HttpCourier};
use makegood_domain::events::{OUTGOING, outgoing_type_of};
use makegood_domain::ports::LetterStore;
use makegood_testkit::{ManualClock, Reply, Server, schema};
use serde_json::{Value, json};

use super::world::at;

/// Posts all that waits to a platform, and holds what arrives against its schema; the types that arrived.
pub(super) async fn told(store: &dyn LetterStore) -> BTreeSet<String> {
    let platform = Server::start().await.expect("a port");
    platform.on("/in", [Reply::json(200, &json!({}))]);
    let endpoint = EndpointSettings {
        name: "platform".to_owned(),
        url: format!("{}/in", platform.base()),
        secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()],
    };
    let courier = HttpCourier::new(vec![endpoint]).expect("an endpoint");
    let clock = ManualClock::new(at("2027-01-01T00:00:00Z"));
    while tell_once(store, &courier, "platform", &clock, &|| 0.0).await.expect("letters").sent > 0 {}
    platform.seen().iter().map(|letter| checked(&letter.body)).collect()
}

fn checked(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let word = body["type"].as_str().expect("a type");
    let known = outgoing_type_of(word).unwrap_or_else(|| panic!("{word} is not among {OUTGOING:?}"));
    let printed: Value = serde_json::from_str(known.schema).expect("a schema");
    assert_eq!(schema::faults(&printed, &body), Vec::<String>::new(), "{body}");
    let lacks = json!({ "type": word, "timestamp": body["timestamp"], "data": {} });
    assert_ne!(schema::faults(&printed, &lacks), Vec::<String>::new(), "{word}: its schema asks for nothing");
    word.to_owned()
}
