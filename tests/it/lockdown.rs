//! What the window may do, value by value. A change here is a decision, so it fails until the
//! reason beside it is changed, too.

use serde_json::{Value, json};

use crate::tree::{files, read};

/// The content security policy, directive by directive.
///
/// `frame-src` is absent on purpose: it would have to list the isolation frame, whose scheme gets a
/// new name in every build; without it frames fall under `default-src`, to which Tauri adds that
/// scheme alone. So no other frame can be shown at all.
const POLICY: [(&str, &str, &str); 10] = [
    ("default-src", "'none'", "what is not named is denied"),
    ("script-src", "'self'", "no inline script, no eval, no foreign script"),
    ("style-src", ISOLATION_STYLE, "no inline style but the rule that hides the isolation frame"),
    ("font-src", "'self'", "the fonts are shipped with the window"),
    ("img-src", "'self' blob: attach:", "own pictures, pictures being edited, customers' screenshots"),
    ("media-src", "blob:", "files of the vault whose bytes came over the bridge; no address can be played"),
    ("connect-src", "ipc: http://ipc.localhost", "the bridge and no network"),
    ("object-src", "'none'", "no plug-ins"),
    ("base-uri", "'none'", "relative addresses cannot be bent"),
    ("form-action", "'none'", "no form leaves the window"),
];

/// The digest of `#__tauri_isolation__ { display: none !important }`, as Tauri writes it.
const ISOLATION_STYLE: &str = "'self' 'sha256-YEercZJImS+vUX2bz7vkQ0aA4rtBIPLuCEWz+yraQ/g='";

/// Every other setting that decides what the window may do.
fn settings() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/app/withGlobalTauri", json!(false), "scripts reach the bridge by import only"),
        ("/app/security/freezePrototype", json!(true), "a polluted prototype cannot forge a message"),
        ("/app/security/dangerousDisableAssetCspModification", json!(false), "Tauri adds its nonces"),
        ("/app/security/assetProtocol", json!({ "enable": false, "scope": [] }), "it could read any file"),
        ("/app/security/pattern/use", json!("isolation"), "messages pass a frame that scripts cannot reach"),
        ("/app/security/capabilities", json!(["main"]), "no other capability counts"),
        ("/app/security/headers", json!({ "X-Content-Type-Options": "nosniff" }), "types are not guessed"),
        ("/app/windows/0/label", json!("main"), "the one window"),
        ("/app/windows/0/create", json!(false), "built by the shell, with its handlers"),
        ("/app/windows/0/url", json!("index.html"), "own pages"),
        ("/app/windows/1", Value::Null, "no second window"),
        ("/app/windows/0/devtools", Value::Null, "as the build says: never in a release"),
        ("/app/windows/0/generalAutofillEnabled", json!(false), "no customer's data kept by the web view"),
        ("/build/devUrl", Value::Null, "a development build shows the same pages"),
        ("/build/removeUnusedCommands", Value::Null, "commands are denied by capability"),
        ("/plugins", Value::Null, "no plugin is configured from outside"),
        ("/bundle/active", json!(false), "no updater"),
    ]
}

fn expected_policy() -> String {
    let directives: Vec<_> = POLICY.iter().map(|(directive, sources, _)| format!("{directive} {sources}")).collect();
    directives.join("; ")
}

/// What `config` has at `pointer`; an empty object or list is as good as nothing.
fn at(config: &Value, pointer: &str) -> Value {
    match config.pointer(pointer) {
        None => Value::Null,
        Some(Value::Object(none)) if none.is_empty() => Value::Null,
        Some(value) if *value == json!(false) && pointer == "/build/removeUnusedCommands" => Value::Null,
        Some(value) => value.clone(),
    }
}

fn check(config: &Value) {
    for (pointer, expected, why) in settings() {
        let mut found = at(config, pointer);
        if pointer.ends_with("headers") {
            // The compiled form lists every header it knows.
            found.as_object_mut().expect("headers").retain(|_, value| !value.is_null());
        }
        assert_eq!(found, expected, "{pointer}: {why}");
    }
    assert_eq!(at(config, "/app/security/csp"), json!(expected_policy()), "the content security policy");
    assert_eq!(at(config, "/app/security/devCsp"), Value::Null, "one policy, in development, too");
}

fn source() -> Value {
    serde_json::from_str(&read("tauri.conf.json")).expect("tauri.conf.json is JSON")
}

#[test]
fn the_configuration_is_as_decided() {
    check(&source());
}

