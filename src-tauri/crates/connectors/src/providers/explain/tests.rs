use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// What a document of an adapter says as of an instant, by the rows that come with the program.
fn asset_at(adapter: &str, body: &Value, now: &str) -> Option<AssetState> {
    let table = crate::providers::Table::built_in().expect("the table");
    let bytes = body.to_string().into_bytes();
    let document = Document { origin: Origin::Answer, status: 200, body: &bytes };
    let explained = crate::providers::protocol(adapter).expect("an adapter").explain(&document);
    let word = explained.word;
    let later = explained.as_of(Some(at(now)), table.row(adapter));
    assert_eq!(later.word, word, "what the job came to stays");
    later.asset
}

#[test]
fn addresses_end_as_their_vendors_state() {
    use AssetState::{Available, Gone, Inline, StaleUrl};
    let signed = "https://c.example/a.mp4?X-Tos-Date=20260301T080000Z&X-Tos-Expires=3600";
    let runway = |query: &str| {
        let url = format!("https://dnznrvs05pmza.cloudfront.net/a.mp4{query}");
        json!({"id": "t", "status": "SUCCEEDED", "output": [url]})
    };
    // {"exp":1772355600}: 09:00
    let token = "?_jwt=e30.eyJleHAiOjE3NzIzNTU2MDB9.sig";
    let replicate = |output: &str| json!({"id": "p", "status": "succeeded", "output": output, "completed_at": "2026-03-01T08:00:00Z"});
    let file = replicate("https://replicate.delivery/a/b.mp4");
    let minimax = |query: &str| {
        let content = json!({"url": format!("https://c.example/a.mp4{query}")});
        json!({"task": {"id": "1", "status": "succeeded", "content": content, "updated_at": 1_772_352_000}})
    };
    let bfl = json!({"id": "b", "status": "Ready", "result": {"sample": "https://x.bfl.ai/a?se=2026-03-01T08:10:00Z"}});
    let seedance = json!({"id": "s", "status": "succeeded", "content": {"video_url": signed}});
    for (adapter, body, now, want) in [
        // Signed anew at each question: stale, and not gone.
        ("runway", runway(token), "2026-03-01T08:59:59Z", Available),
        ("runway", runway(token), "2026-03-01T09:00:00Z", StaleUrl),
        ("runway", runway(""), "2030-01-01T00:00:00Z", Available),
        ("runway", runway("?_jwt=eyJ.expires.sig"), "2030-01-01T00:00:00Z", Available),
        ("minimax_v2", minimax("?Expires=1772355600"), "2026-03-01T08:59:59Z", Available),
        ("minimax_v2", minimax("?Expires=1772355600"), "2026-03-01T09:00:00Z", StaleUrl),
        // Its record ends after a week, and with it whatever could sign anew.
        ("minimax_v2", minimax("?Expires=1772355600"), "2026-03-08T08:00:00Z", Gone),
        // The address is as old as the file.
        ("replicate", file.clone(), "2026-03-01T08:59:59Z", Available),
        ("replicate", file, "2026-03-01T09:00:00Z", Gone),
        ("replicate", replicate("data:image/png;base64,AAAA"), "2030-01-01T00:00:00Z", Inline),
        ("bfl", bfl.clone(), "2026-03-01T08:09:59Z", Available),
        ("bfl", bfl, "2026-03-01T08:10:00Z", Gone),
        ("seedance", seedance.clone(), "2026-03-01T08:59:59Z", Available),
        ("seedance", seedance, "2026-03-01T09:00:00Z", Gone),
    ] {
        assert_eq!(asset_at(adapter, &body, now), Some(want), "{adapter} at {now}: {body}");
    }
    let running = json!({"id": "t", "status": "RUNNING"});
    assert_eq!(asset_at("runway", &running, "2030-01-01T00:00:00Z"), None);
}

