//! The rules of the house: who may know whom, how long things may be, what may not be there.

use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use crate::tree::{files, files_with, none, read};

/// Who may know which of our crates, in the program and in its tests. The compiler holds the rest:
/// a crate cannot use what its manifest does not name.
const EDGES: [(&str, &[&str], &[&str]); 10] = [
    ("src-tauri/crates/domain", &[], &[]),
    ("src-tauri/crates/app", &["domain"], &["testkit"]),
    ("src-tauri/crates/connectors", &["domain"], &["testkit"]),
    ("src-tauri/crates/store", &["domain"], &["testkit"]),
    ("src-tauri/crates/server", &["app", "domain"], &["testkit"]),
    ("src-tauri/crates/testkit", &["domain"], &[]),
    ("src-tauri/crates/practice", &["app", "connectors", "domain", "store"], &["testkit"]),
    (".", &["app", "connectors", "domain", "practice", "server", "store"], &["testkit"]),
    ("tests/e2e", &["testkit"], &[]),
    ("tests/torture", &["app", "connectors", "domain", "store", "testkit"], &[]),
];

/// Who alone may depend on a foreign crate, by the beginning of its name.
const HOMES: [(&str, &[&str]); 6] = [
    ("tauri", &["."]),
    ("reqwest", &["src-tauri/crates/connectors"]),
    ("sqlx", &["src-tauri/crates/store", "tests/torture"]),
    ("axum", &["src-tauri/crates/practice", "src-tauri/crates/server", "src-tauri/crates/testkit"]),
    (
        "tokio",
        &[
            ".",
            "src-tauri/crates/app",
            "src-tauri/crates/connectors",
            "src-tauri/crates/practice",
            "src-tauri/crates/server",
            "src-tauri/crates/store",
            "src-tauri/crates/testkit",
            "tests/e2e",
            "tests/torture",
        ],
    ),
    ("fantoccini", &["tests/e2e"]),
];

const SOURCES: [&str; 7] = [".rs", ".ts", ".svelte", ".css", ".js", ".html", ".sql"];

/// Every manifest of the workspace by its folder.
fn manifests() -> BTreeMap<String, Table> {
    let paths = files_with(".", &["Cargo.toml"]);
    let folder = |path: &str| path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    paths.iter().map(|path| (folder(path), read(path).parse().expect("a manifest is TOML"))).collect()
}

/// The names of the dependencies that stand under `kinds`, for every platform.
fn dependencies(manifest: &Table, kinds: &[&str]) -> BTreeSet<String> {
    let platforms = manifest.get("target").and_then(|targets| targets.as_table()).into_iter().flatten();
    let tables = platforms.filter_map(|(_, table)| table.as_table()).chain([manifest]);
    tables
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|dependencies| dependencies.keys().cloned())
        .collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let mut breaches = Vec::new();
    for (folder, manifest) in manifests() {
        let Some((_, program, tests)) = EDGES.iter().find(|(of, _, _)| *of == folder) else {
            breaches.push(format!("{folder}: a crate that no rule mentions"));
            continue;
        };
        let ours = |kinds: &[&str]| -> Vec<String> {
            let names = dependencies(&manifest, kinds);
            names.iter().filter_map(|name| name.strip_prefix("makegood-").map(str::to_owned)).collect()
        };
        for known in ours(&["dependencies", "build-dependencies"]) {
            if !program.contains(&known.as_str()) {
                breaches.push(format!("{folder} may not know {known}"));
            }
        }
        for known in ours(&["dev-dependencies"]) {
            if !program.contains(&known.as_str()) && !tests.contains(&known.as_str()) {
                breaches.push(format!("{folder}, in its tests, may not know {known}"));
            }
        }
    }
    none(&breaches, "an edge between crates that the house does not have");
}

#[test]
fn foreign_crates_stay_where_they_belong() {
    let mut breaches = Vec::new();
    for (folder, manifest) in manifests() {
        let names = dependencies(&manifest, &["dependencies", "build-dependencies"]);
        for (foreign, homes) in HOMES {
            let named = names.iter().any(|name| name == foreign || name.starts_with(&format!("{foreign}-")));
            if named && !homes.contains(&folder.as_str()) {
                breaches.push(format!("{folder} may not depend on {foreign}"));
            }
        }
    }
    none(&breaches, "a foreign crate outside its home");
}

