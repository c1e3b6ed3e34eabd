"""The packages `cloudevents` and `standardwebhooks` talk to `makegoodctl serve`: facts in every mode, webhooks of a
provider, and the letters to the platform, over loopback with a provider that says that the job failed."""

import contextlib
import http.client
import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from datetime import datetime, timedelta, timezone

from cloudevents.core.bindings import http as binding
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks.webhooks import Webhook

INCOMING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OUTGOING = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TOKEN = "mgf_5wX0c2LkGq7VvT9yPzR3nB8dHs4JtA1e"
SECONDS = 60


class Platform(http.server.BaseHTTPRequestHandler):
    """The provider and the platform's endpoint in one: both are somebody else's servers."""

    protocol_version = "HTTP/1.1"
    letters = queue.Queue()
    refusals = 1

    def do_GET(self):
        job = self.path.rsplit("/", 1)[-1]
        failed = {"id": job, "status": "failed", "error": "out of memory", "output": None,
                  "created_at": instant(hours=1), "completed_at": instant(minutes=50)}
        self.answer(200, json.dumps(failed).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        letter = Webhook(OUTGOING).verify(body, dict(self.headers.items()))
        # The first try is refused: the letter must come again under the same id.
        status = 500 if Platform.refusals else 204
        Platform.refusals = 0
        Platform.letters.put((status, self.headers["webhook-id"], letter))
        self.answer(status, b"")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if body:
            self.send_header("content-type", "application/json")
        # Who asked needs no more than the head.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def instant(**ago):
    return (datetime.now(timezone.utc) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def facts():
    """A customer who was charged 40 credits for a run whose job is at the provider."""
    start, end = instant(days=10), instant(days=-20)
    balance = {"id": "bal", "kind": "subscription_quota", "opening": 500, "opening_at": start, "current": 500}
    return [
        ("provider", {"id": "rep", "retention_hours": 1, "retention_source": "documented"}),
        ("model", {"id": "mdl", "display_name": "Model", "family": "model", "aliases": [], "provider_id": "rep",
                   "media": "image", "mode": "async"}),
        ("user", {"id": "usr", "email": "ada@customer.example", "timezone": None, "locale": None}),
        ("account", {"id": "acc", "kind": "personal", "owner_user_id": "usr", "storage_quota_mb": 100,
                     "storage_used_mb": 1, "balances": [balance],
                     "subscription": {"status": "active", "period_start": start, "period_end": end}}),
        ("project", {"id": "prj", "name": "Zürich", "account_id": "acc", "workspace_id": None, "status": "active",
                     "deleted_at": None}),
        ("node", {"id": "nod", "project_id": "prj", "label": "1", "status": "active", "deleted_at": None}),
        ("run", {"id": "run", "project_id": "prj", "node_id": "nod", "started_by": "usr", "model_id": "mdl",
                 "started_at": instant(hours=1), "requested_items": 1, "status": "awaiting_result",
                 "cancelled_at": None, "retry_of": None, "retry_initiator": None}),
        ("charge", {"id": "chg", "run_id": "run", "account_id": "acc", "posted_at": instant(hours=1), "total": 40,
                    "items": [{"item": 1, "credits": 40}], "idempotency_key": "chg",
                    "sources": [{"balance_id": "bal", "kind": "subscription_quota", "amount": 40}]}),
        ("job", {"id": "job", "run_id": "run", "provider_id": "rep", "submitted_at": instant(hours=1),
                 "state": "processing", "processing_started_at": instant(hours=1), "finished_at": None, "items": [],
                 "error": None}),
    ]


def event(kind, row):
    attributes = {"id": f"{kind}-1", "source": "/platform", "type": f"makegood.{kind}.v1", "specversion": "1.0",
                  "time": datetime.now(timezone.utc), "datacontenttype": "application/json"}
    return CloudEvent(attributes=attributes, data=row)


def post(address, path, headers, body):
    connection = http.client.HTTPConnection(address, timeout=SECONDS)
    connection.request("POST", path, body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def expect(have, want, what):
    if have != want:
        raise SystemExit(f"foreign: {what}: {have!r}, and not {want!r}")


def feed(address):
    """The first facts in binary mode, then structured ones, the rest as a batch; then all of them again."""
    token = {"authorization": f"Bearer {TOKEN}"}
    events = [event(kind, row) for kind, row in facts()]
    for number, one in enumerate(events[:5]):
        message = binding.to_binary_event(one) if number < 3 else binding.to_structured_event(one)
        status, text = post(address, "/v1/events", message.headers | token, message.body)
        expect((status, json.loads(text)["events"][0]["outcome"]), (200, "added"), f"event {number}: {text}")
    bodies = [binding.to_structured_event(one).body.decode() for one in events]
    headers = token | {"content-type": "application/cloudevents-batch+json; charset=utf-8"}
    status, text = post(address, "/v1/events", headers, f"[{','.join(bodies)}]".encode())
    expect(status, 200, text)
    outcomes = [line["outcome"] for line in json.loads(text)["events"]]
    expect(outcomes, ["unchanged"] * 5 + ["added"] * (len(events) - 5), text)
    message = binding.to_structured_event(events[0])
    expect(post(address, "/v1/events", message.headers, message.body)[0], 401, "without a token")


def tell_of_the_job(address):
    """A webhook, signed; again; altered; and with another secret."""
    body = '{"id": "job", "status": "failed", "output": null}'
    now = datetime.now(timezone.utc)
    seconds = str(int(now.timestamp()))

    def headers(secret):
        signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(int(seconds), tz=timezone.utc), body)
        return {"webhook-id": "msg_1", "webhook-timestamp": seconds, "webhook-signature": signature}

    kept = [post(address, "/webhooks/rep", headers(INCOMING), body) for _ in range(2)]
    expect(kept, [(200, '{"kept":"new"}'), (200, '{"kept":"known"}')], "a webhook and the same again")
    expect(post(address, "/webhooks/rep/", headers(INCOMING), body + " ")[0], 401, "an altered body")
    expect(post(address, "/webhooks/rep", headers(OUTGOING), body)[0], 401, "another secret")


def settings(home, ctl, provider):
    hashed = subprocess.run([ctl, "serve", "--hash-token"], input=TOKEN, text=True, capture_output=True, check=True)
    with open(os.path.join(home, "makegood.toml"), "w", encoding="utf-8") as file:
        file.write(f"""workspace = 'Acme'
[agent]
id = 'owner'
name = 'Owner'
[[provider]]
id = 'rep'
adapter = 'replicate'
key_env = 'REPLICATE_KEY'
base_url = '{provider}/v1'
[[webhook]]
provider = 'rep'
secret_env = ['INCOMING']
[[feeder]]
name = 'platform'
token_sha256 = '{hashed.stdout.strip()}'
[[endpoint]]
name = 'platform'
url = '{provider}/in'
secret_env = ['OUTGOING']
""")


def main(ctl):
    platform = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=platform.serve_forever, daemon=True).start()
    provider = f"http://127.0.0.1:{platform.server_port}"
    with tempfile.TemporaryDirectory() as home:
        settings(home, ctl, provider)
        environment = os.environ | {"REPLICATE_KEY": "k", "INCOMING": INCOMING, "OUTGOING": OUTGOING, "HOME": home}
        command = [ctl, "--home", home, "serve", "--listen", "127.0.0.1:0", "--without-reconciler"]
        serving = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            line = serving.stdout.readline().strip()
            address = line.removeprefix("listening at http://")
            expect(line != address, True, f"it does not listen: {line!r}")
            feed(address)
            tell_of_the_job(address)
            passed = subprocess.run([ctl, "--home", home, "reconcile", "--once", "--json"], env=environment,
                                    capture_output=True, text=True, check=True)
            expect(json.loads(passed.stdout)["restored"], 1, f"the pass: {passed.stdout}")
            tries = [Platform.letters.get(timeout=SECONDS) for _ in range(2)]
            expect([status for status, _, _ in tries], [500, 204], "the first try was refused")
            expect(tries[0][1:], tries[1][1:], "the same letter under the same id")
            letter = tries[1][2]
            told = (letter["type"], letter["data"]["credits"], letter["data"]["charge_id"])
            expect(told, ("credits.restored", 40, "chg"), letter)
            serving.terminate()
            expect(serving.wait(timeout=SECONDS), 0, "it stops when it is told to")
        finally:
            serving.kill()
            serving.wait()
    print("foreign: cloudevents and standardwebhooks were understood, and understood what they were told")


main(sys.argv[1])
