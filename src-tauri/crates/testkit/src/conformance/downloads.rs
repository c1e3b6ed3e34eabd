//! What becomes of files: whether they are there, and whether all of them arrives.

use std::time::Duration;

use makegood_domain::ports::Retry;
use makegood_domain::work::{ItemState, JobState};

use super::{Kept, Scene, Stage, Subject, now};
use crate::{Reply, Sample};

pub(super) async fn run(subject: &dyn Subject) {
    whole_batch(subject).await;
    partial_batch(subject).await;
    presence(subject).await;
    gone_is_seen_twice(subject).await;
    transfers(subject).await;
    begun_anew(subject).await;
    refusals(subject).await;
    addresses(subject).await;
}

/// A job with one file, answered like this.
async fn with_file(subject: &dyn Subject, reply: impl IntoIterator<Item = Reply>) -> Stage<'_> {
    let stage = Stage::set(subject).await;
    let url = stage.file_url("a");
    assert!(stage.play(&Scene::Succeeded(vec![url])), "every provider can succeed");
    stage.server.on(&stage.file_path("a"), reply);
    stage
}

async fn whole_batch(subject: &dyn Subject) {
    let stage = Stage::set(subject).await;
    let video = Sample::mp4(3_000);
    let names = ["a", "b", "c"].into_iter().take(subject.most_files());
    stage.play(&Scene::Succeeded(names.clone().map(|name| stage.file_url(name)).collect()));
    for name in names.clone() {
        stage.server.on(&stage.file_path(name), [Reply::file("video/mp4", video.bytes.clone())]);
    }
    let wanted = names.count();
    let found = stage.look_up(u32::try_from(wanted).unwrap_or(u32::MAX)).await;
    assert_eq!(found.job.state, JobState::Succeeded, "{found:?}");
    for (item, number) in found.job.items.iter().zip(1_u32..) {
        let Some(file) = &item.file else { panic!("item {number} has no file: {found:?}") };
        assert_eq!((item.item, item.state), (number, ItemState::Succeeded));
        assert_eq!((file.exists_now, file.bytes), (Some(true), video.bytes.len() as u64), "item {number}");
        assert!(file.sha256_prefix.is_empty(), "nobody told a hash");
    }
    assert_eq!(found.job.items.len(), wanted);
    let fewer = stage.look_up(1).await;
    assert_eq!(fewer.job.items.len(), 1, "no more items than were asked for");
}

async fn partial_batch(subject: &dyn Subject) {
    let stage = with_file(subject, [Reply::file("image/png", Sample::png().bytes)]).await;
    let found = stage.look_up(3).await;
    let states: Vec<_> = found.job.items.iter().map(|item| item.state).collect();
    assert_eq!(found.job.state, JobState::Succeeded);
    assert_eq!(states, [ItemState::Succeeded, subject.missing(), subject.missing()]);
    let missing = stage.connected.port.fetch(&stage.job(3), 3, &mut Kept::default()).await;
    assert!(missing.is_err_and(|error| error.retry == Retry::Permanent), "what was not made can't be fetched");
}

/// Only *not found* and *gone* say that a file is not there.
async fn presence(subject: &dyn Subject) {
    let page = |kind: &str| Reply::new(200, kind, "<Error>Request has expired</Error>");
    for (reply, want) in [
        (Reply::json(404, &serde_json::json!({})), Some(false)),
        (Reply::json(410, &serde_json::json!({})), Some(false)),
        (Reply::json(401, &serde_json::json!({})), None),
        (Reply::json(403, &serde_json::json!({})), None),
        (Reply::json(500, &serde_json::json!({})), None),
        (page("text/html; charset=utf-8"), None),
        (page("application/xml"), None),
        (Reply::file("video/mp4", Sample::mp4(9).bytes), Some(true)),
        (Reply::new(200, "video/mp4", Sample::mp4(9).bytes), Some(true)),
    ] {
        let stage = with_file(subject, [reply.clone()]).await;
        let found = stage.look_up(1).await;
        assert_eq!(found.job.state, JobState::Succeeded, "the job stays as it is: {reply:?}");
        let exists = found.job.items.first().and_then(|item| item.file.as_ref()).map(|file| file.exists_now);
        assert_eq!(exists, Some(want), "{reply:?}");
    }
}

