//! What the provider answers, and what became of the file on its way.

use super::check;
use crate::diagnose::world::{RunKit, World, ago};
use crate::work::{ItemState as I, JobState as J, OutputState, UploadResult};

fn charged(hours_ago: i64) -> RunKit {
    RunKit::new("r", hours_ago).charge(&[("q", 100)])
}

fn batch(hours_ago: i64) -> RunKit {
    RunKit::new("r", hours_ago).items(3).charge(&[("q", 100)])
}

#[test]
fn failures_are_restored_once_the_window_is_over() {
    check(vec![
        (
            "failed",
            World::of([charged(30).job(J::Failed, &[I::Failed])]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "not found",
            World::of([charged(30).job(J::NotFound, &[])]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "success without an item",
            World::of([charged(30).job(J::Succeeded, &[])]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "success with an item that was not returned",
            World::of([charged(30).job(J::Succeeded, &[I::NotReturned])]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "cancelled upstream by nobody here",
            World::of([charged(30).job(J::Cancelled, &[])]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "filtered",
            World::of([charged(30).job(J::Filtered, &[I::Filtered])]),
            "provider_filtered restore_credits; r:1 restore 100; q 100",
        ),
        (
            "success whose only item was filtered",
            World::of([charged(30).job(J::Succeeded, &[I::Filtered])]),
            "provider_filtered restore_credits; r:1 restore 100; q 100",
        ),
        ("never submitted", World::of([charged(30)]), "never_submitted restore_credits; r:1 restore 100; q 100"),
        ("nothing charged", World::of([RunKit::new("r", 30).job(J::Failed, &[])]), "not_charged none_not_charged"),
    ]);
}

#[test]
fn a_finished_file_is_recovered_or_restored() {
    let uploads = |kit: RunKit| kit.made().upload(1, UploadResult::NetworkError).upload(1, UploadResult::Timeout);
    check(vec![
        ("webhook lost", World::of([charged(30).made()]), "webhook_lost recover_asset; r:1 recover"),
        ("upload failed", World::of([uploads(charged(30))]), "upload_failed recover_asset; r:1 recover"),
        (
            "upload failed and gone",
            World::of([uploads(charged(30)).gone(1)]),
            "upload_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "upload said done and nothing is stored",
            World::of([charged(30).made().upload(1, UploadResult::Ok)]),
            "upload_failed recover_asset; r:1 recover",
        ),
        (
            "one of several uploads was refused for space",
            World::of([uploads(charged(30)).upload(1, UploadResult::QuotaExceeded)]),
            "storage_quota_exceeded recover_asset; r:1 recover",
        ),
        (
            "the look-up finds a file past its deadline: the look-up decides",
            World::of([charged(30).made().file(1, |file| file.available_until = Some(ago(2)))]),
            "webhook_lost recover_asset; r:1 recover; ; urgent_retention",
        ),
        (
            "the provider cannot tell, and the deadline is past",
            World::of([charged(30).made().file(1, |file| {
                file.exists_now = None;
                file.available_until = Some(ago(2));
            })]),
            "webhook_lost restore_credits; r:1 restore 100; q 100",
        ),
        (
            "the provider cannot tell, and the deadline is ahead",
            World::of([charged(30).made().file(1, |file| file.exists_now = None)]),
            "webhook_lost recover_asset; r:1 recover",
        ),
        (
            "nobody says how long files are kept",
            World::of([charged(30).made().edit(|row| row.jobs[0].provider_id = "vague".into())]),
            "webhook_lost recover_asset; r:1 recover; ; retention_assumed",
        ),
        (
            "exactly 24 hours to go is urgent",
            World::of([charged(30).made().file(1, |file| file.available_until = Some(ago(-24)))]),
            "webhook_lost recover_asset; r:1 recover; ; urgent_retention",
        ),
        (
            "25 hours to go is not",
            World::of([charged(30).made().file(1, |file| file.available_until = Some(ago(-25)))]),
            "webhook_lost recover_asset; r:1 recover",
        ),
    ]);
}

#[test]
fn a_batch_is_settled_item_by_item() {
    check(vec![
        (
            "two stored, one failed",
            World::of([batch(30).job(J::Succeeded, &[I::Succeeded, I::Succeeded, I::Failed]).stored(1).stored(2)]),
            "partial_batch restore_credits; r:3 restore 33; q 33",
        ),
        (
            "one stored, one to be had, one failed",
            World::of([batch(30).job(J::Succeeded, &[I::Succeeded, I::Succeeded, I::Failed]).stored(1)]),
            "partial_batch recover_asset_and_restore_credits; r:2 recover, r:3 restore 33; q 33",
        ),
        (
            "none stored, two to be had, one failed",
            World::of([batch(30).job(J::Succeeded, &[I::Failed, I::Succeeded, I::Succeeded])]),
            "webhook_lost recover_asset_and_restore_credits; r:1 restore 34, r:2 recover, r:3 recover; q 34",
        ),
        (
            "one stored, one damaged, one gone",
            World::of([batch(30).made().stored(1).output(2, OutputState::Corrupt, "prj_one/nd_one").gone(3)]),
            "partial_batch recover_asset_and_restore_credits; r:2 recover, r:3 restore 33; q 33",
        ),
        (
            "the missing item was refunded before",
            World::of([batch(30)
                .job(J::Succeeded, &[I::Succeeded, I::Succeeded, I::Failed])
                .stored(1)
                .stored(2)
                .refund(1, &[3], &[("q", 33)])]),
            "partial_batch none_already_refunded; r:3 none",
        ),
        (
            "one of two missing items was refunded before",
            World::of([batch(30).job(J::Succeeded, &[I::Succeeded, I::Failed, I::Failed]).stored(1).refund(
                1,
                &[2],
                &[("q", 33)],
            )]),
            "partial_batch restore_credits; r:3 restore 33; q 33",
        ),
        (
            "one item is still running after a day",
            World::of([batch(30).job(J::Processing, &[I::Succeeded, I::Succeeded, I::Processing]).stored(1).stored(2)]),
            "partial_batch restore_credits; r:3 restore 33; q 33; cancel_upstream",
        ),
        (
            "the look-up of a half-stored batch fails",
            World::of([batch(30).job(J::LookupFailed, &[]).stored(1)]),
            "partial_batch retry_provider_lookup; r:2 wait, r:3 wait",
        ),
    ]);
}

#[test]
fn without_room_files_are_held_together() {
    let full = |world: World| world.edit(|world| world.account("acc").storage_used_mb = 985);
    let hold_until = ago(-14 * 24);
    let one = full(World::of([charged(30).made().file(1, |file| file.bytes = 15_000_001)]));
    let rows = vec![
        ("no room for one", one.clone(), "webhook_lost hold_asset; r:1 hold; ; needs_storage_space"),
        (
            "just enough room",
            full(World::of([charged(30).made().file(1, |file| file.bytes = 15_000_000)])),
            "webhook_lost recover_asset; r:1 recover",
        ),
        (
            "room for each alone and not for both",
            full(World::of([RunKit::new("r", 30).items(2).charge(&[("q", 10)]).made()])),
            "webhook_lost hold_asset; r:1 hold, r:2 hold; ; needs_storage_space",
        ),
        (
            "held and restored",
            full(World::of([batch(30).job(J::Succeeded, &[I::Succeeded, I::Succeeded, I::Failed])])),
            "webhook_lost recover_asset_and_restore_credits; r:1 hold, r:2 hold, r:3 restore 33; q 33; needs_storage_space",
        ),
        (
            "an account that is over its space",
            World::of([charged(30).made().file(1, |file| file.bytes = 0)])
                .edit(|world| world.account("acc").storage_used_mb = 1_000),
            "webhook_lost hold_asset; r:1 hold; ; needs_storage_space",
        ),
        (
            "held with hours to go",
            full(World::of([charged(30).made().file(1, |file| {
                file.bytes = 20_000_000;
                file.available_until = Some(ago(-3));
            })])),
            "webhook_lost hold_asset; r:1 hold; ; urgent_retention needs_storage_space",
        ),
    ];
    check(rows);
    assert_eq!(one.diagnose().follow_up_at, Some(hold_until));
}

#[test]
fn damaged_and_late_files() {
    let corrupt = |kit: RunKit| kit.made().output(1, OutputState::Corrupt, "prj_one/nd_one");
    let late = |kit: RunKit| kit.made().output(1, OutputState::Held, "prj_one").refund(1, &[1], &[("q", 100)]);
    check(vec![
        ("damaged, inside the window", World::of([corrupt(charged(3))]), "corrupt_output recover_asset; r:1 recover"),
        (
            "damaged and gone",
            World::of([corrupt(charged(3)).gone(1)]),
            "corrupt_output restore_credits; r:1 restore 100; q 100",
        ),
        (
            "an object of 0 bytes that is called stored",
            World::of([charged(3).made().stored(1).edit(|row| row.outputs[0].bytes = 0)]),
            "corrupt_output recover_asset; r:1 recover",
        ),
        (
            "damaged and refunded",
            World::of([corrupt(charged(30)).refund(1, &[1], &[("q", 100)])]),
            "corrupt_output none_already_refunded; r:1 none",
        ),
        (
            "damaged beside a whole copy",
            World::of([corrupt(charged(30)).stored(1)]),
            "delivered_ok none_delivered; r:1 none",
        ),
        ("late", World::of([late(charged(30))]), "late_result none_already_refunded; r:1 none"),
        (
            "late, and the refund was reversed",
            World::of([late(charged(30)).reversed()]),
            "late_result recover_asset; r:1 recover",
        ),
    ]);
}
