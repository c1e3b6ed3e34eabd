//! Handing out files as a content network does: whole or in ranges (RFC 9110, 14).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::answer::made;
use super::state::{UpstreamItem, UpstreamJob};
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
