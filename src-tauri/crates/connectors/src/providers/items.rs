//! What becomes of a job's items: each file that an answer names is looked at, and that one is gone is believed only
//! when it is seen twice, at a fresh address (reliability 2, N14). A host of files that says 404 once may be a host
//! that has not heard of the file yet, an address that has ended, or somebody in between.

use jiff::Timestamp;
use makegood_domain::ports::{JobRef, ProviderPort as _};
use makegood_domain::work::{ItemState, JobItem, JobState, ProviderFile};

use super::inquiry::Inquiry;
use super::protocol::Adapter;
use super::reading::{Asset, Piece, Pieces, Reading};

impl Adapter {
    /// The items of a reading, each file looked at.
    pub(super) async fn items(&self, inquiry: &mut Inquiry<'_>, reading: &mut Reading) -> Vec<JobItem> {
        let requested = inquiry.job.items();
        let deadline = self.deadline(reading.finished_at, inquiry.job);
        let pieces = match std::mem::take(&mut reading.pieces) {
            Pieces::Unlisted => Vec::new(),
            Pieces::Gone => {
                vec![Piece::File(Asset { exists_now: Some(false), ..Asset::default() }); requested as usize]
            }
            Pieces::Listed(pieces) => self.spread(inquiry, pieces).await,
        };
        let pieces = in_their_places(pieces, requested);
        let missing = pieces.iter().take(requested as usize).filter(|piece| **piece == Piece::Missing).count();
        if reading.holds_more && reading.state == JobState::Succeeded && pieces.len() < requested as usize + missing {
            let why = "the answer lists fewer files than were asked for, and holds what is not understood";
            *reading = Reading { about: reading.about.take(), ..Reading::unrecognised(why) };
            return Vec::new();
        }
        let mut items = Vec::new();
        for (item, piece) in (1..=requested).zip(self.seen(inquiry, pieces, deadline).await) {
            let made = match piece {
                Piece::Filtered => made(item, ItemState::Filtered, reading.finished_at),
                Piece::Missing => made(item, ItemState::NotReturned, reading.finished_at),
                Piece::File(asset) => {
                    let file = ProviderFile {
                        bytes: asset.bytes,
                        sha256_prefix: String::new(),
                        available_until: asset.available_until.or(deadline),
                        exists_now: asset.exists_now,
                    };
                    let finished_at = asset.finished_at.or(reading.finished_at);
                    JobItem { file: Some(file), ..made(item, ItemState::Succeeded, finished_at) }
                }
            };
            items.push(made);
        }
        if let Some(fate) = fate_of_the_rest(reading.state) {
            let next = u32::try_from(items.len()).unwrap_or(u32::MAX).saturating_add(1);
            items.extend((next..=requested).map(|item| made(item, fate, reading.finished_at)));
        }
        items
    }

    /// The pieces with what was seen of their files. One that seems to be gone while it should still be kept is asked
    /// for again: the job tells a fresh address, if it still has the file. Where it can't say, nothing is known of it.
    async fn seen(&self, inquiry: &mut Inquiry<'_>, mut pieces: Vec<Piece>, deadline: Option<Timestamp>) -> Vec<Piece> {
        pieces.truncate(inquiry.job.items() as usize);
        // Files of an archive were looked at with it, and nobody looks at what has no address.
        for piece in &mut pieces {
            self.look(inquiry, piece).await;
        }
        let now = inquiry.now;
        let should_be_kept = |asset: &Asset| {
            let until = asset.available_until.or(deadline);
            until.is_none_or(|until| now.is_none_or(|now| now < until))
        };
        let seems_gone = |piece: &Piece| {
            matches!(piece, Piece::File(asset)
                if asset.exists_now == Some(false) && !asset.url.is_empty() && should_be_kept(asset))
        };
        if !pieces.iter().any(seems_gone) {
            return pieces;
        }
        inquiry.wait_a_moment().await;
        let again = self.protocol.read(inquiry).await.unwrap_or_else(Reading::from);
        let again = inquiry.believed(again);
        let mut again = match (again.state, again.pieces) {
            (JobState::Succeeded, Pieces::Gone) => return pieces,
            (JobState::Succeeded, Pieces::Listed(pieces)) => {
                in_their_places(self.spread(inquiry, pieces).await, inquiry.job.items())
            }
            _ => Vec::new(),
        };
        for (number, piece) in pieces.iter_mut().enumerate().filter(|(_, piece)| seems_gone(piece)) {
            if let Some(fresh @ Piece::File(_)) = again.get_mut(number) {
                self.look(inquiry, fresh).await;
                *piece = fresh.clone();
            } else if let Piece::File(asset) = piece {
                asset.exists_now = None;
            }
        }
        pieces
    }

    async fn look(&self, inquiry: &mut Inquiry<'_>, piece: &mut Piece) {
        if let Piece::File(asset) = piece
            && asset.exists_now.is_none()
            && asset.member.is_none()
        {
            self.protocol.look_at(inquiry, asset).await;
        }
    }

    /// Until when files are kept, by what the vendor states.
    fn deadline(&self, finished_at: Option<Timestamp>, job: &JobRef) -> Option<Timestamp> {
        finished_at.unwrap_or(job.submitted_at).checked_add(self.keeps()?).ok()
    }
}

/// The pieces at the places of their items. A list with more places than items were asked for is none of items, place by
/// place: then those that hold nothing are no missing ones.
pub(super) fn in_their_places(mut pieces: Vec<Piece>, requested: u32) -> Vec<Piece> {
    if pieces.len() > requested as usize {
        pieces.retain(|piece| *piece != Piece::Missing);
    }
    pieces
}

fn made(item: u32, state: ItemState, finished_at: Option<Timestamp>) -> JobItem {
    JobItem { item, state, finished_at, file: None }
}

/// What became of items that an answer does not list; `None` where that says nothing about items.
fn fate_of_the_rest(state: JobState) -> Option<ItemState> {
    match state {
        JobState::Queued | JobState::Processing => Some(ItemState::Processing),
        JobState::Succeeded => Some(ItemState::NotReturned),
        JobState::Failed => Some(ItemState::Failed),
        JobState::Filtered => Some(ItemState::Filtered),
        JobState::Cancelled | JobState::NotFound | JobState::LookupFailed | JobState::Unrecognised => None,
    }
}