#[test]
fn a_life_in_minutes_counts_from_the_end_of_the_job() {
    let table = |minutes: &str| {
        let row = format!(
            "[[provider]]\nadapter = 'replicate'\n[provider.retention]\nsource = 's'\nseen = 2026-03-01\n\
            [provider.address]\n{minutes}\nsource = 's'\nseen = 2026-03-01\n"
        );
        crate::providers::Table::default().overruled_by(&row).expect("a row")
    };
    let facts = crate::providers::protocol("replicate").expect("an adapter").facts();
    let told = |urls: &[&str], finished: Option<&str>, table: &crate::providers::Table| {
        let files = urls.iter().map(|url| Asset { url: (*url).to_owned(), ..Asset::default() }).collect();
        let reading = Reading { finished_at: finished.map(at), ..Reading::with_files(files) };
        Explained::job(facts, reading).as_of(Some(at("2026-03-01T10:00:00Z")), table.row("replicate"))
    };
    let (plain, signed) = ("https://c.example/a", "https://c.example/b?Expires=1772355600");
    let done = Some("2026-03-01T08:00:00Z");
    for (urls, finished, row, want) in [
        (&[plain][..], done, "minutes = 120\nrenewed = true", AssetState::StaleUrl),
        (&[plain], done, "minutes = 120\nrenewed = false", AssetState::Gone),
        (&[plain], done, "minutes = 121\nrenewed = false", AssetState::Available),
        (&[plain], done, "renewed = true", AssetState::Available),
        (&[plain], None, "minutes = 1\nrenewed = true", AssetState::Available),
        (&[signed], None, "renewed = true", AssetState::StaleUrl),
        (&[plain, signed], None, "renewed = true", AssetState::Available),
    ] {
        assert_eq!(told(urls, finished, &table(row)).asset, Some(want), "{urls:?} {finished:?} {row}");
    }
    assert_eq!(told(&[plain, signed], None, &table("renewed = true")).notes, ["1 of the addresses are over"]);
}

#[test]
fn words_are_those_of_the_vocabulary() {
    for (word, want) in [
        (Word::NotAJob, "n/a"),
        (Word::RetryableOrFailed, "retryable_or_failed"),
        (Word::ExpiredOrWrongKey, "expired_or_wrong_key"),
        (Word::AssetInfo, "asset_info"),
    ] {
        assert_eq!(serde_json::to_value(word).ok(), Some(Value::from(want)));
    }
}

/// What a document of an adapter says without any instant given, by the rows that come with the program.
fn explained(adapter: &str, body: &Value) -> Explained {
    let table = crate::providers::Table::built_in().expect("the table");
    let bytes = body.to_string().into_bytes();
    let document = Document { origin: Origin::Answer, status: 200, body: &bytes };
    crate::providers::protocol(adapter).expect("an adapter").explain(&document).as_of(None, table.row(adapter))
}