/// A host of files that says once that one is not there is asked again, after the job. Where the job can't say, nothing
/// is known.
async fn gone_is_seen_twice(subject: &dyn Subject) {
    let page = |status| Reply::new(status, "text/html", "<html><h1>404 Not Found</h1></html>");
    let empty = |status| Reply::new(status, "text/plain", "");
    let file = || Reply::file("video/mp4", Sample::mp4(9).bytes);
    for first in [page(404), empty(404), page(410), empty(410)] {
        for (second, want) in
            [(file(), Some(true)), (page(404), Some(false)), (Reply::new(403, "text/plain", ""), None)]
        {
            let stage = with_file(subject, [first.clone(), second.clone()]).await;
            let found = stage.look_up(1).await;
            let Some(file) = found.job.items.first().and_then(|item| item.file.as_ref()) else { panic!("{found:?}") };
            // What should not be kept any more is not looked for twice.
            let is_over = file.available_until.is_some_and(|until| until <= now());
            let want = if is_over { Some(false) } else { want };
            assert_eq!((found.job.state, file.exists_now), (JobState::Succeeded, want), "{first:?}, then {second:?}");
            stage.only_read();
        }
        // The job itself can't be asked again.
        let stage = with_file(subject, [first.clone()]).await;
        let answer = |stage: &Stage<'_>, path: &str| {
            let scene = subject.scene(&Scene::Succeeded(vec![stage.file_url("a")]));
            scene.into_iter().flatten().find(|(of, _)| of == path).map(|(_, body)| Reply::json(200, &body))
        };
        let question = subject.question();
        let once = answer(&stage, &question);
        stage.server.on(&question, once.into_iter().chain([Reply::json(401, &serde_json::json!({}))]));
        let found = stage.look_up(1).await;
        let Some(file) = found.job.items.first().and_then(|item| item.file.as_ref()) else { panic!("{found:?}") };
        let want = if file.available_until.is_some_and(|until| until <= now()) { Some(false) } else { None };
        assert_eq!(
            (found.job.state, file.exists_now),
            (JobState::Succeeded, want),
            "{first:?}, and no word of the job"
        );
    }
}

async fn transfers(subject: &dyn Subject) {
    let video = Sample::mp4(200_000);
    let file = || Reply::file("video/mp4", video.bytes.clone());
    let tagged = || file().header("etag", "\"v1\"");
    let moved = |to: &str| Reply::redirect(to);
    let path = Stage::set(subject).await.file_path("a");
    for (what, replies) in [
        ("a whole file", vec![file()]),
        ("a file that breaks off once, and has a version", vec![tagged().cut_after(70_000), tagged()]),
        ("a file that breaks off twice", vec![tagged().cut_after(50_000), tagged().cut_after(50_000), tagged()]),
        ("a file behind a busy server", vec![Reply::json(503, &serde_json::json!({})), file()]),
        ("a file that has moved", vec![moved(&path), file()]),
        ("an address that is stale", vec![Reply::json(403, &serde_json::json!({})), file()]),
        ("an address that is not known any more", vec![Reply::json(410, &serde_json::json!({})), file()]),
        (
            "an address that gets stale on the way",
            vec![tagged().cut_after(70_000), Reply::json(404, &serde_json::json!({})), tagged()],
        ),
    ] {
        let stage = with_file(subject, replies).await;
        let mut kept = Kept::default();
        let media_type = stage.connected.port.fetch(&stage.job(1), 1, &mut kept).await;
        assert_eq!(media_type, Ok(Some("video/mp4".to_owned())), "{what}");
        assert!(kept.0 == video.bytes, "{what}: {} of {} bytes, or others", kept.0.len(), video.bytes.len());
        let (name, value) = subject.key_header();
        let want = subject.key_with_files().then_some(value);
        let seen = stage.server.seen();
        let files: Vec<_> = seen.iter().filter(|request| request.target.split('?').next() == Some(&path)).collect();
        assert!(!files.is_empty() && files.iter().all(|f| f.header(name) == want.as_deref()), "{what}: {files:?}");
    }
}

/// A file that broke off and can't be continued is begun anew: whatever comes is one version, whole.
async fn begun_anew(subject: &dyn Subject) {
    let (old, new) = (Sample::mp4(200_000), Sample::mp4(300_000));
    let mut rewritten = old.bytes.clone();
    rewritten.reverse();
    let file = |bytes: &[u8], tag: &str| Reply::file("video/mp4", bytes).header("etag", tag);
    let cut = |tag| file(&old.bytes, tag).cut_after(70_000);
    let all = |bytes: &[u8]| Reply::new(200, "video/mp4", bytes).header("etag", "\"v1\"");
    let odd = |range: &str| file(&new.bytes[..100], "\"v1\"").part_of(range);
    let no_such = Reply::json(416, &serde_json::json!({}));
    for (what, replies, want) in [
        ("another version", vec![cut("\"v1\""), file(&new.bytes, "\"v2\"")], &new.bytes),
        ("rewritten at the same length", vec![cut("\"v1\""), file(&rewritten, "\"v2\"")], &rewritten),
        ("whole again", vec![cut("\"v1\""), all(&old.bytes)], &old.bytes),
        ("no version", vec![file(&old.bytes, "").cut_after(70_000), all(&rewritten)], &rewritten),
        ("a weak version", vec![cut("W/\"v1\""), file(&rewritten, "W/\"v1\"")], &rewritten),
        ("a part without its place", vec![cut("\"v1\""), odd(""), all(&old.bytes)], &old.bytes),
        ("a part of another length", vec![cut("\"v1\""), odd("bytes 70000-70099/70100"), all(&new.bytes)], &new.bytes),
        ("a part that is not there", vec![cut("\"v1\""), no_such, all(&old.bytes)], &old.bytes),
    ] {
        let stage = with_file(subject, replies).await;
        let mut kept = Kept::default();
        let fetched = stage.connected.port.fetch(&stage.job(1), 1, &mut kept).await;
        assert_eq!(fetched, Ok(Some("video/mp4".to_owned())), "{what}");
        assert!(kept.0 == *want, "{what}: {} of {} bytes, or others", kept.0.len(), want.len());
    }
}

