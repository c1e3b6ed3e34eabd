//! The files of the vault: what is there and why, whether it is whole, and what may go (P13). What is decided
//! about a file is `keeping::fate`; the record has the last word before it is taken away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::AgentId;
use makegood_domain::keeping::{Fate, FileReference, ORPHAN_AFTER, VaultFile, fate};
use makegood_domain::ports::{KnownFile, Removal, VaultError};
use serde::Serialize;

use crate::desk::Desk;
use crate::error::{Error, Result};

/// Files that are looked at together.
const PAGE: u32 = 500;
/// Removals that broke off and are ended in one sweep.
const BROKEN_OFF: u32 = 1_000;
/// How often the vault is swept without being asked.
const SWEPT_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A file of the vault, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileView {
    #[serde(flatten)]
    pub file: VaultFile,
    pub references: Vec<FileReference>,
    #[serde(flatten)]
    pub fate: Fate,
}

/// Whether a file that the record believes in is there, and whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Checked {
    Whole,
    /// Something else stands under its name, or only a part of it.
    Damaged {
        why: String,
    },
    /// It could not be read, which says nothing about it where the way there is broken.
    Unread {
        why: String,
    },
}

/// What a sweep did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VaultSweep {
    pub looked_at: u64,
    pub bytes: u64,
    /// Taken away; in a rehearsal, what would be.
    pub removed: u64,
    pub removed_bytes: u64,
    pub held: u64,
    /// What may be on its way to the record.
    pub young: u64,
    /// Something came to need them after all.
    pub spared: u64,
    /// What was begun and never finished.
    pub cleared: u32,
    /// What could not be done, in plain words; it is tried again in the next sweep.
    pub failed: Vec<String>,
    /// It was told to stop, and did not see everything.
    pub is_cut_short: bool,
}

/// How a sweep is made.
pub struct Sweeping<'a> {
    /// Nothing is taken away; it is only said what would be.
    pub is_rehearsal: bool,
    /// In whose name; a server's record goes by the login.
    pub by: AgentId,
    /// Looked at between files.
    pub stop: &'a AtomicBool,
}

impl Desk {
    /// Where the vault is, for people.
    #[must_use]
    pub fn vault_place(&self) -> String {
        self.vault.place()
    }

    /// Who works at this desk.
    #[must_use]
    pub fn agent_id(&self) -> &AgentId {
        &self.agent.id
    }

    /// The next files of the vault, after one, with what refers to them.
    ///
    /// # Errors
    /// When vault or record can't be read.
    pub async fn vault_files(&self, after: Option<&str>) -> Result<Vec<FileView>> {
        let files = self.vault.files(after, PAGE as usize).await.map_err(in_words)?;
        let hashes: Vec<String> = files.iter().map(|file| file.sha256.clone()).collect();
        let mut by_file: BTreeMap<String, Vec<FileReference>> = BTreeMap::new();
        for reference in self.store.file_references(&hashes).await? {
            by_file.entry(reference.sha256.clone()).or_default().push(reference);
        }
        let (hold, now) = (self.policy.hold(), self.now());
        let view = |file: VaultFile| {
            let references = by_file.remove(&file.sha256).unwrap_or_default();
            FileView { fate: fate(&file, &references, hold, now), file, references }
        };
        Ok(files.into_iter().map(view).collect())
    }

    /// The next files that the record has outputs of, after one.
    ///
    /// # Errors
    /// When the record can't be read.
    pub async fn recorded_files(&self, after: Option<&str>) -> Result<Vec<KnownFile>> {
        Ok(self.store.known_files(after, PAGE).await?)
    }

    /// Reads a file of the vault again and compares it with what the record says of it.
    pub async fn check_file(&self, known: &KnownFile) -> Checked {
        match self.vault.verify(&known.sha256).await {
            Ok(found) if found.sha256 == known.sha256 && found.bytes == known.bytes => Checked::Whole,
            Ok(found) if found.sha256 == known.sha256 => {
                Checked::Damaged { why: format!("it has {} bytes, the record says {}", found.bytes, known.bytes) }
            }
            Ok(found) => Checked::Damaged { why: format!("it holds {} bytes of {}", found.bytes, found.sha256) },
            Err(VaultError::NotAsPromised { why }) => Checked::Damaged { why },
            Err(why) => Checked::Unread { why: why.to_string() },
        }
    }