#[test]
fn kinds_are_as_documents_state_them() {
    use FileKind::{Audio, File, Image, Video};
    let (bare, png) = ("https://c.example/a", "https://c.example/a.png");
    let operation =
        |media: Value| json!({"name": "models/m/operations/o", "done": true, "response": {"videos": [media]}});
    let kling =
        |result: Value| json!({"code": 0, "data": {"task_id": "k", "task_status": "succeed", "task_result": result}});
    let luma = |assets: Value| json!({"id": "g", "state": "completed", "assets": assets});
    let agents = |kind: &str| json!({"id": "g", "state": "completed", "output": [{"type": kind, "url": bare}]});
    let spoken = |more: Value| {
        let mut item = json!({"history_item_id": "h", "state": "created"});
        for (name, value) in more.as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
        item
    };
    let dub = |media: Value| json!({"dubbing_id": "d", "status": "dubbed", "target_languages": ["es"], "media_metadata": media});
    let heygen = |event: &str, data: Value| json!({"event_type": event, "event_data": data});
    let file =
        |purpose: &str| json!({"file": {"file_id": 8, "filename": "a.mp3", "purpose": purpose, "download_url": bare}});
    for (adapter, body, want) in [
        ("gemini_veo", operation(json!({"uri": bare, "mimeType": "video/mp4"})), Video),
        ("gemini_veo", operation(json!({"uri": bare})), Video),
        ("gemini_veo", json!({"name": "files/f1", "uri": bare, "mimeType": "image/png"}), Image),
        ("gemini_veo", json!({"name": "files/f1", "uri": bare, "videoMetadata": {"videoDuration": "8s"}}), Video),
        ("gemini_veo", json!({"type": "video.generated", "data": {"id": "o", "output_file_uri": bare}}), Video),
        ("vertex_veo", operation(json!({"gcsUri": "gs://b/o", "mimeType": "video/mp4"})), Video),
        (
            "vertex_veo",
            json!({"kind": "storage#object", "bucket": "b", "name": "o", "contentType": "video/mp4"}),
            Video,
        ),
        ("fal", json!({"video": {"url": bare, "content_type": "video/mp4"}}), Video),
        ("fal", json!({"images": [{"url": bare, "content_type": "image/jpeg"}]}), Image),
        ("fal", json!({"audio": {"url": bare}}), Audio),
        ("fal", json!({"model_mesh": {"url": png, "content_type": "model/gltf-binary"}}), File),
        ("luma", luma(json!({"video": bare})), Video),
        ("luma", luma(json!({"image": bare})), Image),
        ("luma_agents", agents("video"), Video),
        ("luma_agents", agents("image"), Image),
        ("luma_agents", agents("scene"), File),
        ("elevenlabs", spoken(json!({"content_type": "audio/mpeg"})), Audio),
        ("elevenlabs", spoken(json!({})), Audio),
        ("elevenlabs", dub(json!({"content_type": "video/mp4"})), Video),
        ("elevenlabs", dub(json!(null)), File),
        ("kling", kling(json!({"videos": [{"id": "v", "url": bare}]})), Video),
        ("kling", kling(json!({"images": [{"index": 0, "url": bare}]})), Image),
        ("kling", kling(json!({"audios": [{"id": "a", "url_mp3": bare}]})), Audio),
        ("seedance", json!({"id": "s", "status": "succeeded", "content": {"video_url": bare}}), Video),
        ("seedance", json!({"id": "s", "status": "succeeded", "content": {"file_url": bare}}), File),
        ("minimax_v2", json!({"task": {"id": "1", "status": "succeeded", "content": {"url": bare}}}), Video),
        ("minimax_v1", json!({"task_id": "1", "status": "Success", "file_id": "8"}), Video),
        ("minimax_v1", file("video_generation"), Video),
        ("minimax_v1", file("t2a_async"), Audio),
        ("openai", json!({"id": "video_1", "object": "video", "status": "completed"}), Video),
        ("openai", json!({"created": 1_772_352_000, "data": [{"url": bare}]}), Image),
        ("openai", json!({"data": [{"b64_json": "AAAA"}], "output_format": "webp"}), Image),
        ("sync", json!({"id": "g", "status": "COMPLETED", "outputUrl": bare}), Video),
        ("sync", json!(bare), Video),
        ("heygen_v3", json!({"data": {"id": "h", "status": "completed", "video_url": bare}}), Video),
        ("heygen_v3", heygen("avatar_video_gif.success", json!({"video_id": "h", "gif_url": bare})), Image),
        ("runway", json!({"id": "t", "status": "SUCCEEDED", "output": [png]}), Image),
        ("runway", json!({"id": "t", "status": "SUCCEEDED", "output": [bare]}), File),
        ("stability", json!({"video": "AAAA", "finish_reason": "SUCCESS"}), Video),
        ("stability", json!({"image": "AAAA", "finish_reason": "SUCCESS"}), Image),
        ("stability", json!({"audio": "AAAA", "finish_reason": "SUCCESS"}), Audio),
        ("bfl", json!({"id": "b", "status": "Ready", "result": {"sample": bare}}), Image),
        (
            "replicate",
            json!({"id": "p", "status": "succeeded", "output": {"video": "https://replicate.delivery/x/o"}}),
            Video,
        ),
        (
            "replicate",
            json!({"id": "p", "status": "succeeded", "output": ["https://replicate.delivery/x/o.wav"]}),
            Audio,
        ),
        ("replicate", json!({"id": "p", "status": "succeeded", "output": ["https://replicate.delivery/x/o"]}), File),
    ] {
        let told = explained(adapter, &body);
        let kinds: Vec<_> = told.outputs.iter().map(|output| output.kind).collect();
        assert_eq!(kinds, [want], "{adapter}: {body}");
    }
}

