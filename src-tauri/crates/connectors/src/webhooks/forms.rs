//! What the webhooks of each provider look like: how they are signed, and where in the body the job, the
//! event and the delivery are named. A row of data per provider; unknown fields are nobody's business here.

use makegood_domain::ids::JobId;
use makegood_domain::ports::Notice;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::headers::Headers;
use super::{fal, standard};

/// How a provider signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks with a shared secret.
    Standard,
    /// Standard Webhooks with a shared secret, or with the sender's public keys.
    StandardOrKeys,
    Fal,
    Bfl,
    Sync,
    HeyGen,
    /// The provider signs nothing: what comes is a hint.
    Unsigned,
}

/// The webhooks of one provider.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub name: &'static str,
    pub scheme: Scheme,
    /// Where the public keys are, for those who publish them.
    pub keys_url: Option<&'static str>,
    /// JSON pointers to the job's id; the first that is there counts.
    job: &'static [&'static str],
    /// JSON pointers to the id of the caller's own that the job was submitted under, for providers who take one.
    own: &'static [&'static str],
    /// Names under which the whole may be wrapped once more. What is in it counts where the body itself tells no event.
    wraps: &'static [&'static str],
    /// JSON pointers to the word for what happened.
    event: &'static [&'static str],
    /// Where a word stands that must be answered with itself, on registration.
    challenge: Option<&'static str>,
}

const GEMINI_KEYS_URL: &str = "https://generativelanguage.googleapis.com/.well-known/jwks.json";

const fn form(
    name: &'static str,
    scheme: Scheme,
    job: &'static [&'static str],
    event: &'static [&'static str],
) -> Form {
    Form { name, scheme, keys_url: None, job, own: &[], wraps: &[], event, challenge: None }
}

/// Every form, by the name that settings use.
const FORMS: &[Form] = &[
    form("replicate", Scheme::Standard, &["/id"], &["/status"]),
    Form { keys_url: Some(fal::KEYS_URL), ..form("fal", Scheme::Fal, &["/request_id"], &["/status"]) },
    Form {
        keys_url: Some(GEMINI_KEYS_URL),
        ..form("gemini", Scheme::StandardOrKeys, &["/data/id", "/data/name"], &["/type"])
    },
    form("openai", Scheme::Standard, &["/data/id"], &["/type"]),
    form("bfl", Scheme::Bfl, &["/id"], &["/status"]),
    Form { wraps: &["data", "generation"], ..form("sync", Scheme::Sync, &["/id"], &["/status"]) },
    form(
        "heygen",
        Scheme::HeyGen,
        &["/event_data/video_id", "/event_data/id", "/event_data/video_translate_id"],
        &["/event_type"],
    ),
    form("luma", Scheme::Unsigned, &["/id"], &["/state"]),
    Form {
        own: &["/task_info/external_task_id", "/data/task_info/external_task_id"],
        ..form("kling", Scheme::Unsigned, &["/task_id", "/data/task_id"], &["/task_status", "/data/task_status"])
    },
    Form { challenge: Some("/challenge"), ..form("minimax", Scheme::Unsigned, &["/task_id", "/id"], &["/status"]) },
    form("seedance", Scheme::Unsigned, &["/id"], &["/status"]),
];

/// A challenge longer than this is not echoed.
const LONGEST_CHALLENGE: usize = 256;

impl Form {
    /// The form by its name, or by the name of an adapter that begins with it: `minimax_v2`.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        let name = if name == "gemini_veo" { "gemini" } else { name };
        let is_of = |form: &&Form| {
            name.strip_prefix(form.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
        };
        FORMS.iter().find(is_of)
    }

    /// The names of all forms.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        FORMS.iter().map(|form| form.name).collect()
    }

    /// Reads a body. One that is no JSON, or names no job, is a notice about none.
    #[must_use]
    pub fn read(&self, headers: Headers<'_>, body: &[u8]) -> Notice {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let json = self.unwrapped(json);
        let word = |pointers: &[&str]| pointers.iter().find_map(|pointer| text(json.pointer(pointer)?));
        let signed_id = matches!(self.scheme, Scheme::Standard | Scheme::StandardOrKeys)
            .then(|| headers.one(standard::ID).ok().filter(|id| !id.is_empty()))
            .flatten();
        let challenge = self.challenge.and_then(|pointer| text(json.pointer(pointer)?));
        let (job_id, own) = (word(self.job), word(self.own));
        Notice {
            own_id: own.filter(|own| job_id.as_ref() != Some(own)).map(JobId),
            job_id: job_id.map(JobId),
            delivery_id: signed_id.map_or_else(|| digest(body), str::to_owned),
            event: word(self.event),
            challenge: challenge.filter(|word| word.len() <= LONGEST_CHALLENGE),
        }
    }
}

impl Form {
    fn unwrapped(&self, json: Value) -> Value {
        let tells_event = self.event.iter().any(|pointer| json.pointer(pointer).is_some());
        let inner = self.wraps.iter().filter_map(|name| json.get(name)).find(|one| one.is_object());
        match inner {
            Some(inner) if !tells_event => inner.clone(),
            _ => json,
        }
    }
}

