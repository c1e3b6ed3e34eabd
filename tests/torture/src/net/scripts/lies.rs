//! N15: what a provider says of a job that cannot be so. Nothing is known then, and no credits move.

use super::{Script, Stage, Want, prediction};

pub fn scripts(stage: &mut Stage) -> Vec<Script> {
    let sound = prediction(&format!("[\"{}/f\"]", stage.base));
    let (mut scripts, at) = (Vec::new(), stage.dice.index(sound.len() - 2) + 1);
    let mut unknown = |what: &str, body: String| {
        scripts.push(Script {
            for_ever: true,
            ..Script::new("N15", what, Want::Unknown).looks([Stage::json("200 OK", "", &body)])
        });
    };
    let with = |from: &str, to: &str| sound.replacen(from, to, 1);
    let state = |value: &str| with("\"status\":\"succeeded\"", &format!("\"status\":{value}"));
    for (what, value) in [
        ("an unknown state", "\"hibernating\""),
        ("a state in capitals", "\"SUCCEEDED!\""),
        ("no state", "\"\""),
        ("a state that is null", "null"),
        ("a state that is a number", "3"),
        ("a state that is true", "true"),
        ("a state that is a list", "[\"succeeded\"]"),
        ("a state that is an object", "{\"is\":\"failed\"}"),
    ] {
        unknown(what, state(value));
    }
    unknown("no field for the state", with("\"status\":\"succeeded\",", ""));
    unknown("another's job", with("\"id\":\"net\"", "\"id\":\"another\""));
    unknown("another's failed job", state("\"failed\"").replacen("\"id\":\"net\"", "\"id\":\"another\"", 1));
    unknown("a job that is a number", with("\"id\":\"net\"", "\"id\":7"));
    for (what, body) in [
        ("nothing", ""),
        ("spaces", "   "),
        ("null", "null"),
        ("a text", "\"succeeded\""),
        ("a number", "1e999"),
        ("a list", "[]"),
        ("an empty object", "{}"),
        ("a page", "<html>succeeded</html>"),
        ("half a text", "{\"id\":\"net\",\"status\":\"fail"),
        ("two texts", "{}{}"),
        ("no number", "{\"id\":\"net\",\"status\":NaN}"),
        ("single quotes", "{'id':'net','status':'failed'}"),
        ("a remark", "{\"id\":\"net\" /* here */}"),
    ] {
        unknown(&format!("{what} for an answer"), body.to_owned());
    }
    unknown("an answer that breaks off", sound[..at].to_owned());
    unknown("an answer with more behind it", format!("{sound}x"));
    let files = |what: &str, output: &str| {
        // Nothing that could be fetched: the job stays as it is said to be, and no file is brought or called gone.
        let look = Stage::json("200 OK", "", &prediction(output));
        Script { for_ever: true, ..Script::new("N15", what, Want::NoFile).looks([look]) }
    };
    scripts.extend([
        files("a file that is a number", "7"),
        files("a file at a stranger's", &format!("[\"{}/f\"]", stage.forbidden)),
        files("a file on the disk", "[\"file:///etc/passwd\"]"),
        files("a file in the provider's network", "[\"https://10.0.0.7/f\"]"),
        files("a file that is a word", "\"here it is\""),
        files("a broken file inside", "\"data:video/mp4;base64,@@@\""),
    ]);
    scripts
}
