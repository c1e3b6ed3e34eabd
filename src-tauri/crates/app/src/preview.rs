//! Showing a file of the vault to whoever works on its case.
//!
//! What is shown are outputs of the requester's own runs (P2), held back or not. A file of another account
//! that lies in the requester's project is not shown to anybody here, and one that was made unreachable is
//! in no case at all (P11).

use makegood_domain::ids::{CaseId, OutputId};
use makegood_domain::media::{MediaFacts, PictureFacts, SoundFacts};
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{ActionRecord, Receipt, VaultError};
use makegood_domain::scope::Dossier;
use makegood_domain::work::{Output, OutputState};
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

impl Desk {
    /// What is known of an output's file on both sides; the copy in the vault is hashed for it.
    ///
    /// # Errors
    /// `Refused` for an output that is not among the requester's own; a file that can't be read is no error.
    pub async fn preview(&self, request: PreviewRequest) -> Result<PreviewView> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let id = OutputId(request.output_id);
        let (dossier, output) = own_output(&examined, &id)?;
        let (kept, why_not) = match &output.sha256 {
            None => {
                (None, Some("the platform stored this file itself and told no hash: Makegood has no copy".to_owned()))
            }
            Some(sha256) => match self.vault.verify(sha256).await {
                Ok(file) => (Some(self.kept_file(output, file).await), None),
                Err(why) => (None, Some(absent(&why))),
            },
        };
        let (state, tone) = state(output.state);
        let actions = self.store.actions_of(&examined.case.id).await?;
        Ok(PreviewView {
            output_id: id.0.clone(),
            run_id: output.run_id.0.clone(),
            item: output.item,
            state: state.to_owned(),
            tone,
            place: crate::case_view::place_of(&examined, output),
            stored_at: output.stored_at,
            bytes: output.bytes,
            sha256: output.sha256.clone(),
            promised: self.promised(dossier, output, kept.as_ref()),
            kept,
            why_not,
            brought: actions.iter().find_map(|record| brought(record, &id)),
        })
    }

    /// The bytes of an output's file, for playing. They are hashed on the way: what is shown is what the
    /// record means.
    ///
    /// # Errors
    /// `Refused` for an output that is not among the requester's own, a file that is not in the vault, is
    /// damaged, longer than [`PREVIEW_LIMIT_BYTES`], or of a type that is not shown.
    pub async fn preview_bytes(&self, request: PreviewRequest) -> Result<PreviewBytes> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let id = OutputId(request.output_id);
        let (_, output) = own_output(&examined, &id)?;
        let refused = |why: &str| Error::Refused(format!("output {id} is not shown: {why}"));
        let sha256 = output.sha256.as_deref().ok_or_else(|| refused("Makegood has no copy of it"))?;
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

    /// Opens an output's file in the system's program for its type: for what is too long for the window, or what
    /// this machine's web view cannot decode. It is hashed before; a long one of a vault that makes links is then not
    /// copied.
    ///
    /// # Errors
    /// `Refused` as [`Self::preview_bytes`] is, whatever the length, and where no program opens it.
    pub async fn open_outside(&self, request: PreviewRequest) -> Result<OpenedOutside> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let id = OutputId(request.output_id);
        let (_, output) = own_output(&examined, &id)?;
        let refused = |why: &str| Error::Refused(format!("output {id} is not opened: {why}"));
        let player = self.player.as_ref().ok_or_else(|| refused("this program has no screen"))?;
        let sha256 = output.sha256.as_deref().ok_or_else(|| refused("Makegood has no copy of it"))?;
        let file = self.vault.verify(sha256).await.map_err(|why| refused(&absent(&why)))?;
        if file.sha256 != sha256 {
            return Err(refused("what lies in the vault is not what was stored"));
        }
        if kind(&file.media_type) == PreviewKind::Other {
            return Err(refused(&format!("{} is opened by no player", file.media_type)));
        }
        let path = player.open(&*self.vault, &file, id.as_str()).await.map_err(|why| refused(&why))?;
        Ok(OpenedOutside { path })
    }

    async fn kept_file(&self, output: &Output, file: StoredFile) -> KeptFile {
        let media = match self.vault.inspect(&file.sha256).await {
            Ok(facts) => Some(media_view(facts)),
            Err(why) => {
                tracing::debug!(%why, file.sha256, "a file says nothing of itself");
                None
            }
        };
        KeptFile {
            media,
            intact: output.sha256.as_ref() == Some(&file.sha256) && output.bytes == file.bytes,
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
    fn promised(&self, dossier: &Dossier, output: &Output, kept: Option<&KeptFile>) -> Option<PromisedFile> {
        let files = dossier.jobs.iter().flat_map(|job| job.items.iter().map(move |item| (job, item)));
        let files = files
            .filter(|(_, item)| item.item == output.item)
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

/// The output, if it is of a run in the requester's scope.
fn own_output<'a>(examined: &'a Examined, id: &OutputId) -> Result<(&'a Dossier, &'a Output)> {
    let outputs = examined.scope.runs.iter().flat_map(|dossier| dossier.outputs.iter().map(move |row| (dossier, row)));
    outputs.into_iter().find(|(_, row)| row.id == *id).ok_or_else(|| {
        Error::Refused(format!("output {id} is not among the requester's own, so this case does not show it (P11)"))
    })
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

fn brought(record: &ActionRecord, id: &OutputId) -> Option<BroughtBy> {
    let row = record
        .receipts
        .iter()
        .find(|row| matches!(&row.receipt, Receipt::Delivered { output_id, .. } if output_id == id))?;
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