#[test]
fn the_only_http_client_is_in_connectors_http() {
    let mut breaches = files_with("src-tauri", &[".rs"]);
    breaches
        .retain(|path| !path.starts_with("src-tauri/crates/connectors/src/http") && read(path).contains("reqwest::"));
    none(&breaches, "reqwest is used outside connectors/src/http, so without its limits");
}

#[test]
fn the_window_talks_to_tauri_in_one_file() {
    let mut breaches = files_with("ui", &[".ts", ".svelte", ".js"]);
    breaches.retain(|path| {
        let imports = |line: &str| line.contains("@tauri-apps") && (line.contains("import") || line.contains("from "));
        path != "ui/src/lib/ipc/tauri.ts" && !path.contains("config") && read(path).lines().any(imports)
    });
    none(&breaches, "@tauri-apps is imported outside ui/src/lib/ipc/tauri.ts");
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let mut breaches = Vec::new();
    for path in [files_with("src-tauri", &SOURCES), files_with("ui", &SOURCES), files_with("tests", &SOURCES)].concat()
    {
        let lines = read(&path).lines().count();
        if lines > 600 {
            breaches.push(format!("{path}: {lines} lines"));
        }
    }
    none(&breaches, "a file to be split by what it is about");
}

#[test]
fn files_are_named_for_what_they_are_about() {
    const EMPTY_NAMES: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "manager", "misc", "types"];
    let mut breaches =
        [files_with("src-tauri", &SOURCES), files_with("ui", &SOURCES), files_with("tests", &SOURCES)].concat();
    breaches.retain(|path| path.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part)));
    none(&breaches, "a name that says nothing");
}

#[test]
fn every_crate_keeps_the_lints_that_forbid_unsafe_todo_and_unwrap() {
    let manifests = manifests();
    let lints = &manifests["."]["workspace"]["lints"];
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for lint in ["todo", "unimplemented", "dbg_macro", "unwrap_used", "expect_used", "allow_attributes"] {
        assert_eq!(lints["clippy"][lint].as_str(), Some("deny"), "clippy::{lint}");
    }
    let inherits =
        |manifest: &Table| manifest.get("lints").is_some_and(|lints| lints["workspace"].as_bool() == Some(true));
    let breaches: Vec<_> = manifests.iter().filter(|(_, m)| !inherits(m)).map(|(folder, _)| folder.clone()).collect();
    none(&breaches, "a crate without `[lints] workspace = true`");
}

