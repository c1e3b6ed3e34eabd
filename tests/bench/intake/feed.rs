//! A feed like a product's: customers, then for each run the run, its charge, its job with a file, the webhook,
//! and for three of four the stored output.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const CUSTOMERS: u64 = 500;

/// Writes `count` events, one a line.
pub fn write(path: &Path, count: u64) {
    let mut feed = Feed { out: BufWriter::new(std::fs::File::create(path).expect("a file")), left: count, next: 0 };
    feed.people();
    let mut run = 0;
    while feed.left > 0 {
        feed.run(run);
        run += 1;
    }
    feed.out.flush().expect("a file");
}

struct Feed {
    out: BufWriter<std::fs::File>,
    left: u64,
    next: u64,
}

fn at(second: u64) -> Timestamp {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().expect("an instant");
    start + SignedDuration::from_secs(i64::try_from(second).expect("a small number"))
}

impl Feed {
    fn tell(&mut self, kind: &str, data: &Value) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let event = json!({ "specversion": "1.0", "type": format!("makegood.{kind}.v1"), "source": "/platform/feed",
            "id": format!("evt-{:010}", self.next), "time": at(self.next), "data": data });
        self.next += 1;
        writeln!(self.out, "{event}").expect("a line");
    }

    fn people(&mut self) {
        self.tell("provider", &json!({ "id": "mill", "retention_hours": 48, "retention_source": "documented" }));
        self.tell(
            "model",
            &json!({ "id": "veo", "display_name": "Veo 3.1", "family": "veo", "aliases": [],
            "provider_id": "mill", "media": "video", "mode": "async" }),
        );
        for n in 0..CUSTOMERS {
            self.tell(
                "user",
                &json!({ "id": format!("usr_{n}"), "email": format!("{n}@example.com"),
                "timezone": "UTC", "locale": "en-US" }),
            );
            let balance = json!({ "id": format!("bal_{n}"), "kind": "wallet", "opening": 1_000_000_000_i64,
                "opening_at": at(0), "current": 1_000_000_000_i64 });
            self.tell(
                "account",
                &json!({ "id": format!("acc_{n}"), "kind": "personal",
                "owner_user_id": format!("usr_{n}"), "storage_quota_mb": 100, "storage_used_mb": 1,
                "subscription": null, "balances": [balance] }),
            );
            self.tell(
                "project",
                &json!({ "id": format!("prj_{n}"), "name": format!("Project {n}"),
                "account_id": format!("acc_{n}"), "workspace_id": null, "status": "active", "deleted_at": null }),
            );
            self.tell(
                "node",
                &json!({ "id": format!("nd_{n}"), "project_id": format!("prj_{n}"), "label": "Shot",
                "status": "active", "deleted_at": null }),
            );
        }
    }

    fn run(&mut self, n: u64) {
        let (who, id, when) = (n % CUSTOMERS, format!("run_{n:09}"), at(n));
        self.tell(
            "run",
            &json!({ "id": id, "project_id": format!("prj_{who}"), "node_id": format!("nd_{who}"),
            "started_by": format!("usr_{who}"), "model_id": "veo", "started_at": when, "requested_items": 1,
            "status": "awaiting_result", "cancelled_at": null, "retry_of": null, "retry_initiator": null,
            "params": { "resolution": "1080p", "seconds": 8 } }),
        );
        self.tell(
            "charge",
            &json!({ "id": format!("chg_{n:09}"), "run_id": id, "account_id": format!("acc_{who}"),
            "posted_at": when, "total": 10, "items": [{ "item": 1, "credits": 10 }],
            "sources": [{ "balance_id": format!("bal_{who}"), "kind": "wallet", "amount": 10 }],
            "idempotency_key": id }),
        );
        let file = json!({ "bytes": 4_194_304, "sha256_prefix": "ab12", "available_until": at(n + 172_800),
            "exists_now": true });
        self.tell(
            "job",
            &json!({ "id": format!("job_{n:09}"), "run_id": id, "provider_id": "mill",
            "submitted_at": when, "state": "succeeded", "processing_started_at": at(n + 2), "finished_at": at(n + 90),
            "items": [{ "item": 1, "state": "succeeded", "finished_at": at(n + 90), "file": file }], "error": null }),
        );
        self.tell(
            "webhook",
            &json!({ "id": format!("whk_{n:09}"), "job_id": format!("job_{n:09}"), "run_id": id,
            "received_at": at(n + 91), "attempts": 1, "result": "accepted",
            "routed_to": { "project_id": format!("prj_{who}"), "node_id": format!("nd_{who}") } }),
        );
        if !n.is_multiple_of(4) {
            self.tell(
                "output",
                &json!({ "id": format!("out_{n:09}"), "run_id": id, "item": 1,
                "project_id": format!("prj_{who}"), "node_id": format!("nd_{who}"), "stored_at": at(n + 100),
                "bytes": 4_194_304, "state": "stored", "in_history": true, "on_canvas": true }),
            );
        }
    }
}
