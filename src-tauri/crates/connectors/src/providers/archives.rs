//! Items whose files come in one archive: they are listed by its index, and unpacked one by one.

use makegood_domain::ports::{FileSink, ProviderError, Retry};

use super::archive::{Archive, ArchiveError, is_archive};
use super::inquiry::Inquiry;
use super::protocol::{Adapter, Missed, meaning_of_refusal};
use super::reading::{Asset, Piece};
use crate::http::Ask;

impl Adapter {
    /// The pieces, or, where the only one is an archive, its files. What is in one that can't be read is not known:
    /// then every item that was asked for may be.
    pub(super) async fn spread(&self, inquiry: &Inquiry<'_>, pieces: Vec<Piece>) -> Vec<Piece> {
        let requested = inquiry.job.items();
        let [Piece::File(asset)] = &pieces[..] else { return pieces };
        if !self.is_archive(asset, requested).await {
            return pieces;
        }
        let file =
            |member, bytes, exists_now| Piece::File(Asset { bytes, exists_now, member: Some(member), ..asset.clone() });
        match self.archive(asset).await {
            Ok(archive) => {
                let files = (1..).zip(archive.members());
                files.map(|(item, member)| file(item, member.bytes, Some(true))).collect()
            }
            Err(missed) => {
                let (job, why) = (&inquiry.job.job_id, &missed.error.message);
                tracing::warn!(job.id = %job, why, "an archive's index can't be read");
                let exists_now = missed.error.gone.then_some(false);
                (1..=requested).map(|item| file(item, 0, exists_now)).collect()
            }
        }
    }

    /// Whether one address stands for several files: by its name, or, where several were asked for, by what it says.
    pub(super) async fn is_archive(&self, asset: &Asset, requested: u32) -> bool {
        let Ok(url) = self.http.guard().read(&asset.url) else { return false };
        if url.path().to_ascii_lowercase().ends_with(".zip") {
            return true;
        }
        let ask = Ask::new(url, self.protocol.facts().key.with_files);
        requested > 1 && self.http.probe(&ask).await.is_ok_and(|answer| is_archive(&answer))
    }

    /// Unpacks the file of an item. Its media type is what the file itself says.
    pub(super) async fn unpack_member(
        &self,
        asset: &Asset,
        item: u32,
        sink: &mut dyn FileSink,
    ) -> Result<Option<String>, Missed> {
        let archive = self.archive(asset).await?;
        match archive.unpack(item, sink).await {
            Ok(true) => Ok(None),
            Ok(false) => {
                let what = format!("the archive has {} files, and none for item {item}", archive.members().len());
                Err(self.failed(&what, Retry::Permanent).into())
            }
            Err(error) => Err(self.missed(&error)),
        }
    }

    async fn archive(&self, asset: &Asset) -> Result<Archive<'_>, Missed> {
        let refused = |refusal: crate::http::Refusal| self.failed(&refusal.to_string(), Retry::Permanent);
        let url = self.http.guard().read(&asset.url).map_err(refused)?;
        let ask = Ask::new(url, self.protocol.facts().key.with_files);
        Archive::open(&self.http, ask).await.map_err(|error| self.missed(&error))
    }

    fn missed(&self, error: &ArchiveError) -> Missed {
        let (retry, gone) = match error {
            ArchiveError::Http(error) if error.is_temporary() => (Retry::Temporary, false),
            ArchiveError::Http(_) | ArchiveError::Flaw(_) => (Retry::Permanent, false),
            ArchiveError::Changed => (Retry::Temporary, false),
            ArchiveError::Sink(_) => (Retry::Unknown, false),
            ArchiveError::Answer(answer) => meaning_of_refusal(answer),
        };
        let is_refused = matches!(error, ArchiveError::Answer(answer) if matches!(answer.status, 403 | 404 | 410));
        Missed { error: ProviderError { gone, ..self.failed(&error.to_string(), retry) }, is_refused }
    }

    fn failed(&self, what: &str, retry: Retry) -> ProviderError {
        self.error("download", what, retry, false)
    }
}
