//! What every shelf does.

use std::time::Duration;

use makegood_connectors::http::{Ask, Guard, Http, Limits, Line, RealPace};
use makegood_connectors::vault::shelf::{ContentKey, Measured, Put, Shelf, ShelfError};

use crate::subject::{OnDisk, PART, Subject};

/// All of it, on a shelf that holds nothing yet.
pub async fn holds(subject: &Subject) {
    files_are_kept_once_and_proved_by_reading(&*subject.shelf).await;
    a_file_of_several_parts_arrives_whole(&*subject.shelf).await;
    what_is_not_there_is_said_to_be_missing(&*subject.shelf).await;
    the_list_is_in_order_and_in_pages(&*subject.shelf).await;
    of_two_who_put_the_same_both_have_it(&*subject.shelf).await;
    if subject.reads_what_it_takes {
        what_it_is_is_known_as_it_was_found(&*subject.shelf).await;
        a_file_that_changed_on_its_way_gets_no_name(&*subject.shelf).await;
    }
    links_read_the_file_where_there_are_any(subject).await;
    who_claims_it_first_has_it(&*subject.shelf).await;
}

async fn who_claims_it_first_has_it(shelf: &dyn Shelf) {
    let (one, other) = tokio::join!(shelf.claim("one"), shelf.claim("other"));
    let owner = one.expect("claimed");
    assert!(["one", "other"].contains(&&*owner), "{owner}");
    assert_eq!(other, Ok(owner.clone()));
    assert_eq!(shelf.claim("a third").await, Ok(owner));
    assert_eq!(shelf.list(None, 3).await, Ok(Vec::new()), "the mark is no file");
}

fn measured(file: &OnDisk) -> Measured {
    Measured { sha256: file.key.to_string(), bytes: file.content.len() as u64 }
}

async fn files_are_kept_once_and_proved_by_reading(shelf: &dyn Shelf) {
    let file = OnDisk::of(1, 4_000);
    assert_eq!(file.put(shelf).await, Ok(Put::Placed));
    assert_eq!(shelf.measure(&file.key).await, Ok(measured(&file)));
    assert_eq!(file.put(shelf).await, Ok(Put::WasThere), "the same content is the same file");
    for (from, bytes, want) in [(0, 4_000, 0..4_000), (0, 10, 0..10), (3_990, 100, 3_990..4_000), (4_000, 5, 0..0)] {
        assert_eq!(shelf.read(&file.key, from, bytes).await.as_deref(), Ok(&file.content[want]), "{bytes} from {from}");
    }
    let listed = shelf.list(None, 10).await.expect("a list");
    assert_eq!(listed.iter().map(|one| (&one.key, one.bytes)).collect::<Vec<_>>(), [(&file.key, 4_000)]);
    assert!(listed[0].since.is_some(), "its age is told");
    shelf.remove(&file.key).await.expect("removed");
}

async fn what_it_is_is_known_as_it_was_found(shelf: &dyn Shelf) {
    for bytes in [100, PART + 1] {
        let file = OnDisk::of(50, bytes);
        file.put(shelf).await.expect("kept");
        assert_eq!(shelf.media_type(&file.key).await.as_deref(), Ok("video/mp4"));
        shelf.remove(&file.key).await.expect("removed");
    }
}

async fn a_file_of_several_parts_arrives_whole(shelf: &dyn Shelf) {
    let file = OnDisk::of(2, 2 * PART + 123_457);
    assert_eq!(file.put(shelf).await, Ok(Put::Placed));
    assert_eq!(shelf.measure(&file.key).await, Ok(measured(&file)));
    let border = PART as u64 - 5;
    assert_eq!(shelf.read(&file.key, border, 10).await.as_deref(), Ok(&file.content[PART - 5..PART + 5]));
    assert_eq!(file.put(shelf).await, Ok(Put::WasThere));
    shelf.remove(&file.key).await.expect("removed");
}

async fn what_is_not_there_is_said_to_be_missing(shelf: &dyn Shelf) {
    let file = OnDisk::of(3, 10);
    let missing = |error: ShelfError| matches!(error, ShelfError::Missing { .. });
    assert!(shelf.measure(&file.key).await.is_err_and(missing));
    assert!(shelf.read(&file.key, 0, 1).await.is_err_and(missing));
    assert_eq!(shelf.remove(&file.key).await, Ok(()), "what is gone is gone");
    assert_eq!(file.put(shelf).await, Ok(Put::Placed));
    shelf.remove(&file.key).await.expect("removed");
    assert!(shelf.measure(&file.key).await.is_err_and(missing));
    assert_eq!(file.put(shelf).await, Ok(Put::Placed), "its name is free again");
    shelf.remove(&file.key).await.expect("removed");
}

async fn the_list_is_in_order_and_in_pages(shelf: &dyn Shelf) {
    let mut keys = Vec::new();
    for seed in 10..17 {
        let file = OnDisk::of(seed, 100);
        file.put(shelf).await.expect("kept");
        keys.push(file.key);
    }
    keys.sort();
    let mut found: Vec<ContentKey> = Vec::new();
    loop {
        let page = shelf.list(found.last(), 3).await.expect("a page");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3, "{}", page.len());
        found.extend(page.into_iter().map(|one| one.key));
    }
    assert_eq!(found, keys);
    for key in &keys {
        shelf.remove(key).await.expect("removed");
    }
    assert_eq!(shelf.list(None, 3).await, Ok(Vec::new()));
}

async fn of_two_who_put_the_same_both_have_it(shelf: &dyn Shelf) {
    let (one, other) = (OnDisk::of(20, PART + 1), OnDisk::of(20, PART + 1));
    let (first, second) = tokio::join!(one.put(shelf), other.put(shelf));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(shelf.measure(&one.key).await, Ok(measured(&one)));
    assert_eq!(shelf.list(None, 10).await.expect("a list").len(), 1);
    shelf.remove(&one.key).await.expect("removed");
}

async fn a_file_that_changed_on_its_way_gets_no_name(shelf: &dyn Shelf) {
    for bytes in [1_000, PART + 1_000] {
        let file = OnDisk::of(30, bytes);
        let mut other = file.content.clone();
        other[bytes / 2] ^= 1;
        let put = file.put_as(shelf, &other).await;
        assert!(matches!(put, Err(ShelfError::Changed { .. })), "{put:?}");
        assert_eq!(shelf.list(None, 10).await, Ok(Vec::new()));
    }
}

async fn links_read_the_file_where_there_are_any(subject: &Subject) {
    let file = OnDisk::of(40, 5_000);
    file.put(&*subject.shelf).await.expect("kept");
    let link = subject.shelf.link(&file.key, Duration::from_mins(5)).await.expect("asked for");
    assert_eq!(link.is_some(), subject.makes_links);
    if let Some(link) = link {
        let line = Line {
            guard: Guard::new([&link], []),
            base: link.clone(),
            also: None,
            key: None,
            headers: &[],
            limits: Limits::default(),
        };
        let http = Http::new(line, std::sync::Arc::new(RealPace::new())).expect("a client");
        let read = http.get(&Ask::new(link, false)).await.expect("an answer");
        assert_eq!((read.status, read.body), (200, file.content.clone()));
    }
    subject.shelf.remove(&file.key).await.expect("removed");
}