/// The end of the one file, by every way that a document or a vendor tells it.
#[test]
fn ends_are_told_where_they_are_known() {
    let url = |query: &str| format!("https://c.example/a.mp4?{query}");
    let (amz, nine) = (url("X-Amz-Date=20260301T080000Z&X-Amz-Expires=3600"), Some("2026-03-01T09:00:00Z"));
    let token = "_jwt=e30.eyJleHAiOjE3NzIzNTU2MDB9.sig";
    let runway = |url: &str| json!({"id": "t", "status": "SUCCEEDED", "output": [url]});
    let replicate = |output: &str| json!({"id": "p", "status": "succeeded", "output": output, "completed_at": "2026-03-01T08:00:00Z"});
    let minimax = |url: &str, updated: Value| json!({"task": {"id": "1", "status": "succeeded", "content": {"url": url}, "updated_at": updated}});
    let seedance = |url: &str| json!({"id": "s", "status": "succeeded", "content": {"video_url": url}, "updated_at": 1_772_352_000});
    let heygen = |url: &str| json!({"data": {"id": "h", "status": "completed", "video_url": url, "completed_at": 1_772_352_000}});
    let kling = json!({"code": 0, "data": {"task_id": "k", "task_status": "succeed", "updated_at": 1_772_352_000_000_u64,
        "task_result": {"videos": [{"url": url("")}]}}});
    for (adapter, body, want) in [
        // No end of the file is stated: that of the address is told.
        ("runway", runway(&url(token)), nine),
        ("runway", runway(&amz), nine),
        ("runway", runway(&url("")), None),
        ("heygen_v3", heygen(&url("Expires=1772355600&Signature=x&Key-Pair-Id=K")), nine),
        ("luma_agents", json!({"id": "g", "state": "completed", "output": [{"type": "video", "url": amz}]}), nine),
        ("minimax_v1", json!({"file": {"file_id": 8, "download_url": url("Expires=1772355600")}}), nine),
        ("sync", json!(amz), nine),
        // Counted from the end of the job.
        ("replicate", replicate("https://replicate.delivery/a/b.mp4"), nine),
        ("kling", kling, Some("2026-03-31T08:00:00Z")),
        ("seedance", seedance(&url("")), Some("2026-03-02T08:00:00Z")),
        // The address ends before the file, and no fresh one is promised.
        ("seedance", seedance(&url("X-Tos-Date=20260301T080000Z&X-Tos-Expires=3600")), nine),
        // It is renewed, so that the file's own end is the last.
        ("minimax_v2", minimax(&url("Expires=1772355600"), json!(1_772_352_000)), Some("2026-03-08T07:00:00Z")),
        ("minimax_v2", minimax(&url("Expires=1772355600"), json!(null)), nine),
        ("bfl", json!({"id": "b", "status": "Ready", "result": {"sample": url("se=2026-03-01T09:00:00Z")}}), nine),
        // The document's own word goes before the two days in general.
        ("gemini_veo", json!({"name": "files/f", "uri": url(""), "createTime": "2026-02-27T09:00:00Z"}), nine),
        (
            "gemini_veo",
            json!({"name": "files/f", "uri": url(""), "createTime": "2026-02-20T08:00:00Z", "expirationTime": "2026-03-01T09:00:00Z"}),
            nine,
        ),
        (
            "openai",
            json!({"id": "video_1", "object": "video", "status": "completed", "expires_at": 1_772_355_600}),
            nine,
        ),
        // Bytes in the document do not end.
        ("replicate", replicate("data:image/png;base64,AAAA"), None),
        ("luma", json!({"id": "g", "state": "completed", "assets": {"video": url("")}}), None),
    ] {
        let told = explained(adapter, &body);
        let [output] = &told.outputs[..] else { panic!("{adapter}: one file: {told:?}") };
        assert_eq!(output.expires_at.map(|at| at.to_string()).as_deref(), want, "{adapter}: {body}");
    }
    let renewed = explained("minimax_v2", &minimax(&url("Expires=1772355600"), json!(1_772_352_000)));
    assert_eq!(renewed.asset, Some(AssetState::Available));
    assert_eq!(renewed.notes, ["the address is good until 2026-03-01T09:00:00Z, and asking again gives a fresh one"]);
}

#[test]
fn an_address_that_was_over_when_the_job_ended_is_stale_by_the_document_itself() {
    let minimax = |updated: i64| {
        let content = json!({"url": "https://c.example/a.mp4?Expires=1772355600"});
        json!({"task": {"id": "1", "status": "succeeded", "content": content, "updated_at": updated}})
    };
    assert_eq!(explained("minimax_v2", &minimax(1_772_355_599)).asset, Some(AssetState::Available));
    assert_eq!(explained("minimax_v2", &minimax(1_772_355_600)).asset, Some(AssetState::StaleUrl));
}

#[test]
fn a_document_that_is_a_file_is_told_as_one() {
    let told = |adapter: &str, status: u16, body: &[u8]| {
        let document = Document { origin: Origin::Answer, status, body };
        let told = explain(crate::providers::protocol(adapter).expect("an adapter"), &document, None, None);
        (told.word, told.asset, told.outputs.first().map(|output| output.kind))
    };
    let film = b"\0\0\0\x20ftypisom\0\0\x02\0";
    let inline = Some(AssetState::Inline);
    for (adapter, status, body, want) in [
        ("openai", 200, &film[..], (Word::AssetInfo, inline, Some(FileKind::Video))),
        ("elevenlabs", 200, b"ID3\x04", (Word::AssetInfo, inline, Some(FileKind::Audio))),
        ("stability", 200, film, (Word::Succeeded, inline, Some(FileKind::Video))),
        ("openai", 500, film, (Word::Retryable, None, None)),
        ("openai", 200, b"words", (Word::Unknown, None, None)),
    ] {
        assert_eq!(told(adapter, status, body), want, "{adapter} {status}");
    }
}

#[test]
fn outputs_keep_the_numbers_of_their_items() {
    let url = |n: u32| format!("https://replicate.delivery/a/{n}.png");
    let told = explained("replicate", &json!({"id": "p", "status": "succeeded", "output": [url(1), null, url(3)]}));
    let items: Vec<_> = told.outputs.iter().map(|output| (output.item, output.url.clone())).collect();
    assert_eq!(items, [(1, Some(url(1))), (3, Some(url(3)))]);
}
