//! Deliveries that are believed, and those that are not. The signatures were made elsewhere (Python's
//! `hmac`, `openssl pkeyutl`) with keys that were thrown away; the first is the example that is public.

mod mutated;
mod recorded;
mod senders;

use makegood_domain::ids::ProviderId;

use super::*;

/// A delivery with all that is needed to judge it.
#[derive(Clone)]
pub(super) struct Vector {
    pub form: &'static str,
    pub secret: Option<String>,
    pub keys: Option<PublicKeys>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Timestamp,
}

impl Vector {
    pub(super) fn proof(&self) -> Proof {
        let settings = SenderSettings {
            provider: ProviderId::new(self.form),
            endpoint: None,
            form: self.form.to_owned(),
            secrets: self.secret.iter().map(|text| text.as_str().into()).collect(),
            keys_url: None,
        };
        verify_once(&settings, self.keys.as_ref(), &self.headers, &self.body, self.at).expect("good settings")
    }

    fn refusal(&self) -> String {
        match self.proof() {
            Proof::Refused { why } => why,
            other => panic!("{}: {other:?}", self.form),
        }
    }

    fn with(&self, header: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != header);
        other.headers.push((header.to_owned(), value.to_owned()));
        other
    }

    fn without(&self, header: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != header);
        other
    }

    fn later(&self, seconds: i64) -> Self {
        Self { at: self.at + jiff::SignedDuration::from_secs(seconds), ..self.clone() }
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("an instant")
}

