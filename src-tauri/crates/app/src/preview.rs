//! Showing a file of the vault to whoever works on its case.
//!
//! What is shown are outputs of the requester's own runs (P2), held back or not, and our own copies of what those runs
//! made and nobody has as an output yet: who delivers or releases a file may see it before. A file of another account
//! that lies in the requester's project is not shown to anybody here, and one that was made unreachable is
//! in no case at all (P11).

use makegood_domain::capture::Capture;
use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::matching::logical_run;
use makegood_domain::media::{MediaFacts, PictureFacts, SoundFacts};
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{ActionRecord, Receipt, VaultError};
use makegood_domain::scope::Dossier;
use makegood_domain::work::{Job, Output, OutputState};
use sha2::{Digest as _, Sha256};

use crate::contract::{
    BroughtBy, KeptFile, MediaView, OpenedOutside, PictureView, PreviewKind, PreviewRequest, PreviewView, PromisedFile,
    SoundView, Tone,
};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::finding::Examined;

/// A longer file is not played in the window, which holds all of it in memory: 64 MiB.
pub const PREVIEW_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Types that a web view shows without running anything in them.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/// A file to be shown, whole, under the hash that the record has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewBytes {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// How a copy of ours is called where an output has its id.
const SAVED: &str = "saved";

/// What our own copy of an item is asked for by.
pub(crate) fn saved_id(run: &RunId, item: u32) -> String {
    format!("{SAVED}/{item}/{run}")
}

/// The run and the item of a copy; `None` for what is no such id.
fn read_saved_id(id: &str) -> Option<(RunId, u32)> {
    let (item, run) = id.strip_prefix(SAVED)?.strip_prefix('/')?.split_once('/')?;
    Some((RunId::new(run), item.parse().ok()?))
}

/// A file of a case.
enum Shown<'a> {
    Output(&'a Dossier, &'a Output),
    /// A copy of ours, and the first run of its logical run.
    Saved(&'a Dossier, &'a Capture),
}

impl<'a> Shown<'a> {
    /// The file, if it is of a run in the requester's scope.
    fn of(examined: &'a Examined, id: &str) -> Result<Self> {
        let runs = &examined.scope.runs;
        let mut outputs = runs.iter().flat_map(|dossier| dossier.outputs.iter().map(move |row| (dossier, row)));
        if let Some((dossier, row)) = outputs.find(|(_, row)| row.id.as_str() == id) {
            return Ok(Self::Output(dossier, row));
        }
        let copy = read_saved_id(id).and_then(|(run, item)| saved(examined, &run, item));
        copy.ok_or_else(|| {
            Error::Refused(format!("output {id} is not among the requester's own, so this case does not show it (P11)"))
        })
    }

    fn sha256(&self) -> Option<&'a str> {
        match self {
            Self::Output(_, row) => row.sha256.as_deref(),
            Self::Saved(_, copy) => Some(&copy.file.sha256),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Output(_, row) => row.bytes,
            Self::Saved(_, copy) => copy.file.bytes,
        }
    }

    fn item(&self) -> u32 {
        match self {
            Self::Output(_, row) => row.item,
            Self::Saved(_, copy) => copy.item,
        }
    }

    /// The jobs that may have made it.
    fn jobs(&self) -> &'a [Job] {
        let (Self::Output(dossier, _) | Self::Saved(dossier, _)) = self;
        &dossier.jobs
    }
}

/// The copy that would be delivered of an item, which is the oldest one.
fn saved<'a>(examined: &'a Examined, run: &RunId, item: u32) -> Option<Shown<'a>> {
    let logical = logical_run(&examined.scope, run).filter(|logical| logical.contains(run))?;
    let copies = logical.members().flat_map(|dossier| dossier.captures.iter().map(move |copy| (dossier, copy)));
    let oldest = copies.filter(|(_, copy)| copy.item == item).min_by_key(|(_, copy)| copy.captured_at);
    oldest.map(|(dossier, copy)| Shown::Saved(dossier, copy))
}

