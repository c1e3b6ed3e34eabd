//! Started, used, stopped; and what it says where it can't be started.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::super::ctl;
use super::{Client, Serving, profile, webhook};

#[test]
fn a_webhook_is_kept_and_a_stop_is_clean() {
    let home = profile(None);
    let serving = Serving::start(home.path());
    let mut client = Client::connect(serving.address).expect("connected");
    assert_eq!(client.get("/healthz").0, 200);
    assert_eq!(client.get("/readyz").0, 200);
    let request = webhook("msg_1", "job_1");
    assert_eq!(client.ask(&request).expect("an answer"), (200, r#"{"kept":"new"}"#.to_owned()));
    assert_eq!(client.ask(&request).expect("an answer"), (200, r#"{"kept":"known"}"#.to_owned()));
    let mut forged = webhook("msg_2", "job_1");
    if let Some(last) = forged.last_mut() {
        *last = b' ';
    }
    let (status, why) = client.ask(&forged).expect("an answer");
    assert_eq!(status, 401, "{why}");
    assert!(why.contains("no signature fits"), "{why}");
    let (_, metrics) = client.get("/metrics");
    for line in ["{outcome=\"proven\"} 1", "{outcome=\"known\"} 1", "{outcome=\"refused\"} 1"] {
        assert!(metrics.contains(&format!("makegood_webhooks_total{line}")), "{line}\n{metrics}");
    }
    assert_eq!(serving.end(), Some(0));
    // Kept, also for the next one.
    let serving = Serving::start(home.path());
    let mut client = Client::connect(serving.address).expect("connected");
    assert_eq!(client.ask(&request).expect("an answer").1, r#"{"kept":"known"}"#);
}

#[test]
fn what_keeps_it_from_starting_is_one_plain_line() {
    let listening = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = listening.local_addr().expect("its address").to_string();
    let home = profile(None);
    let secret = [("WEBHOOK_SECRET", super::SECRET)];
    let empty = tempfile::tempdir().expect("a folder");
    for (home, variables, arguments, part) in [
        (empty.path(), &secret[..], &["serve"][..], "no makegood.toml"),
        (home.path(), &[], &["serve"], "the environment has no WEBHOOK_SECRET"),
        (home.path(), &[("WEBHOOK_SECRET", "hunter2")], &["serve"], "is base64 behind `whsec_`"),
        (home.path(), &secret, &["serve", "--listen", taken.as_str()], "can't be listened at"),
    ] {
        let said = ctl(home, variables, arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{part}: {}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{part}: {}", said.err);
        assert!(said.err.contains(part) && !said.err.contains("hunter2"), "{part}: {}", said.err);
    }
}

/// As the server itself says that it is done: beside it, at its address, and without its secrets.
#[test]
fn an_endpoint_is_told_again_while_the_server_runs() {
    let home = profile(None);
    let settings = home.path().join("makegood.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    let endpoint = "[[endpoint]]\nname = 'platform'\nurl = 'https://platform.example/in'\n\
        secret_env = ['WEBHOOK_SECRET']\n";
    std::fs::write(&settings, format!("{text}{endpoint}")).expect("settings");
    let serving = Serving::start(home.path());
    let mut client = Client::connect(serving.address).expect("connected");
    // Its first round makes the endpoint known.
    while !client.get("/metrics").1.contains("makegood_endpoint_disabled{endpoint=\"platform\"} 0") {}
    let address = serving.address.to_string();
    for (name, code, part) in [("platform", 0, "is told again"), ("nobody", 1, "nothing was ever sent")] {
        let said = ctl(home.path(), &[], &["serve", "--listen", &address, "--enable", name]);
        assert_eq!(said.code, Some(code), "{name}: {}", said.err);
        assert!(format!("{}{}", said.out, said.err).contains(part), "{name}: {}{}", said.out, said.err);
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_token_is_hashed_for_the_settings() {
    let mut hashing = Command::new(env!("CARGO_BIN_EXE_makegoodctl"))
        .args(["serve", "--hash-token"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("makegoodctl can be run");
    let token = b"mgf_5wX0c2LkGq7VvT9yPzR3nB8dHs4JtA1e\n";
    hashing.stdin.take().expect("its input").write_all(token).expect("written");
    let out = hashing.wait_with_output().expect("ended").stdout;
    let hash = String::from_utf8(out).expect("text");
    assert_eq!(hash.trim(), makegood_server::hash_of("mgf_5wX0c2LkGq7VvT9yPzR3nB8dHs4JtA1e").expect("a token"));
}

/// The example in the documentation is one: it is read, and everything that it names is found.
#[test]
fn the_example_settings_can_be_followed() {
    let text = include_str!("../../../../src-tauri/docs/serve/makegood.toml");
    let settings: makegood::settings::Settings = toml::from_str(text).expect("settings");
    let door = makegood::door::Door::of(&settings, |name| {
        name.ends_with("SECRET")
            .then(|| super::SECRET.to_owned())
            .or_else(|| name.ends_with("OLD").then(|| super::SECRET.to_owned()))
    });
    assert!(door.is_ok(), "{door:?}");
    assert_eq!((settings.webhooks.len(), settings.feeders.len(), settings.endpoints.len()), (3, 1, 1));
}

/// systemd says nothing against the unit of the documentation, where there is a systemd to ask.
#[test]
fn the_example_unit_is_one_to_systemd() {
    let unit = include_str!("../../../../src-tauri/docs/serve/makegood-serve.service");
    let folder = tempfile::tempdir().expect("a folder");
    let verified = |unit: &str| {
        let path = folder.path().join("makegood-serve.service");
        // It looks for the program too.
        let unit = unit.replace("/usr/bin/makegoodctl", env!("CARGO_BIN_EXE_makegoodctl"));
        std::fs::write(&path, unit).expect("written");
        let said = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
        let said = said.ok().map(|said| String::from_utf8_lossy(&said.stderr).into_owned())?;
        Some(said.lines().filter(|line| line.contains("makegood-serve")).map(str::to_owned).collect::<Vec<_>>())
    };
    let Some(against) = verified(unit) else {
        eprintln!("not verified: there is no systemd-analyze here");
        return;
    };
    assert_eq!(against, Vec::<String>::new());
    let wrong = verified(&unit.replace("Restart=on-failure", "Restart=sometimes"));
    assert_ne!(wrong, Some(Vec::new()), "it would say so");
}

/// What the proxy of the documentation passes on, as nginx reads it: the whole address behind `=`, else its beginning.
fn is_passed_on(unit: &str, path: &str) -> bool {
    let locations = unit.lines().filter_map(|line| line.trim_start_matches(['#', ' ']).strip_prefix("location "));
    locations.map(|rest| rest.split('{').next().unwrap_or_default().trim()).any(|place| match place.strip_prefix('=') {
        Some(whole) => path == whole.trim(),
        None => path.starts_with(place),
    })
}

#[test]
fn the_example_proxy_shows_strangers_no_numbers() {
    let unit = include_str!("../../../../src-tauri/docs/serve/makegood-serve.service");
    for (path, wanted) in [
        ("/webhooks/replicate", true),
        ("/webhooks/kling/9f2c41d07ab84e5c", true),
        ("/v1/events", true),
        ("/healthz", true),
        ("/metrics", false),
        ("/readyz", false),
        ("/", false),
    ] {
        assert_eq!(is_passed_on(unit, path), wanted, "{path}");
    }
}
