//! Handing out files as a content network does: whole or in ranges (RFC 9110, 14).

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::answer::{made, storage_error};
use super::state::{UpstreamItem, UpstreamJob};
use super::{Shared, Shop};
use crate::media;

/// The file of an item, or the part of it that is asked for.
pub(super) fn hand_out(job: &UpstreamJob, item: &UpstreamItem, headers: &HeaderMap) -> Response {
    let bytes = media::file(job.media, &job.id, item.item);
    let (_, media_type) = media::kind(job.media);
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&bytes)).get(..32).unwrap_or_default());
    let total = bytes.len();
    let builder = Response::builder()
        .header(header::CONTENT_TYPE, media_type)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, tag);
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return made(builder.status(StatusCode::OK).header(header::CONTENT_LENGTH, total), bytes);
    };
    match part(range, total) {
        Asked::Whole => made(builder.status(StatusCode::OK).header(header::CONTENT_LENGTH, total), bytes),
        Asked::Part(first, last) => {
            let piece = bytes.get(first..=last).unwrap_or_default().to_vec();
            let builder = builder
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{total}"))
                .header(header::CONTENT_LENGTH, piece.len());
            made(builder, piece)
        }
        Asked::Nothing => {
            let builder = builder
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{total}"));
            made(builder, Vec::new())
        }
    }
}

/// What only this server can write below an address and its deadline.
pub(super) fn seal(shop: &Shop, token: &str, until: Timestamp) -> String {
    let digest = Sha256::digest(format!("{}:{token}:{}", shop.key, until.as_second()));
    hex::encode(digest).chars().take(32).collect()
}

/// The file at a signed address, as an object storage hands it out: while the signature is good, and the file is
/// kept.
pub(super) fn signed(
    shop: &Shop,
    token: &str,
    (until, mark): (Option<Timestamp>, &str),
    headers: &HeaderMap,
) -> Response {
    let valid = until.is_some_and(|until| until > shop.now() && mark == seal(shop, token, until));
    match shop.kept_file(token) {
        _ if !valid => storage_error(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"),
        Some((job, item)) => hand_out(job, item, headers),
        None => storage_error(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
    }
}

/// `Expires` and `Signature`, as the content networks of several vendors write them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Lease {
    #[serde(default)]
    expires: i64,
    #[serde(default)]
    signature: String,
}

/// An address below `path` that is good until then.
pub(super) fn lease(shop: &Shop, path: &str, job: &UpstreamJob, item: &UpstreamItem, until: Timestamp) -> String {
    let (name, token) = (name(job, item), &item.token);
    let (until, mark) = (until.as_second(), seal(shop, token, until));
    format!("{}/{path}/{token}/{name}?Expires={until}&Signature={mark}", shop.origin)
}

/// The file at an address of `lease`.
pub(super) async fn leased(
    State(shop): State<Shared>,
    Path((token, _)): Path<(String, String)>,
    Query(lease): Query<Lease>,
    headers: HeaderMap,
) -> Response {
    signed(&shop, &token, (Timestamp::from_second(lease.expires).ok(), &lease.signature), &headers)
}

/// The file at an address that is nobody's secret.
pub(super) async fn public(
    State(shop): State<Shared>,
    Path((token, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match shop.kept_file(&token) {
        Some((job, item)) => hand_out(job, item, &headers),
        None => storage_error(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
    }
}

/// An address below `path` for `public`.
pub(super) fn address(shop: &Shop, path: &str, job: &UpstreamJob, item: &UpstreamItem) -> String {
    format!("{}/{path}/{}/{}", shop.origin, item.token, name(job, item))
}

/// The name that a file has in its address.
pub(super) fn name(job: &UpstreamJob, item: &UpstreamItem) -> String {
    let (ending, _) = media::kind(job.media);
    format!("out-{}.{ending}", item.item.saturating_sub(1))
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// A range that is not understood is ignored.
    Whole,
    /// First and last byte.
    Part(usize, usize),
    /// Past the end.
    Nothing,
}

fn part(range: &str, total: usize) -> Asked {
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|rest| rest.split_once('-')) else {
        return Asked::Whole;
    };
    let end = total.saturating_sub(1);
    match (first.parse::<usize>(), last.parse::<usize>(), last.is_empty()) {
        (Ok(first), _, _) if first >= total => Asked::Nothing,
        (Ok(first), _, true) => Asked::Part(first, end),
        (Ok(first), Ok(last), _) if first <= last => Asked::Part(first, last.min(end)),
        (Err(_), Ok(0), _) if first.is_empty() => Asked::Nothing,
        (Err(_), Ok(count), _) if first.is_empty() => Asked::Part(total.saturating_sub(count), end),
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, part};

    #[test]
    fn ranges_are_read() {
        for (range, want) in [
            ("bytes=0-0", Asked::Part(0, 0)),
            ("bytes=2-", Asked::Part(2, 9)),
            ("bytes=2-99", Asked::Part(2, 9)),
            ("bytes=-3", Asked::Part(7, 9)),
            ("bytes=-99", Asked::Part(0, 9)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("items=0-1", Asked::Whole),
        ] {
            assert_eq!(part(range, 10), want, "{range}");
        }
    }
}