impl Desk {
    /// What is known of a file on both sides; the copy in the vault is hashed for it.
    ///
    /// # Errors
    /// `Refused` for a file that is not among the requester's own; one that can't be read is no error.
    pub async fn preview(&self, request: PreviewRequest) -> Result<PreviewView> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let id = request.output_id;
        let shown = Shown::of(&examined, &id)?;
        let (kept, why_not) = match shown.sha256() {
            None => {
                (None, Some("the platform stored this file itself and told no hash: Makegood has no copy".to_owned()))
            }
            Some(sha256) => match self.vault.verify(sha256).await {
                Ok(file) => (Some(self.kept_file(&shown, file).await), None),
                Err(why) => (None, Some(absent(&why))),
            },
        };
        let actions = self.store.actions_of(&examined.case.id).await?;
        let (run_id, state, tone, place, stored_at) = match &shown {
            Shown::Output(_, row) => {
                let (state, tone) = state(row.state);
                (&row.run_id, state, tone, crate::case_view::place_of(&examined, row), row.stored_at)
            }
            Shown::Saved(dossier, copy) => {
                let place = crate::case_view::place_of_run(&examined, &dossier.run);
                (&copy.run_id, "saved", Tone::Ok, place, copy.captured_at)
            }
        };
        Ok(PreviewView {
            run_id: run_id.0.clone(),
            item: shown.item(),
            state: state.to_owned(),
            tone,
            place,
            stored_at,
            bytes: shown.bytes(),
            sha256: shown.sha256().map(str::to_owned),
            promised: self.promised(&shown, kept.as_ref()),
            kept,
            why_not,
            brought: actions.iter().find_map(|record| brought(record, &id)),
            output_id: id,
        })
    }

    /// The bytes of a file, for playing. They are hashed on the way: what is shown is what the record means.
    ///
    /// # Errors
    /// `Refused` for a file that is not among the requester's own, is not in the vault, is damaged, longer than
    /// [`PREVIEW_LIMIT_BYTES`], or of a type that is not shown.
    pub async fn preview_bytes(&self, request: PreviewRequest) -> Result<PreviewBytes> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let id = request.output_id;
        let shown = Shown::of(&examined, &id)?;
        let refused = |why: &str| Error::Refused(format!("output {id} is not shown: {why}"));
        let sha256 = shown.sha256().ok_or_else(|| refused("Makegood has no copy of it"))?;
        let bytes = match self.vault.read(sha256, PREVIEW_LIMIT_BYTES).await {
            Ok(bytes) => bytes,
            Err(why) => return Err(refused(&absent(&why))),
        };
        if hex::encode(Sha256::digest(&bytes)) != sha256 {
            return Err(refused("what lies in the vault is not what was stored"));
        }
        let facts = self.vault.inspect(sha256).await.map_err(|why| refused(&absent(&why)))?;
        if kind(&facts.media_type) == PreviewKind::Other {
            return Err(refused(&format!("the window shows no {}", facts.media_type)));
        }
        Ok(PreviewBytes { media_type: facts.media_type, bytes })
    }

    /// Opens a file in the system's program for its type: for what is too long for the window, or what this machine's
    /// web view cannot decode. It is hashed before; a long one of a vault that makes links is then not copied.
    ///
    /// # Errors
    /// `Refused` as [`Self::preview_bytes`] is, whatever the length, and where no program opens it.
    pub async fn open_outside(&self, request: PreviewRequest) -> Result<OpenedOutside> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let id = request.output_id;
        let shown = Shown::of(&examined, &id)?;
        let refused = |why: &str| Error::Refused(format!("output {id} is not opened: {why}"));
        let player = self.player.as_ref().ok_or_else(|| refused("this program has no screen"))?;
        let sha256 = shown.sha256().ok_or_else(|| refused("Makegood has no copy of it"))?;
        let file = self.vault.verify(sha256).await.map_err(|why| refused(&absent(&why)))?;
        if file.sha256 != sha256 {
            return Err(refused("what lies in the vault is not what was stored"));
        }
        if kind(&file.media_type) == PreviewKind::Other {
            return Err(refused(&format!("{} is opened by no player", file.media_type)));
        }
        let path = player.open(&*self.vault, &file, &id).await.map_err(|why| refused(&why))?;
        Ok(OpenedOutside { path })
    }

    async fn kept_file(&self, shown: &Shown<'_>, file: StoredFile) -> KeptFile {
        let media = match self.vault.inspect(&file.sha256).await {
            Ok(facts) => Some(media_view(facts)),
            Err(why) => {
                tracing::debug!(%why, file.sha256, "a file says nothing of itself");
                None
            }
        };
        KeptFile {
            media,
            intact: shown.sha256() == Some(file.sha256.as_str()) && shown.bytes() == file.bytes,
            kind: kind(&file.media_type),
            fits: file.bytes <= PREVIEW_LIMIT_BYTES,
            limit_bytes: PREVIEW_LIMIT_BYTES,
            checked_at: self.now(),
            sha256: file.sha256,
            bytes: file.bytes,
            media_type: file.media_type,
        }
    }

    /// What a provider told of the item's file: the job that told most of it.
    fn promised(&self, shown: &Shown<'_>, kept: Option<&KeptFile>) -> Option<PromisedFile> {
        let files = shown.jobs().iter().flat_map(|job| job.items.iter().map(move |item| (job, item)));
        let files = files
            .filter(|(_, item)| item.item == shown.item())
            .filter_map(|(job, item)| Some((job, item.file.as_ref()?)));
        let (job, file) = files.max_by_key(|(_, file)| (file.sha256_prefix.len(), file.bytes))?;
        let told = file.bytes > 0 || !file.sha256_prefix.is_empty();
        let agrees = |kept: &KeptFile| {
            (file.bytes == 0 || file.bytes == kept.bytes)
                && kept.sha256.starts_with(&file.sha256_prefix.to_ascii_lowercase())
        };
        let provider = self.providers.get(&job.provider_id);
        Some(PromisedFile {
            provider_id: job.provider_id.0.clone(),
            provider_name: provider.map_or_else(|| job.provider_id.0.clone(), |port| port.descriptor().name),
            job_id: job.id.0.clone(),
            bytes: (file.bytes > 0).then_some(file.bytes),
            sha256_prefix: file.sha256_prefix.clone(),
            agrees: kept.filter(|_| told).map(agrees),
            told_at: job.looked_up_at,
        })
    }
}