/// A name or a number; anything else names nothing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id of a delivery whose provider gives none: the same bytes are the same delivery.
fn digest(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, body: &str) -> (Option<String>, Option<String>) {
        let headers = [("webhook-id".to_owned(), "msg_1".to_owned())];
        let notice = Form::of(form).expect(form).read(Headers(&headers), body.as_bytes());
        (notice.job_id.map(|id| id.0), notice.event)
    }

    #[test]
    fn each_provider_names_its_job_in_its_own_place() {
        for (form, body, job, event) in [
            ("replicate", r#"{"id":"p1","status":"succeeded","output":null}"#, "p1", "succeeded"),
            ("fal", r#"{"request_id":"q1","gateway_request_id":"q0","status":"ERROR","payload":null}"#, "q1", "ERROR"),
            (
                "gemini",
                r#"{"type":"video.generated","data":{"id":"models/m/operations/o"}}"#,
                "models/m/operations/o",
                "video.generated",
            ),
            ("gemini_veo", r#"{"type":"video.failed","data":{"name":"operations/o"}}"#, "operations/o", "video.failed"),
            (
                "openai",
                r#"{"id":"evt_1","type":"video.completed","data":{"id":"video_1"}}"#,
                "video_1",
                "video.completed",
            ),
            ("bfl", r#"{"id":"b1","status":"Ready"}"#, "b1", "Ready"),
            ("sync", r#"{"id":"s1","status":"COMPLETED"}"#, "s1", "COMPLETED"),
            ("sync", r#"{"data":{"id":"s2","status":"FAILED"}}"#, "s2", "FAILED"),
            ("sync", r#"{"id":"evt","generation":{"id":"s3","status":"COMPLETED"}}"#, "s3", "COMPLETED"),
            ("sync", r#"{"id":"s4","status":"COMPLETED","data":{"id":"other"}}"#, "s4", "COMPLETED"),
            (
                "heygen_v3",
                r#"{"event_type":"avatar_video.success","event_data":{"video_id":"v1"}}"#,
                "v1",
                "avatar_video.success",
            ),
            ("luma_agents", r#"{"id":"l1","state":"dreaming"}"#, "l1", "dreaming"),
            ("kling", r#"{"task_id":"866168216002236456","task_status":"succeed"}"#, "866168216002236456", "succeed"),
            ("kling", r#"{"data":{"task_id":"8","task_status":"failed"}}"#, "8", "failed"),
            ("minimax_v2", r#"{"task_id":106916112212032,"status":"success"}"#, "106916112212032", "success"),
            ("seedance", r#"{"id":"cgt-1","status":"running"}"#, "cgt-1", "running"),
        ] {
            assert_eq!(read(form, body), (Some(job.to_owned()), Some(event.to_owned())), "{form}");
        }
    }

    /// Kling asks and tells under both ids, and the platform may keep either as the job's.
    #[test]
    fn an_id_of_the_callers_own_is_told_beside_the_providers() {
        let ids = |form: &str, body: &str| {
            let notice = Form::of(form).expect(form).read(Headers(&[]), body.as_bytes());
            (notice.job_id.map(|id| id.0), notice.own_id.map(|id| id.0))
        };
        let (task, own) = (Some("8".to_owned()), Some("run-1".to_owned()));
        for (form, body, want) in [
            ("kling", r#"{"task_id":"8","task_info":{"external_task_id":"run-1"}}"#, (task.clone(), own.clone())),
            (
                "kling",
                r#"{"data":{"task_id":8,"task_info":{"external_task_id":"run-1"}}}"#,
                (task.clone(), own.clone()),
            ),
            ("kling", r#"{"task_info":{"external_task_id":"run-1"}}"#, (None, own)),
            ("kling", r#"{"task_id":"8","task_info":{"external_task_id":"8"}}"#, (task.clone(), None)),
            ("kling", r#"{"task_id":"8","task_info":{"external_task_id":""}}"#, (task.clone(), None)),
            ("kling", r#"{"task_id":"8","task_info":{}}"#, (task.clone(), None)),
            ("seedance", r#"{"id":"8","task_info":{"external_task_id":"run-1"}}"#, (task, None)),
        ] {
            assert_eq!(ids(form, body), want, "{form} {body}");
        }
    }

    #[test]
    fn what_names_no_job_is_a_notice_about_none() {
        for body in ["", "not json", "[]", "null", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":{"id":"x"}}"#] {
            assert_eq!(read("replicate", body).0, None, "{body}");
        }
    }

    #[test]
    fn a_delivery_has_the_senders_id_or_its_digest() {
        let id = |form: &str, headers: &[(String, String)]| {
            Form::of(form).expect(form).read(Headers(headers), b"{}").delivery_id
        };
        let headers = [("webhook-id".to_owned(), "msg_1".to_owned())];
        let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(id("replicate", &headers), "msg_1");
        assert_eq!(id("replicate", &[]), digest);
        // Whoever signs no id could otherwise be given one by anybody.
        assert_eq!(id("kling", &headers), digest);
        assert_eq!(id("fal", &headers), digest);
    }

    #[test]
    fn only_a_short_challenge_of_who_asks_for_it_is_echoed() {
        let challenge = |form: &str, word: &str| {
            let body = format!(r#"{{"challenge":"{word}"}}"#);
            Form::of(form).expect(form).read(Headers(&[]), body.as_bytes()).challenge
        };
        assert_eq!(challenge("minimax", "c1"), Some("c1".to_owned()));
        assert_eq!(challenge("minimax", &"c".repeat(257)), None);
        assert_eq!(challenge("kling", "c1"), None);
    }

    /// Whoever is said to send webhooks can be heard.
    #[test]
    fn every_provider_that_sends_webhooks_has_a_form() {
        for facts in crate::providers::all_facts().filter(|facts| facts.capability.webhook) {
            assert!(Form::of(facts.adapter).is_some(), "{}", facts.adapter);
        }
    }

    #[test]
    fn a_form_is_found_by_its_name_only() {
        assert!(Form::of("falcon").is_none());
        assert!(Form::of("runway").is_none(), "Runway has no webhooks at all");
        assert!(Form::names().iter().all(|name| Form::of(name).is_some_and(|form| form.name == *name)));
    }
}