#[test]
fn the_configuration_has_no_setting_that_nobody_decided() {
    let keys = |pointer: &str| -> Vec<String> {
        source().pointer(pointer).and_then(Value::as_object).expect("an object").keys().cloned().collect()
    };
    assert_eq!(keys(""), ["app", "build", "bundle", "identifier", "productName"]);
    assert_eq!(keys("/app"), ["security", "windows", "withGlobalTauri"]);
    assert_eq!(keys("/build"), ["frontendDist"], "no command runs before a build");
    let security = [
        "assetProtocol",
        "capabilities",
        "csp",
        "dangerousDisableAssetCspModification",
        "freezePrototype",
        "headers",
        "pattern",
    ];
    assert_eq!(keys("/app/security"), security);
}

#[test]
fn the_window_has_one_capability_with_five_commands_and_hears_events() {
    assert_eq!(files("src-tauri/capabilities"), ["src-tauri/capabilities/main.json"], "one file for each window");
    let capability: Value = serde_json::from_str(&read("src-tauri/capabilities/main.json")).expect("JSON");
    let permissions = [
        "allow-query",
        "allow-act",
        "allow-media",
        "allow-opening",
        "allow-open-again",
        "core:event:allow-listen",
        "core:event:allow-unlisten",
    ];
    assert_eq!(capability["permissions"], json!(permissions), "no default set, no wildcard");
    assert_eq!(capability["windows"], json!(["main"]));
    assert_eq!(capability["local"], json!(true));
    let mut keys: Vec<_> = capability.as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["description", "identifier", "local", "permissions", "windows"], "nothing for other web pages");
}

#[test]
fn tauri_is_compiled_without_the_parts_that_widen_it() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let tauri = &manifest["workspace"]["dependencies"]["tauri"];
    assert_eq!(tauri["default-features"].as_bool(), Some(false), "dynamic-acl would add rights at run time");
    let features: Vec<_> = tauri["features"].as_array().expect("features").iter().filter_map(|f| f.as_str()).collect();
    assert_eq!(features, ["common-controls-v6", "compression", "dbus", "isolation", "wry", "x11"], "no devtools");
    let depends = manifest["dependencies"].as_table().expect("dependencies");
    let plugins: Vec<_> = depends.keys().filter(|name| name.starts_with("tauri-plugin")).collect();
    assert_eq!(plugins, ["tauri-plugin-single-instance", "tauri-plugin-store"]);
}

#[test]
fn the_isolation_hook_is_short_enough_to_read() {
    assert_eq!(files("src-tauri/isolation"), ["src-tauri/isolation/index.html", "src-tauri/isolation/index.js"]);
    assert!(read("src-tauri/isolation/index.js").lines().count() <= 100);
}

/// What was compiled into the program, rather than what the files say.
#[cfg(feature = "desktop")]
mod built {
    use tauri::ipc::Origin;

    use super::check;

    #[test]
    fn the_built_configuration_is_as_decided() {
        let context = makegood::shell::context();
        check(&serde_json::to_value(context.config()).expect("the configuration is data"));
    }

    #[test]
    fn the_built_program_grants_seven_commands_to_one_window_and_none_to_other_pages() {
        let mut context = makegood::shell::context();
        let rights = context.runtime_authority_mut();
        let granted = |command: &str, window: &str, origin: &Origin| {
            rights.resolve_access(command, window, window, origin).is_some()
        };
        let away = Origin::Remote { url: "https://example.com/".parse().expect("an address") };
        for command in
            ["query", "act", "media", "opening", "open_again", "plugin:event|listen", "plugin:event|unlisten"]
        {
            assert!(granted(command, "main", &Origin::Local), "{command}");
            assert!(!granted(command, "main", &away), "{command} from another page");
            assert!(!granted(command, "viewer", &Origin::Local), "{command} from another window");
        }
        let denied = [
            "plugin:event|emit",
            "plugin:event|emit_to",
            "plugin:window|create",
            "plugin:window|set_title",
            "plugin:webview|create_webview_window",
            "plugin:webview|internal_toggle_devtools",
            "plugin:app|version",
            "plugin:path|resolve_directory",
            "plugin:resources|close",
            "plugin:image|from_path",
            "plugin:menu|new",
            "plugin:tray|new",
            "plugin:store|load",
            "plugin:store|get",
            "plugin:store|set",
            "plugin:store|save",
            "refused_by_isolation",
        ];
        for command in denied {
            assert!(!granted(command, "main", &Origin::Local), "{command}");
        }
    }
}