#[test]
fn nothing_names_a_place_on_somebodys_machine() {
    // In pieces, so that this file does not name them.
    let machines = [["/wo", "rk/"], ["/ro", "ot/"], ["/Us", "ers/"], ["C:", "\\Users"]].map(|place| place.concat());
    let homes = ["/ho", "me/"].concat();
    let text =
        [".rs", ".ts", ".svelte", ".css", ".js", ".html", ".sql", ".toml", ".json", ".md", ".sh", "Makefile", "run"];
    let mut breaches = Vec::new();
    for path in files_with(".", &text) {
        let content = read(&path);
        // A test may invent a home, such as one on a network file system.
        let invents = path.contains("/tests/") || path.ends_with("tests.rs");
        for (number, line) in content.lines().enumerate() {
            let named = machines.iter().any(|place| line.contains(place)) || (!invents && line.contains(&homes));
            if named {
                breaches.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(&breaches, "a path that exists on one machine only");
}

#[test]
fn lock_files_name_no_registry_of_one_network() {
    let mut breaches = Vec::new();
    for package in locked() {
        let source = package.get("source").and_then(|source| source.as_str()).unwrap_or("ours");
        if source != "ours" && source != "registry+https://github.com/rust-lang/crates.io-index" {
            breaches.push(format!("Cargo.lock: {} from {source}", package["name"]));
        }
    }
    for path in files(".").iter().filter(|path| path.ends_with("package-lock.json")) {
        let lines = read(path);
        breaches
            .extend(lines.lines().filter(|line| line.contains("\"resolved\"")).map(|line| format!("{path}: {line}")));
    }
    none(&breaches, "a lock file that works behind one registry only");
}

/// A change of the schema has one number and one name in every store. What a store needs more room for
/// stands in further files of the same number; each file is in the store's list of changes.
#[test]
fn migrations_are_numbered_without_gaps_and_alike_in_every_store() {
    let mut stores: BTreeMap<String, BTreeMap<u32, BTreeSet<String>>> = BTreeMap::new();
    for path in files_with("src-tauri/crates/store/migrations", &[".sql"]) {
        let (folder, file) = path.rsplit_once('/').expect("a path below the root");
        let store = folder.rsplit('/').next().expect("a folder").to_owned();
        let number: u32 = file.split('_').next().and_then(|number| number.parse().ok()).expect(file);
        let list = read(&format!("src-tauri/crates/store/src/{store}/open.rs"));
        assert!(list.contains(&format!("migrations/{store}/{file}\"")), "{store}/{file} is never applied");
        stores.entry(store).or_default().entry(number).or_default().insert(file.to_owned());
    }
    assert_eq!(stores.keys().collect::<Vec<_>>(), ["postgres", "sqlite"]);
    let numbers: Vec<u32> = (1..=stores["sqlite"].len()).filter_map(|number| number.try_into().ok()).collect();
    for (store, changes) in &stores {
        assert_eq!(changes.keys().copied().collect::<Vec<_>>(), numbers, "{store}: numbered without gaps");
    }
    for number in numbers {
        let names: Vec<&String> = stores["sqlite"][&number].intersection(&stores["postgres"][&number]).collect();
        assert_eq!(names.len(), 1, "change {number} has one name in both stores: {names:?}");
    }
}

/// The packages of `Cargo.lock`.
fn locked() -> Vec<Table> {
    let lock: Table = read("Cargo.lock").parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("packages");
    packages.iter().map(|package| package.as_table().expect("a package").clone()).collect()
}

fn version(text: &str) -> Vec<u64> {
    let numbers = text.split(['-', '+']).next().unwrap_or_default().split('.');
    numbers.map(|number| number.parse().expect("a version")).collect()
}

/// The oldest versions without a known hole that reaches us; each row says which.
const FLOORS: [(&str, &str, &str); 5] = [
    ("tauri", "2.11.1", "CVE-2026-42184: a foreign page counted as local"),
    ("sqlx", "0.8.1", "RUSTSEC-2024-0363: a value over 4 GiB changes the protocol"),
    ("rustls-webpki", "0.103.13", "RUSTSEC-2026-0049, -0098, -0099, -0104"),
    ("tracing-subscriber", "0.3.20", "RUSTSEC-2025-0055: escape sequences in logs"),
    ("libsqlite3-sys", "0.37.0", "SQLite before 3.51.3 can corrupt a database in WAL mode"),
];

/// What is not linked at all, with the reason.
const ABSENT: [(&str, &str); 8] = [
    ("tauri-plugin-fs", "gives scripts of the window files"),
    ("tauri-plugin-http", "gives scripts of the window a network"),
    ("tauri-plugin-shell", "gives scripts of the window programs"),
    ("tauri-plugin-opener", "its defaults open any address"),
    ("openssl", "one TLS: rustls with ring"),
    ("native-tls", "one TLS: rustls with ring"),
    ("aws-lc-sys", "one TLS: rustls with ring, without a C build"),
    ("object_store", "RUSTSEC-2026-0543, by way of chrono"),
];

#[test]
fn locked_versions_are_above_the_known_holes() {
    let mut breaches = Vec::new();
    let locked = locked();
    for package in &locked {
        let (name, at) =
            (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
        for (_, floor, why) in FLOORS.iter().filter(|(of, _, _)| *of == name) {
            if version(at) < version(floor) {
                breaches.push(format!("{name} {at} is below {floor}: {why}"));
            }
        }
        if name.starts_with("tauri") && at.contains("alpha") {
            breaches.push(format!("{name} {at} is an alpha"));
        }
        if let Some((_, why)) = ABSENT.iter().find(|(of, _)| *of == name) {
            breaches.push(format!("{name} is linked: {why}"));
        }
    }
    for (name, _, _) in FLOORS {
        assert!(
            locked.iter().any(|package| package["name"].as_str() == Some(name)),
            "{name}: a floor without a package"
        );
    }
    none(&breaches, "a package with a known hole");
}
