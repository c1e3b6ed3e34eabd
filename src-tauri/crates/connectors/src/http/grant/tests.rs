use std::process::Command;
use std::sync::Arc;

use makegood_testkit::{Reply, Server};
use serde_json::Value;

use super::*;
use crate::http::{Form, Guard, Http, Key, Limits, Line, Pace};
use crate::providers::subject::NoWait;

/// A key that nobody else has, made by the system's `openssl`, with its public half.
struct Keys {
    folder: tempfile::TempDir,
    private: String,
}

impl Keys {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Self { folder, private: String::new() };
        keys.openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem"]);
        keys.openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
        let private = std::fs::read_to_string(keys.folder.path().join("key.pem")).expect("a key");
        Self { private, ..keys }
    }

    fn openssl(&self, arguments: &[&str]) {
        let done = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().expect("openssl");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn file(&self, token_uri: &str) -> Value {
        json!({"type": "service_account", "client_email": "desk@acme.example", "private_key_id": "k1",
            "private_key": self.private, "token_uri": token_uri})
    }

    /// Checks a claim's signature with the public half, by other hands than those that made it.
    fn verify(&self, claim: &str) {
        let (signed, signature) = claim.rsplit_once('.').expect("a signature");
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
        std::fs::write(self.folder.path().join("signed"), signed).expect("written");
        std::fs::write(self.folder.path().join("signature"), signature).expect("written");
        self.openssl(&["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "signed"]);
    }
}

fn client(keys: &Keys, server: &Server, pace: &Arc<NoWait>) -> Http {
    let base = Url::parse(server.base()).expect("a base");
    let file = keys.file(&format!("{base}token")).to_string();
    let form = Form::Account(Account::read(&file).expect("an account"));
    let key = Key { header: "authorization", scheme: "Bearer ", secret: file.into(), form, also: Vec::new() };
    let guard = Guard::new([&base], []);
    let line = Line { guard, base, also: None, key: Some(key), headers: &[], limits: Limits::default() };
    Http::new(line, Arc::clone(pace) as Arc<dyn Pace>).expect("a client")
}

fn ask(server: &Server) -> Ask {
    Ask::new(Url::parse(&format!("{}/job", server.base())).expect("an address"), true)
}

fn token(name: &str, seconds: u64) -> Reply {
    Reply::json(200, &json!({"access_token": name, "expires_in": seconds, "token_type": "Bearer"}))
}

/// The keys that questions about the job came with.
fn keys_seen(server: &Server) -> Vec<String> {
    let questions = server.seen().into_iter().filter(|request| request.target == "/job");
    questions.map(|request| request.header("authorization").unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_token_is_got_once_and_renewed_before_it_ends() {
    let (keys, server, pace) = (Keys::new(), Server::start().await.expect("a port"), Arc::new(NoWait::default()));
    server.on("/token", [token("t-1", 3600), token("t-2", 3600)]);
    server.on("/job", [Reply::json(200, &json!({"echo": "t-1"}))]);
    let http = client(&keys, &server, &pace);
    let (one, other) = (ask(&server), ask(&server));
    let (first, second) = tokio::join!(http.get(&one), http.get(&other));
    assert!(first.is_ok() && second.is_ok());
    http.wait(Duration::from_secs(3600 - 301)).await;
    http.get(&one).await.expect("an answer");
    assert_eq!(keys_seen(&server), ["Bearer t-1"; 3], "one token for all, while it is good");
    http.wait(Duration::from_secs(2)).await;
    http.get(&one).await.expect("an answer");
    assert_eq!(keys_seen(&server).last().map(String::as_str), Some("Bearer t-2"));
    assert_eq!(http.shown("t-2 was refused"), "[key] was refused");
    let asked: Vec<_> = server.seen().into_iter().filter(|request| request.target == "/token").collect();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|request| request.method == "POST" && request.header("authorization").is_none()));
    let form: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(&asked[1].body).into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    keys.verify(&form["assertion"]);
    let part = |n: usize| {
        let text = form["assertion"].split('.').nth(n).expect("a part").to_owned();
        serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64")).expect("JSON")
    };
    assert_eq!(part(0), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    let claims = part(1);
    assert_eq!((&claims["iss"], claims["iat"].as_i64()), (&json!("desk@acme.example"), Some(3301)));
    assert_eq!(claims["exp"].as_i64(), Some(3301 + 3600));
    assert_eq!(claims["aud"], json!(format!("{}/token", server.base())));
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_used_again() {
    let (keys, server, pace) = (Keys::new(), Server::start().await.expect("a port"), Arc::new(NoWait::default()));
    server.on("/token", [token("t-1", 3600), token("t-2", 3600)]);
    server.on("/job", [Reply::json(401, &json!({})), Reply::json(200, &json!({}))]);
    let http = client(&keys, &server, &pace);
    assert_eq!(http.get(&ask(&server)).await.map(|answer| answer.status), Ok(401));
    assert_eq!(http.get(&ask(&server)).await.map(|answer| answer.status), Ok(200));
    assert_eq!(keys_seen(&server), ["Bearer t-1", "Bearer t-2"]);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    for (reply, says, passes) in [
        (Reply::json(400, &json!({"error": "invalid_grant", "error_description": "Bad"})), "HTTP 400: Bad", false),
        (Reply::json(200, &json!({"token_type": "Bearer"})), "HTTP 200: ", false),
        (Reply::json(200, &json!({"access_token": "a\nb"})), "can't be read", false),
        (Reply::new(200, "text/html", "<html>"), "can't be read", false),
        (Reply::json(500, &json!({})), "HTTP 500", true),
    ] {
        let (keys, server, pace) = (Keys::new(), Server::start().await.expect("a port"), Arc::new(NoWait::default()));
        server.on("/token", [reply]);
        let error = client(&keys, &server, &pace).get(&ask(&server)).await.expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.is_temporary(), passes, "{error}");
        assert_eq!(keys_seen(&server), [""; 0]);
    }
}

#[tokio::test]
async fn tokens_are_asked_only_where_the_guard_allows() {
    let (keys, server, stranger) =
        (Keys::new(), Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    let base = Url::parse(server.base()).expect("a base");
    let account = Account::read(&keys.file(stranger.base()).to_string()).expect("an account");
    let key = Key {
        header: "authorization",
        scheme: "Bearer ",
        secret: "{}".into(),
        form: Form::Account(account),
        also: Vec::new(),
    };
    let guard = Guard::new([&base], []);
    let line = Line { guard, base, also: None, key: Some(key), headers: &[], limits: Limits::default() };
    let http = Http::new(line, Arc::new(NoWait::default())).expect("a client");
    assert!(matches!(http.get(&ask(&server)).await, Err(HttpError::Refused(_))));
    assert!(stranger.seen().is_empty() && server.seen().is_empty());
}

#[test]
fn a_key_file_is_checked_and_never_told() {
    let keys = Keys::new();
    let whole = keys.file("https://oauth2.googleapis.com/token");
    let without = |name: &str| {
        let mut file = whole.clone();
        file[name] = Value::Null;
        Account::read(&file.to_string()).map(|account| account.email).map_err(|error| error.0)
    };
    assert_eq!(without("private_key_id"), Ok("desk@acme.example".to_owned()));
    assert_eq!(without("token_uri"), Ok("desk@acme.example".to_owned()), "Google's own is known");
    assert_eq!(without("client_email"), Err("it has no `client_email`"));
    assert_eq!(without("private_key"), Err("it has no `private_key`"));
    assert_eq!(without("type"), Err("its `type` is not `service_account`"));
    for (name, value, says) in [
        ("private_key", "not a key", "its `private_key` is not PEM"),
        ("token_uri", "elsewhere", "its `token_uri` is not an address"),
        ("type", "authorized_user", "its `type` is not `service_account`"),
    ] {
        let mut file = whole.clone();
        file[name] = json!(value);
        assert_eq!(Account::read(&file.to_string()).err(), Some(AccountError(says)), "{name}");
    }
    assert!(Account::read("{").is_err());
    keys.openssl(&["genpkey", "-algorithm", "ED25519", "-out", "other.pem"]);
    let other = std::fs::read_to_string(keys.folder.path().join("other.pem")).expect("a key");
    let mut file = whole.clone();
    file["private_key"] = json!(other);
    assert_eq!(Account::read(&file.to_string()).err(), Some(AccountError("its `private_key` is not an RSA key")));
    let account = Account::read(&whole.to_string()).expect("an account");
    assert_eq!(format!("{account:?}"), "Account { email: \"desk@acme.example\", .. }");
}