    /// Takes away what nothing needs any more: what was on hold or in quarantine until it was over, what a crash
    /// left between vault and record, and what was never finished. Each removal stands in the audit before it is
    /// made. `told` hears of each file that goes, before it does.
    ///
    /// # Errors
    /// When the vault is another record's, whose files are nobody's here; when its list or the record can't be read.
    /// A single file that can't be taken away is only told.
    pub async fn sweep_vault(
        &self,
        sweeping: &Sweeping<'_>,
        mut told: impl FnMut(&FileView) + Send,
    ) -> Result<VaultSweep> {
        let mut report = VaultSweep::default();
        if !sweeping.is_rehearsal {
            self.vault.claim().await.map_err(in_words)?;
            self.end_what_broke_off(&mut report).await?;
        }
        let mut after: Option<String> = None;
        while !sweeping.stop.load(Ordering::Relaxed) {
            let page = self.vault_files(after.as_deref()).await?;
            let Some(last) = page.last() else {
                if !sweeping.is_rehearsal {
                    self.clear_unfinished(&mut report).await;
                }
                return Ok(report);
            };
            after = Some(last.file.sha256.clone());
            for view in &page {
                if sweeping.stop.load(Ordering::Relaxed) {
                    break;
                }
                self.sweep_file(sweeping, view, &mut report, &mut told).await?;
            }
        }
        report.is_cut_short = true;
        Ok(report)
    }

    async fn sweep_file(
        &self,
        sweeping: &Sweeping<'_>,
        view: &FileView,
        report: &mut VaultSweep,
        told: &mut (impl FnMut(&FileView) + Send),
    ) -> Result<()> {
        report.looked_at += 1;
        report.bytes += view.file.bytes;
        match view.fate {
            Fate::Shown => return Ok(()),
            Fate::Held { .. } => {
                report.held += 1;
                return Ok(());
            }
            Fate::Young => {
                report.young += 1;
                return Ok(());
            }
            Fate::Expired { .. } | Fate::Orphan => told(view),
        }
        if !sweeping.is_rehearsal {
            let removal = Removal {
                sha256: view.file.sha256.clone(),
                bytes: view.file.bytes,
                why: view.fate.words(),
                by: sweeping.by.clone(),
                hold: self.policy.hold(),
            };
            if !self.store.claim_removal(&removal, self.now()).await? {
                report.spared += 1;
                return Ok(());
            }
            if let Err(why) = self.take_away(&view.file.sha256).await? {
                report.failed.push(why.to_string());
                return Ok(());
            }
        }
        report.removed += 1;
        report.removed_bytes += view.file.bytes;
        Ok(())
    }

    /// What was claimed and not ended: somebody died, or the vault could not be reached.
    async fn end_what_broke_off(&self, report: &mut VaultSweep) -> Result<()> {
        for sha256 in self.store.claimed_removals(BROKEN_OFF).await? {
            if let Err(why) = self.take_away(&sha256).await? {
                report.failed.push(why.to_string());
            }
        }
        Ok(())
    }

    async fn take_away(&self, sha256: &str) -> Result<std::result::Result<(), VaultError>> {
        if let Err(why) = self.vault.remove(sha256).await {
            return Ok(Err(why));
        }
        self.store.end_removal(sha256, self.now()).await?;
        Ok(Ok(()))
    }

    async fn clear_unfinished(&self, report: &mut VaultSweep) {
        let before = self.now().saturating_sub(ORPHAN_AFTER).unwrap_or(Timestamp::MIN);
        match self.vault.clear(before).await {
            Ok(cleared) => report.cleared = cleared,
            Err(why) => report.failed.push(why.to_string()),
        }
    }

    /// Sweeps the vault where that was not done for an hour. `last` is when it was, and is moved on.
    ///
    /// # Errors
    /// As [`Self::sweep_vault`].
    pub async fn sweep_vault_if_due(
        &self,
        last: &mut Option<Timestamp>,
        stop: &AtomicBool,
    ) -> Result<Option<VaultSweep>> {
        let now = self.now();
        if last.is_some_and(|last| now.duration_since(last) < SWEPT_EVERY) {
            return Ok(None);
        }
        *last = Some(now);
        let sweeping = Sweeping { is_rehearsal: false, by: AgentId::new("reconciler"), stop };
        self.sweep_vault(&sweeping, |view| {
            tracing::info!(file.sha256 = view.file.sha256, why = view.fate.words(), "a file is taken out of the vault");
        })
        .await
        .map(Some)
    }
}

fn in_words(why: VaultError) -> Error {
    Error::Refused(why.to_string())
}

#[cfg(test)]
mod tests;
