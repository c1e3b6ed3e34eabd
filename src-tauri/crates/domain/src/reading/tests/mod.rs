//! Tables of tickets for the whole reading, one [`check`] for all, and the measure over labelled cases.

mod customers;
mod distractions;
mod fields;
mod joints;

mod letters;
mod measure;
mod misleading;
mod phrases;
mod times_english;
mod times_other;
mod unlike;
mod wild;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::read;
use crate::ports::ReadingContext;
use crate::support::{Attachment, Claim, Requester, Ticket, Topic};
use crate::work::{AnswerMode, Media, Model, Presence, Project};

/// All tickets of the tables come in on this Wednesday: 09:00 in New York, 15:00 in Berlin, 22:00 in Tokyo.
const WRITTEN: &str = "2026-06-10T13:00:00Z";

fn model(id: &str, name: &str, family: &str, aliases: &[&str], media: Media) -> Model {
    Model {
        id: id.into(),
        display_name: name.into(),
        family: family.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        provider_id: "prov".into(),
        media,
        mode: AnswerMode::Async,
    }
}

fn project(id: &str, name: &str) -> Project {
    Project {
        id: id.into(),
        name: name.into(),
        account_id: "acc_1".into(),
        workspace_id: None,
        status: Presence::Active,
        deleted_at: None,
    }
}

/// A catalogue and a customer's projects.
fn context() -> ReadingContext {
    let models = vec![
        model("veo-3.1", "Veo 3.1", "veo", &["veo 3", "veo3", "google veo"], Media::Video),
        model("veo-3.1-fast", "Veo 3.1 Fast", "veo", &["veo fast", "veo 3 fast"], Media::Video),
        model("kling-2.6-pro", "Kling 2.6 Pro", "kling", &["kling 2.6", "kling pro"], Media::Video),
        model("kling-3.0", "Kling 3.0", "kling", &["kling 3", "kling v3"], Media::Video),
        model("seedance-2.0", "Seedance 2.0", "seedance", &["seedance 2", "seedance pro"], Media::Video),
        model("hailuo-02", "Hailuo 02", "hailuo", &["minimax hailuo", "hailou", "minimax"], Media::Video),
        model("runway-gen-4.5", "Runway Gen-4.5", "runway", &["gen 4.5", "gen-4"], Media::Video),
        model("ray-3", "Luma Ray3", "luma", &["ray 3", "dream machine", "luma ray"], Media::Video),
        model("wan-2.5", "Wan 2.5", "wan", &["wan25"], Media::Video),
        model(
            "gemini-3-pro-image",
            "Nano Banana Pro",
            "nano banana",
            &["nanobanana", "banana pro", "ナノバナナ"],
            Media::Image,
        ),
        model("flux-kontext-max", "FLUX.1 Kontext [max]", "flux", &["kontext", "flux kontext"], Media::Image),
        model("lipsync-2", "Sync Lipsync 2", "lipsync", &["lip sync", "lip-sync 2"], Media::Lipsync),
        model("eleven-v3", "Eleven v3", "elevenlabs", &["eleven labs", "11labs"], Media::Audio),
    ];
    let projects = vec![
        project("prj_a1b2c3d4", "Winter film"),
        project("prj_e5f6g7h8", "Reel"),
        project("prj_j9k8m7n6", "ロゴ案"),
    ];
    ReadingContext { models, projects }
}

/// A ticket of the tables. Text behind `###` is what an attachment shows, text before `##` the subject.
fn ticket(locale: &str, zone: &str, text: &str) -> Ticket {
    let (letter, picture) = text.split_once("###").unwrap_or((text, ""));
    let (subject, body) = letter.split_once("##").unwrap_or(("", letter));
    let shown = Attachment {
        id: None,
        name: "Screenshot 2026-06-10 at 10.41.png".into(),
        kind: "image".into(),
        description: picture.into(),
    };
    let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ticket {
        id: "T-1".into(),
        subject: subject.into(),
        body: body.into(),
        created_at: WRITTEN.parse().unwrap(),
        requester: Requester {
            user_id: None,
            email: "a@example.com".into(),
            locale: named(locale),
            timezone: named(zone),
        },
        attachments: if picture.is_empty() { Vec::new() } else { vec![shown] },
        desk: None,
    }
}

/// Local times of 2026 ("06-09 14:05") in a zone, to UTC text.
fn utc(local: &str, zone: &str) -> String {
    let local = local.trim();
    let year = if local.starts_with("20") { "" } else { "2026-" };
    let at: DateTime = format!("{year}{}:00", local.replace(' ', "T")).parse().unwrap();
    at.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC)).unwrap().timestamp().to_string()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "-".into() } else { names.join("|") }
}

/// One field of a claim as the tables write it; `zone` is for times.
fn shown(claim: &Claim, field: &str, want: &str, zone: &str) -> (String, String) {
    let window = claim.window.map_or("-".to_owned(), |(first, last)| format!("{first}..{last}"));
    let clock = claim.clock_utc.map_or("-".to_owned(), |at| at.to_string());
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let got = match field {
        "clock" => clock,
        "win" => format!("{window} {clock}"),
        "models" => listed(&claim.model_refs),
        "runs" => listed(&claim.run_refs),
        "jobs" => listed(&claim.job_refs),
        "project" => or_dash(claim.project_ref.clone()),
        "amount" => or_dash(claim.amount.map(|n| n.to_string())),
        "count" => or_dash(claim.stated_runs.map(|n| n.to_string())),
        "topic" => match claim.topic {
            Topic::MissingOutput => "missing".into(),
            Topic::ForeignAsset => "foreign".into(),
            Topic::BillingOther => "billing".into(),
        },
        other => format!("no field {other}"),
    };
    let want = match (field, want) {
        (_, "-") if field != "win" => "-".into(),
        ("win", "-") => "- -".into(),
        ("clock", local) => utc(local, zone),
        // A window without a clock time: that is what tells it from a clock's.
        ("win", ends) => {
            ends.split_once("..").map(|(a, b)| format!("{}..{} -", utc(a, zone), utc(b, zone))).unwrap_or_default()
        }
        (_, text) => text.to_owned(),
    };
    (got, want)
}

/// Reads `text` as written by a customer of `locale` in `zone` and compares the fields of `wants`:
/// `clock 06-09 14:05; amount 320`. Times are local in `zone`, or in the zone after `@`.
fn check(rows: &[(&str, &str, &str, &str)]) {
    let context = context();
    let mut wrong = Vec::new();
    for (locale, zone, text, wants) in rows {
        let claim = read(&ticket(locale, zone, text), &context);
        for want in wants.split(';') {
            let (field, value) = want.trim().split_once(' ').unwrap();
            let (value, at) = value.split_once(" @").unwrap_or((value, if zone.is_empty() { "UTC" } else { zone }));
            let (got, want) = shown(&claim, field, value, at);
            if got != want {
                wrong.push(format!("{text}\n    {field}: want {want}, got {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
