//! N10 and N14: addresses that lead elsewhere, and such as have run out.

use super::super::wire::Answer;
use super::{Script, Stage, Want};

/// Nobody else is asked: an answer in place of the file, or words on why the address is not.
const NOT_FOLLOWED: &[&str] = &["not asked", "redirected more", "in place of the file", "was asked for, and"];

pub fn scripts(stage: &mut Stage) -> Vec<Script> {
    [led_elsewhere(stage), run_out(stage)].concat()
}

/// An answer that leads there.
pub fn moved(to: &str) -> Answer {
    moved_as("302 Found", to)
}

fn moved_as(status: &str, to: &str) -> Answer {
    Stage::said(status, &format!("location: {to}\r\ncontent-length: 0\r\n"), "")
}

fn led_elsewhere(stage: &mut Stage) -> Vec<Script> {
    let own = format!("{}/f", stage.base);
    let forbidden = stage.forbidden.clone();
    let host = forbidden.trim_start_matches("http://").to_owned();
    let mut scripts = vec![
        Script::new("N10", "three hops", Want::Whole).files([moved(&own), moved("/f"), moved("f")]),
        Script::new("N10", "four hops", Want::Failed(NOT_FOLLOWED)).files([
            moved(&own),
            moved(&own),
            moved(&own),
            moved(&own),
        ]),
        Script::new("N10", "a circle", Want::Failed(NOT_FOLLOWED)).files([moved(&own)]).for_ever(),
    ];
    for status in ["301 Moved", "303 See", "307 Keep", "308 Keep"] {
        scripts.push(Script::new("N10", status, Want::Whole).files([moved_as(status, &own)]));
        let away = Script::new("N10", format!("{status}, to a stranger"), Want::Failed(NOT_FOLLOWED));
        scripts.push(away.files([moved_as(status, &format!("{forbidden}/f"))]).for_ever());
    }
    for (what, to) in [
        ("another port", format!("{forbidden}/f")),
        ("the same by a name", format!("http://localhost:{}/f", host.rsplit(':').next().unwrap_or("80"))),
        (
            "another of the machine's addresses",
            format!("http://127.0.0.2:{}/f", host.rsplit(':').next().unwrap_or("80")),
        ),
        ("who is asked first", format!("http://{}@{host}/f", stage.base.trim_start_matches("http://"))),
        ("without a scheme", format!("//{host}/f")),
        ("metadata", "http://169.254.169.254/latest/meta-data/".to_owned()),
        ("the disk", "file:///etc/passwd".to_owned()),
        ("bytes inside it", "data:video/mp4;base64,AAAA".to_owned()),
        ("an old protocol", "ftp://127.0.0.1/f".to_owned()),
        ("nothing that can be read", "http://[::1/f".to_owned()),
        ("a port beyond all", "http://127.0.0.1:99999/f".to_owned()),
        ("nowhere", String::new()),
        ("itself, in clear", own.replace("http://", "https://")),
    ] {
        // Nowhere is here: a circle.
        let script = Script::new("N10", format!("to {what}"), Want::Failed(NOT_FOLLOWED));
        scripts.push(Script { hasty: true, ..script.files([moved(&to)]).for_ever() });
    }
    scripts
}

/// N14: the address is stale, or the file gone.
fn run_out(stage: &mut Stage) -> Vec<Script> {
    let status = |code: u16| Stage::json(&format!("{code} No"), "", "{}");
    let at = stage.within();
    let few = |script: Script| Script { asks: 6, ..script };
    let mut scripts: Vec<Script> = [403, 404, 410]
        .into_iter()
        .map(|code| Script::new("N14", format!("{code} once"), Want::Whole).files([status(code)]))
        .collect();
    for code in [404, 410] {
        scripts.push(few(Script::new("N14", format!("{code} for ever"), Want::Gone).files([status(code)]).for_ever()));
    }
    let refused = Script::new("N14", "403 for ever", Want::Failed(&["HTTP 403"])).files([status(403)]).for_ever();
    scripts.push(few(refused));
    let on_the_way = [stage.cut(at, None), status(404)];
    scripts.push(Script::new("N14", "on the way", Want::Whole).files(on_the_way));
    let gone = vec![Stage::json("404 No", "", "{\"detail\":\"not found\"}"); 4];
    scripts.push(Script::new("N14", "the job itself", Want::Gone).looks(gone));
    scripts
}
