//! Who is expected, what settings are refused, and keys that change meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn settings(provider: &str, form: &str, secrets: &[&str]) -> SenderSettings {
    SenderSettings {
        provider: ProviderId::new(provider),
        endpoint: None,
        form: form.to_owned(),
        secrets: secrets.iter().map(|text| (*text).into()).collect(),
        keys_url: None,
    }
}

fn refused(settings: Vec<SenderSettings>) -> String {
    Senders::new(settings).expect_err("refused").to_string()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn settings_that_would_prove_nothing_are_refused() {
    for (one, part) in [
        (settings("r", "replicat", &[SECRET]), "there are: replicate, fal, gemini"),
        (settings("r", "runway", &[]), "no webhooks of the form `runway`"),
        (settings("r", "replicate", &[]), "none is given"),
        (settings("b", "bfl", &[]), "none is given"),
        (settings("b", "bfl", &[""]), "empty"),
        (settings("r", "replicate", &["hunter2"]), "base64"),
        (settings("k", "kling", &["hunter2"]), "shares no secret"),
        (settings("f", "fal", &["hunter2"]), "shares no secret"),
        (settings("a/b", "kling", &[]), "letters, digits"),
        (SenderSettings { endpoint: Some(String::new()), ..settings("k", "kling", &[]) }, "letters, digits"),
        (SenderSettings { keys_url: Some("ftp//x".to_owned()), ..settings("f", "fal", &[]) }, "is no address"),
        (
            SenderSettings { keys_url: Some("https://x.example".to_owned()), ..settings("k", "kling", &[]) },
            "publishes none",
        ),
    ] {
        let why = refused(vec![one]);
        assert!(why.contains(part) && !why.contains("hunter2"), "{part}: {why}");
    }
    let one = settings("k", "kling", &[]);
    assert!(refused(vec![one.clone(), one]).contains("twice"));
}

/// What the head alone says about a delivery, with the settings that fit it.
fn head(one: &Vector) -> Option<String> {
    let secret: Vec<&str> = one.secret.iter().map(String::as_str).collect();
    let senders = Senders::new(vec![settings("p", one.form, &secret)]).expect("good settings");
    let provider = ProviderId::new("p");
    let arrival = Arrival { provider: &provider, endpoint: None, headers: &one.headers, body: b"", at: one.at };
    senders.refuses_head(&arrival)
}

#[test]
fn what_no_body_can_prove_is_refused_by_its_head() {
    for one in all() {
        assert_eq!(head(&one), None, "{}: the body decides", one.form);
        for (name, value) in &one.headers {
            let missing = one.without(name);
            assert_eq!(head(&missing), Some(missing.refusal()), "{name}");
            let mut twice = one.clone();
            twice.headers.push((name.clone(), value.clone()));
            assert_eq!(head(&twice), Some(twice.refusal()), "{name}");
        }
    }
    for one in [standard(), fal(), gemini(), sync()] {
        let late = one.later(301);
        assert_eq!(head(&late), Some(late.refusal()), "{}", one.form);
    }
    let unsigned = Vector { form: "kling", secret: None, keys: None, headers: Vec::new(), ..standard() };
    assert_eq!(head(&unsigned), None, "who signs nothing can miss nothing");
}

#[tokio::test]
async fn each_endpoint_has_its_own_secrets() {
    let vector = standard();
    let eu = SenderSettings {
        endpoint: Some("eu".to_owned()),
        ..settings("r", "replicate", &["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", SECRET])
    };
    let us = SenderSettings {
        endpoint: Some("us".to_owned()),
        ..settings("r", "replicate", &["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])
    };
    let senders = Senders::new(vec![eu, us, settings("k", "kling", &[])]).expect("good settings");
    let provider = ProviderId::new("r");
    let judge = async |endpoint| {
        let arrival =
            Arrival { provider: &provider, endpoint, headers: &vector.headers, body: &vector.body, at: vector.at };
        senders.verify(&arrival).await
    };
    assert_eq!(judge(Some("eu")).await, Proof::Proven, "the old secret is good while it is exchanged");
    assert!(matches!(judge(Some("us")).await, Proof::Refused { .. }));
    assert!(matches!(judge(None).await, Proof::Refused { why } if why.contains("expected")));
    assert!(!senders.expects(&provider, None) && senders.expects(&provider, Some("us")));
    let kling = ProviderId::new("k");
    let arrival = Arrival { provider: &kling, endpoint: None, headers: &[], body: b"{}", at: vector.at };
    assert_eq!(senders.verify(&arrival).await, Proof::Unproven);
}

struct Changing(Arc<AtomicUsize>);

#[async_trait]
impl KeySource for Changing {
    async fn fetch(&self) -> Result<Vec<u8>, String> {
        let x = match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => "_bpCKyZSkOHrK8e-SOr_nxi4lpRbpHOrGMkJvPmzK7k",
            1 => "-VMp_KUjxBLEjc2nMVDQ8J8iS4KZ4enjIa6HeDwYA5o=",
            _ => return Err("not reached".to_owned()),
        };
        Ok(format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#).into_bytes())
    }
}

fn with_keys(asked: &Arc<AtomicUsize>) -> Senders {
    let mut senders = Senders::default();
    let keys = Keys::new(Box::new(Changing(Arc::clone(asked))));
    senders.add(&settings("fal", "fal", &[]), |_| Ok(Some(keys))).expect("good settings");
    senders
}

async fn judged(senders: &Senders, vector: &Vector) -> Proof {
    let (provider, headers) = (ProviderId::new("fal"), &vector.headers);
    let arrival = Arrival { provider: &provider, endpoint: None, headers, body: &vector.body, at: vector.at };
    senders.verify(&arrival).await
}

#[tokio::test]
async fn keys_that_were_exchanged_are_fetched() {
    let asked = Arc::new(AtomicUsize::new(0));
    let senders = with_keys(&asked);
    let vector = fal();
    // The first key set is that of somebody else, and is fresh for five minutes.
    assert!(matches!(judged(&senders, &vector.later(-300)).await, Proof::Refused { .. }));
    assert_eq!(judged(&senders, &vector).await, Proof::Proven);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_no_delivery_of_theirs_asks_nobody_for_keys() {
    let asked = Arc::new(AtomicUsize::new(0));
    let senders = with_keys(&asked);
    let vector = fal();
    for (name, _) in &vector.headers {
        assert!(matches!(judged(&senders, &vector.without(name)).await, Proof::Refused { .. }));
    }
    assert!(matches!(judged(&senders, &vector.later(301)).await, Proof::Refused { .. }));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_keys_nobody_can_tell() {
    let senders = with_keys(&Arc::new(AtomicUsize::new(2)));
    assert_eq!(judged(&senders, &fal()).await, Proof::Undecided { why: "not reached".to_owned() });
}
