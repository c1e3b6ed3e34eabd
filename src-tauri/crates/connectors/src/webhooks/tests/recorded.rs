//! Reads a folder of recorded signatures, and says whether they are judged rightly:
//! `MAKEGOOD_PROVIDER_EXAMPLES=FOLDER cargo test -p makegood-connectors recorded -- --ignored --nocapture`. Each way of
//! signing has a vector of our own beside this.

use std::path::Path;

use serde_json::Value;

use super::*;

/// The form of a vector, by what it calls its scheme.
fn form(scheme: &str) -> Option<&'static str> {
    let forms = [("Replicate", "replicate"), ("fal", "fal"), ("Gemini", "gemini"), ("BFL", "bfl"), ("Sync", "sync")];
    forms.into_iter().find(|(word, _)| scheme.starts_with(word)).map(|(_, form)| form)
}

/// The time that a vector was signed at; those that sign none are of any time.
fn signed_at(headers: &[(String, String)]) -> Timestamp {
    let digits = |text: &str| text.trim_start_matches("t=").split(',').next().and_then(|text| text.parse().ok());
    let times = headers.iter().filter(|(name, _)| name.ends_with("timestamp") || name == "sync-signature");
    times.filter_map(|(_, value)| digits(value)).next().map_or_else(|| at(1_763_632_800), at)
}

fn read(vector: &Value) -> Option<Vec<Vector>> {
    let form = form(vector["scheme"].as_str()?)?;
    let headers: Vec<(String, String)> = vector["headers"]
        .as_object()?
        .iter()
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())))
        .collect();
    let sets = ["jwks", "jwks_padded_variant"].map(|name| vector.get(name));
    let keys: Vec<Option<PublicKeys>> = match sets.into_iter().flatten().collect::<Vec<_>>()[..] {
        [] => vec![None],
        ref some => some.iter().map(|set| PublicKeys::parse(set.to_string().as_bytes()).ok()).collect(),
    };
    let body = vector["body"].as_str()?.as_bytes().to_vec();
    let secret = vector["secret"].as_str().map(str::to_owned);
    let at = signed_at(&headers);
    let made = |keys| Vector { form, secret: secret.clone(), keys, headers: headers.clone(), body: body.clone(), at };
    Some(keys.into_iter().map(made).collect())
}

#[test]
#[ignore = "needs MAKEGOOD_PROVIDER_EXAMPLES, a folder of recorded documents"]
fn recorded_signatures_are_judged_as_they_say() {
    let folder = std::env::var_os("MAKEGOOD_PROVIDER_EXAMPLES").expect("MAKEGOOD_PROVIDER_EXAMPLES names the folder");
    let folder = Path::new(&folder).join("signatures");
    let mut judged = 0;
    for file in std::fs::read_dir(&folder).expect("the folder of signatures") {
        let path = file.expect("a file").path();
        let json: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        let Some(valid) = json["expect_valid"].as_bool() else { continue };
        for vector in read(&json).unwrap_or_else(|| panic!("{}: a scheme that nobody knows", path.display())) {
            assert_eq!(vector.proof() == Proof::Proven, valid, "{}: {:?}", path.display(), vector.proof());
            judged += 1;
        }
    }
    println!("{judged} recorded signatures judged");
    assert!(judged > 0, "{} has none", folder.display());
}