async fn refusals(subject: &dyn Subject) {
    use Retry::{Permanent, Temporary, Unknown};
    let video = Sample::mp4(200_000);
    let file = || Reply::file("video/mp4", video.bytes.clone());
    let status = |status| Reply::json(status, &serde_json::json!({}));
    let tagged = || file().header("etag", "\"v1\"");
    let length = video.bytes.len();
    // As many bytes as are missing, but not those.
    let other_bytes = || {
        Reply::new(206, "video/mp4", video.bytes[60_000..length - 10_000].to_vec())
            .header("etag", "\"v1\"")
            .header("content-range", &format!("bytes 60000-{}/{length}", length - 10_001))
    };
    for (what, replies, retry, gone) in [
        ("a file that breaks off", vec![file().cut_after(70_000)], Temporary, false),
        ("with a weak version", vec![file().header("etag", "W/\"v1\"").cut_after(70_000)], Temporary, false),
        ("and goes on from the wrong byte", vec![tagged().cut_after(70_000), other_bytes()], Temporary, false),
        ("a file longer than it claims", vec![file().claims_length("300000")], Temporary, false),
        ("a packed file", vec![file().header("content-encoding", "gzip")], Temporary, false),
        ("a part that nobody asked for", vec![Reply::new(206, "video/mp4", "x")], Temporary, false),
        ("404", vec![status(404)], Permanent, true),
        ("410", vec![status(410)], Permanent, true),
        ("401", vec![status(401)], Permanent, false),
        ("403", vec![status(403)], Unknown, false),
        ("500", vec![status(500)], Temporary, false),
    ] {
        let stage = with_file(subject, replies).await;
        match stage.connected.port.fetch(&stage.job(1), 1, &mut Kept::default()).await {
            Ok(_) => panic!("{what} was taken for a whole file"),
            Err(error) => assert_eq!((error.retry, error.gone), (retry, gone), "{what}: {error}"),
        }
        let waited = (stage.connected.waited)();
        assert!(!gone || waited >= Duration::from_secs(1), "{what} is believed when it is seen twice: {waited:?}");
    }
    for (scene, gone) in
        [(Scene::Emptied, subject.emptied_is_gone()), (Scene::Failed, false), (Scene::Processing, false)]
    {
        let stage = Stage::set(subject).await;
        if stage.play(&scene) {
            let fetched = stage.connected.port.fetch(&stage.job(1), 1, &mut Kept::default()).await;
            assert!(fetched.as_ref().is_err_and(|error| error.gone == gone), "{scene:?}: {fetched:?}");
        }
    }
}

/// Files are fetched from nowhere but the provider's hosts, whatever an answer says.
async fn addresses(subject: &dyn Subject) {
    let (stage, stranger) = (Stage::set(subject).await, Stage::set(subject).await);
    stranger.server.on("/v", [Reply::file("video/mp4", Sample::mp4(9).bytes)]);
    let elsewhere = format!("{}/v", stranger.server.base());
    // Who has addresses made from ids names none that could lead elsewhere.
    let named = subject.only_file().is_none();
    for url in [elsewhere.as_str(), "http://169.254.169.254/latest", "file:///etc/hostname", "https://10.0.0.1/a.mp4"]
        .into_iter()
        .filter(|_| named)
    {
        stage.play(&Scene::Succeeded(vec![url.to_owned()]));
        let item = stage.look_up(1).await.job.items.into_iter().next();
        let exists = item.and_then(|item| item.file).and_then(|file| file.exists_now);
        assert_eq!(exists, None, "{url} is not looked at");
        let fetched = stage.connected.port.fetch(&stage.job(1), 1, &mut Kept::default()).await;
        assert!(fetched.is_err_and(|error| error.retry == Retry::Permanent), "{url} is not fetched");
    }
    let moved = with_file(subject, [Reply::redirect(&elsewhere)]).await;
    let fetched = moved.connected.port.fetch(&moved.job(1), 1, &mut Kept::default()).await;
    assert!(fetched.is_err(), "a redirect to a stranger is not followed");
    assert!(stranger.server.seen().is_empty(), "{:?}", stranger.server.seen());
}
