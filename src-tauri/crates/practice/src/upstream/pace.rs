//! Files that take their time, for practising and for tests of what is shown meanwhile.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_util::stream;

/// Pieces in which a whole file comes. Many, so that what counts bytes sees them grow.
const PIECES: u32 = 100;
/// No sample is longer.
const LONGEST_BYTES: usize = 64 * 1024 * 1024;

/// The same answer; where it is a file, its bytes come bit by bit, so that a whole file takes as long as `takes`
/// and a part of it its share.
pub(super) async fn slowly(response: Response, takes: Duration) -> Response {
    if takes.is_zero() || !is_file(&response) {
        return response;
    }
    let whole = whole_length(&response);
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, LONGEST_BYTES).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(%error, "a practice file could not be slowed down");
            return Response::from_parts(parts, Body::empty());
        }
    };
    let (piece, pause) = pace(whole.unwrap_or(bytes.len()), takes);
    let pieces = stream::unfold(bytes, move |mut rest: Bytes| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, std::convert::Infallible>(next), rest))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// Bytes of a piece, and the pause before each.
fn pace(whole: usize, takes: Duration) -> (usize, Duration) {
    let pieces = usize::try_from(PIECES).unwrap_or(usize::MAX);
    (whole.div_ceil(pieces).max(1), takes / PIECES)
}

fn is_file(response: &Response) -> bool {
    let media = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT)
        && ["video/", "audio/", "image/"].iter().any(|kind| media.starts_with(kind))
}

/// The length of the file of which the answer is a part.
fn whole_length(response: &Response) -> Option<usize> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;

    use super::*;

    fn answer(media: &str, bytes: usize) -> Response {
        let builder = Response::builder().header(header::CONTENT_TYPE, media).header(header::CONTENT_LENGTH, bytes);
        builder.body(Body::from(vec![7; bytes])).expect("an answer")
    }

    #[test]
    fn a_whole_file_takes_its_time_and_a_part_its_share() {
        for (whole, piece) in [(22_398, 224), (100, 1), (101, 2), (1, 1), (0, 1)] {
            assert_eq!(pace(whole, Duration::from_secs(10)), (piece, Duration::from_millis(100)), "{whole}");
        }
    }

    #[tokio::test]
    async fn a_slow_file_stays_what_it_is_and_other_answers_are_left_alone() {
        let slow = slowly(answer("video/mp4", 1_000), Duration::from_millis(100)).await;
        assert_eq!(slow.headers()[header::CONTENT_LENGTH], "1000");
        assert_eq!(slow.body().size_hint().exact(), None, "it comes in pieces");
        let bytes = to_bytes(slow.into_body(), 2_000).await.expect("bytes");
        assert_eq!((bytes.len(), bytes.iter().all(|byte| *byte == 7)), (1_000, true));
        let mut part = answer("video/mp4", 250);
        *part.status_mut() = StatusCode::PARTIAL_CONTENT;
        part.headers_mut().insert(header::CONTENT_RANGE, "bytes 750-999/1000".parse().expect("a value"));
        assert_eq!(whole_length(&part), Some(1_000));
        let json = slowly(answer("application/json", 100), Duration::from_secs(10)).await;
        assert_eq!(json.body().size_hint().exact(), Some(100));
        let quick = slowly(answer("video/mp4", 100), Duration::ZERO).await;
        assert_eq!(quick.body().size_hint().exact(), Some(100));
    }
}