fn media_view(facts: MediaFacts) -> MediaView {
    let picture = facts.picture.map(|PictureFacts { width, height, codec }| PictureView { width, height, codec });
    let sound =
        facts.sound.map(|SoundFacts { codec, channels, sample_rate }| SoundView { codec, channels, sample_rate });
    MediaView { duration_ms: facts.duration_ms, picture, sound }
}

fn absent(why: &VaultError) -> String {
    match why {
        VaultError::TooLong { limit_bytes } => {
            format!("the file is longer than the {limit_bytes} bytes shown in the window")
        }
        other => other.to_string(),
    }
}

fn state(state: OutputState) -> (&'static str, Tone) {
    match state {
        OutputState::Stored => ("stored", Tone::Ok),
        OutputState::Corrupt => ("damaged", Tone::Bad),
        OutputState::Held => ("held", Tone::Warn),
    }
}

fn kind(media_type: &str) -> PreviewKind {
    match media_type.split_once('/') {
        Some(("video", _)) => PreviewKind::Video,
        Some(("audio", _)) => PreviewKind::Audio,
        _ if IMAGES.contains(&media_type) => PreviewKind::Image,
        _ => PreviewKind::Other,
    }
}

fn brought(record: &ActionRecord, id: &str) -> Option<BroughtBy> {
    let row = record
        .receipts
        .iter()
        .find(|row| matches!(&row.receipt, Receipt::Delivered { output_id, .. } if output_id.as_str() == id))?;
    Some(BroughtBy {
        by: record.order.agent.0.clone(),
        at: record.finished_at.unwrap_or(row.at),
        key: record.order.key.0.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_run_something_is_not_shown() {
        for (media_type, want) in [
            ("video/mp4", PreviewKind::Video),
            ("audio/wav", PreviewKind::Audio),
            ("image/png", PreviewKind::Image),
            ("image/svg+xml", PreviewKind::Other),
            ("text/html", PreviewKind::Other),
            ("application/zip", PreviewKind::Other),
            ("", PreviewKind::Other),
        ] {
            assert_eq!(kind(media_type), want, "{media_type}");
        }
    }
}