fn vector(form: &'static str, secret: Option<&str>, x: Option<&str>, headers: &[(&str, &str)], body: &str) -> Vector {
    let keys = x.map(|x| format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#));
    Vector {
        form,
        secret: secret.map(str::to_owned),
        keys: keys.map(|json| PublicKeys::parse(json.as_bytes()).expect("keys")),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
        at: at(1_790_000_000),
    }
}

pub(super) fn standard() -> Vector {
    let headers = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];
    let secret = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    Vector { at: at(1_614_265_330), ..vector("replicate", secret, None, &headers, r#"{"test": 2432232314}"#) }
}

pub(super) fn fal() -> Vector {
    let headers = [
        ("x-fal-webhook-request-id", "5f0e"),
        ("x-fal-webhook-user-id", "github|4711"),
        ("x-fal-webhook-timestamp", "1790000000"),
        (
            "x-fal-webhook-signature",
            "31f89421c0093e35e9c6c37b864eb438950a77bc3c5ce3000679ad3b1c2a9eda\
             291328ef0447d3aa727b0bf8a77a13ee23d0ccf6294888e09f66e6e458222805",
        ),
    ];
    let body = r#"{"request_id":"5f0e","gateway_request_id":"5f0e","status":"OK","payload":{"images":[]}}"#;
    vector("fal", None, Some("-VMp_KUjxBLEjc2nMVDQ8J8iS4KZ4enjIa6HeDwYA5o="), &headers, body)
}

pub(super) fn gemini() -> Vector {
    let headers = [
        ("webhook-id", "msg_k2"),
        ("webhook-timestamp", "1790000000"),
        (
            "webhook-signature",
            "v1a,OQtW1GU8eP6JUA84484SsujWia3ogibQ7mBmX1FaOsjTLxBAuMxaJv20YCvwlEXooIY72d+/fM9VA+Dp5R9NCw==",
        ),
    ];
    let body = r#"{"type":"video.generated","data":{"id":"models/veo-3.1/operations/k2"}}"#;
    vector("gemini", None, Some("_bpCKyZSkOHrK8e-SOr_nxi4lpRbpHOrGMkJvPmzK7k"), &headers, body)
}

pub(super) fn bfl() -> Vector {
    let tag = "sha256=52dcf57880b2c5f5d898d202458e86862dbb547e185894043abe3305e1a81970";
    let body = r#"{"id":"gen_7f2c","status":"Ready","result":{"sample":"https://delivery.example/x.jpg"}}"#;
    vector("bfl", Some("throwaway-bfl"), None, &[("x-bfl-signature", tag)], body)
}

pub(super) fn sync() -> Vector {
    let value = "t=1790000000,v1=1809eaf1099f80be7e6903ff6e7c358035b5487a8413edb8a809248b0e0d374e";
    let body = r#"{"id":"5b1f","status":"COMPLETED","outputUrl":"https://files.example/y.mp4"}"#;
    vector("sync", Some("throwaway-sync"), None, &[("sync-signature", value)], body)
}

/// The same under the name that the other page of Sync's has.
pub(super) fn primary_sync() -> Vector {
    let one = sync();
    let value = one.headers[0].1.clone();
    one.without("sync-signature").with("x-signature-primary", &value)
}

pub(super) fn heygen() -> Vector {
    let tag = "a2a453ee00ef1d9beadee66a1c43a874fe7c4248b13b0e04e5d7b772a6fa764a";
    let body = r#"{"event_type":"avatar_video.success","event_data":{"video_id":"v-31"}}"#;
    vector("heygen", Some("whsec_throwaway"), None, &[("signature", tag)], body)
}

/// As version 3 sends it: the same tag under another name, and when it was sent.
fn dated_heygen() -> Vector {
    let old = heygen();
    let tag = old.headers[0].1.clone();
    let headers =
        [("heygen-signature", tag.as_str()), ("heygen-timestamp", "1790000000"), ("heygen-event-id", "evt_1")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Vector { headers, ..old }
}

pub(super) fn all() -> Vec<Vector> {
    vec![standard(), fal(), gemini(), bfl(), sync(), heygen()]
}

#[test]
fn what_was_signed_is_proven() {
    for one in all() {
        assert_eq!(one.proof(), Proof::Proven, "{}", one.form);
    }
}

#[test]
fn a_header_that_decides_is_there_once() {
    for one in all() {
        for (name, value) in &one.headers {
            assert!(one.without(name).refusal().contains(&format!("{name} is missing")), "{name}");
            let mut twice = one.clone();
            twice.headers.push((name.clone(), value.clone()));
            assert!(twice.refusal().contains("more than once"), "{name}");
        }
    }
}

#[test]
fn what_was_signed_with_a_time_is_believed_for_five_minutes() {
    for one in [standard(), fal(), gemini(), sync(), primary_sync(), dated_heygen()] {
        for seconds in [-300, -1, 0, 300] {
            assert_eq!(one.later(seconds).proof(), Proof::Proven, "{} {seconds}", one.form);
        }
        assert!(one.later(301).refusal().contains("replay"), "{}", one.form);
        assert!(one.later(-301).refusal().contains("in the future"), "{}", one.form);
    }
}

#[test]
fn a_delivery_of_heygen_has_its_time_and_one_tag_that_decides() {
    let one = dated_heygen();
    assert_eq!(one.proof(), Proof::Proven);
    assert!(one.without("heygen-timestamp").refusal().contains("heygen-timestamp is missing"));
    assert!(one.with("heygen-timestamp", "soon").refusal().contains("a number of seconds"));
    assert!(one.without("heygen-signature").refusal().contains("signature is missing"));
    let good = one.headers[0].1.clone();
    let mut both = one.with("heygen-signature", &"0".repeat(64));
    both.headers.push(("signature".to_owned(), good));
    assert!(both.refusal().contains("no signature fits"), "a tag of before version 3 makes up for nothing");
}

#[test]
fn a_delivery_of_sync_has_one_of_two_headers_that_decides() {
    let (guides, other) = (sync(), primary_sync());
    let good = guides.headers[0].1.clone();
    let bad = format!("t=1790000000,v1={}", "0".repeat(64));
    let (signature, primary) = ("sync-signature", "x-signature-primary");
    assert!(guides.without(signature).refusal().contains("sync-signature is missing"));
    for (one, want) in [
        (other.clone(), ""),
        (other.with(primary, &bad), "no signature fits"),
        (other.with(primary, "v1=00"), "x-signature-primary is not"),
        (other.with(primary, &good.replace("t=1790000000,", "")), "x-signature-primary is not"),
        (other.with(primary, &good.replace("v1=", "v0=")), "x-signature-primary is not"),
        (other.with(primary, &good.replace("t=179", "t=178")), "replay"),
        (other.with(primary, &good.replace(",v1=", ",v1=00")), "no signature fits"),
        (guides.with(primary, &bad), ""),
        (guides.with(primary, &good), ""),
        (other.with(signature, &bad), "no signature fits"),
        (other.with(signature, "later"), "sync-signature is not"),
    ] {
        match one.proof() {
            Proof::Proven => assert_eq!(want, "", "{:?}", one.headers),
            _ => assert!(!want.is_empty() && one.refusal().contains(want), "{:?}: {}", one.headers, one.refusal()),
        }
    }
    let mut twice = other.clone();
    twice.headers.push((primary.to_owned(), good));
    assert!(twice.refusal().contains("x-signature-primary came more than once"));
    let altered = Vector { body: [other.body.as_slice(), b" "].concat(), ..other };
    assert!(altered.refusal().contains("no signature fits"));
}

#[test]
fn one_signature_that_fits_is_enough() {
    let one = standard();
    let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    for (list, is_proven) in [
        (format!("v1,AAAA {good}"), true),
        (format!("{good} v2,whatever"), true),
        (format!("v1a,AAAA {good}"), true),
        ("v1,AAAA".to_owned(), false),
        (good.replace("v1,", "v2,"), false),
        (good.replace("v1,", "v1a,"), false),
        (format!("{good} {good}x"), true),
        (vec![good; 17].join(" "), false),
        (format!(" {good}"), false),
        (good.trim_end_matches('=').to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(one.with("webhook-signature", &list).proof() == Proof::Proven, is_proven, "{list}");
    }
}

/// Gemini's documentation tells of a shared secret; what is named in a request is signed with a public key (`v1a`).
#[test]
fn symptom_26_what_is_sent_counts_and_not_what_is_documented() {
    let one = gemini();
    let (name, signature) = one.headers[2].clone();
    assert!(signature.starts_with("v1a,"), "{name}");
    assert_eq!(one.proof(), Proof::Proven);
    let documented = one.with(&name, &signature.replace("v1a,", "v1,"));
    assert!(documented.refusal().contains("no secret and no key"), "nobody has that secret");
    let secret = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
    let shared = Vector { secret, keys: None, ..one };
    assert!(shared.refusal().contains("no secret and no key"), "a shared secret stands in for no key");
}

#[test]
fn the_signed_bytes_cannot_be_cut_in_another_way() {
    // `id.time.body` is the same text with a full stop moved from the body into the id.
    let one = standard();
    let mut moved = one.with("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330");
    moved.body = one.body.clone();
    assert!(moved.refusal().contains("webhook-id"));
    let fal = fal();
    assert!(fal.with("x-fal-webhook-request-id", "5f0e\ngithub|4711").refusal().contains("one line"));
}

#[test]
fn another_secret_or_key_proves_nothing() {
    for one in [standard(), bfl(), sync(), primary_sync(), heygen(), dated_heygen()] {
        let other = Vector { secret: Some("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()), ..one };
        assert!(other.refusal().contains("no signature fits"), "{}", other.form);
    }
    let (fal, gemini) = (fal(), gemini());
    assert!(Vector { keys: gemini.keys.clone(), ..fal.clone() }.refusal().contains("no signature fits"));
    assert!(Vector { keys: fal.keys, ..gemini.clone() }.refusal().contains("no signature fits"));
    assert!(Vector { keys: None, ..gemini }.refusal().contains("no secret and no key"));
}
