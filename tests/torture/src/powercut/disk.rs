//! What is on the disk after a cut: what was synced, and of the rest as much as the cut leaves.

use std::io;
use std::path::Path;

use crate::dice::Dice;

/// What a cut leaves of the writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    All,
    /// The first few, in their order.
    Tail,
    /// The first few, the last of them without its last 512 bytes.
    Torn,
    /// Any of them: a disk writes in the order that it likes.
    Scattered,
}

impl Loss {
    pub const EVERY: [Self; 4] = [Self::All, Self::Tail, Self::Torn, Self::Scattered];
}

/// One sector, the unit in which a write can be torn.
const SECTOR: usize = 512;

/// A write that was not synced, as the shim kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// Begins the images: what is in `live` now is on the disk.
pub fn settle(live: &Path, keep: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(keep).or_else(missing)?;
    std::fs::create_dir_all(keep)?;
    for entry in std::fs::read_dir(live)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with("-shm") {
            std::fs::copy(entry.path(), keep.join(format!("{name}.durable")))?;
        }
    }
    Ok(())
}

/// Cuts the power: the files in `live` become what is on the disk. Returns how many bytes of writes
/// are gone.
pub fn cut(live: &Path, keep: &Path, loss: Loss, dice: &mut Dice) -> io::Result<u64> {
    for entry in std::fs::read_dir(live)? {
        std::fs::remove_file(entry?.path())?;
    }
    let mut names: Vec<String> = std::fs::read_dir(keep)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.sort();
    let mut lost = 0;
    for name in names.iter().filter_map(|name| name.strip_suffix(".durable").or(name.strip_suffix(".pending"))) {
        let path = live.join(name);
        if name.starts_with("tree") || path.exists() {
            continue;
        }
        let (image, gone) = image(keep, name, loss, dice)?;
        lost += gone;
        std::fs::write(&path, image)?;
    }
    Ok(u64::try_from(lost).unwrap_or(u64::MAX))
}

/// What a file holds after a cut, and how many bytes of writes to it are gone.
pub(super) fn image(keep: &Path, name: &str, loss: Loss, dice: &mut Dice) -> io::Result<(Vec<u8>, usize)> {
    let mut image = read(&keep.join(format!("{name}.durable")))?;
    let pending = parse(&read(&keep.join(format!("{name}.pending")))?);
    let all: usize = pending.iter().map(length).sum();
    let left = left(pending, loss, dice);
    let gone = all - left.iter().map(length).sum::<usize>();
    for write in left {
        apply(&mut image, &write);
    }
    Ok((image, gone))
}

pub(super) fn missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}

/// The records of a `.pending` file; one that was being written when the process died is left out.
fn parse(bytes: &[u8]) -> Vec<Pending> {
    let mut rest = bytes;
    let mut records = Vec::new();
    while let Some((kind, offset, length)) = head(rest) {
        let body = &rest[24..];
        match kind {
            1 if body.len() >= length => {
                records.push(Pending::Write { offset, bytes: body[..length].to_vec() });
                rest = &body[length..];
            }
            2 => {
                records.push(Pending::Truncate { length: offset });
                rest = body;
            }
            _ => break,
        }
    }
    records
}

fn head(bytes: &[u8]) -> Option<(u64, usize, usize)> {
    let number = |place: usize| {
        let field: [u8; 8] = bytes.get(place..place + 8)?.try_into().ok()?;
        Some(u64::from_ne_bytes(field))
    };
    Some((number(0)?, usize::try_from(number(8)?).ok()?, usize::try_from(number(16)?).ok()?))
}

fn length(pending: &Pending) -> usize {
    match pending {
        Pending::Write { bytes, .. } => bytes.len(),
        Pending::Truncate { .. } => 0,
    }
}

fn left(mut pending: Vec<Pending>, loss: Loss, dice: &mut Dice) -> Vec<Pending> {
    match loss {
        Loss::All => pending.clear(),
        Loss::Tail => pending.truncate(dice.index(pending.len() + 1)),
        Loss::Torn => {
            pending.truncate(dice.index(pending.len() + 1));
            if let Some(Pending::Write { bytes, .. }) = pending.last_mut() {
                bytes.truncate(bytes.len().saturating_sub(SECTOR));
            }
        }
        Loss::Scattered => pending.retain(|_| dice.chance(50)),
    }
    pending
}

fn apply(image: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Truncate { length } => image.resize(*length, 0),
        Pending::Write { offset, bytes } => {
            let end = offset + bytes.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            image[*offset..end].copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u64, offset: u64, bytes: &[u8]) -> Vec<u8> {
        let head = [kind, offset, bytes.len() as u64].into_iter().flat_map(u64::to_ne_bytes);
        head.chain(bytes.iter().copied()).collect()
    }

    #[test]
    fn pending_writes_are_read_up_to_the_one_that_was_cut() {
        let mut bytes = [record(1, 4, b"abcd"), record(2, 6, b""), record(1, 0, b"xy")].concat();
        let whole = parse(&bytes);
        assert_eq!(whole.len(), 3);
        bytes.pop();
        assert_eq!(parse(&bytes), whole[..2]);
        let mut image = b"0123".to_vec();
        whole.iter().for_each(|write| apply(&mut image, write));
        assert_eq!(image, b"xy23ab");
    }

    #[test]
    fn each_loss_leaves_what_it_says() {
        let write = |n: u8| Pending::Write { offset: 0, bytes: vec![n; 1_000] };
        let writes: Vec<Pending> = (0..20).map(write).collect();
        let mut dice = Dice::new(3, "loss");
        assert_eq!(left(writes.clone(), Loss::All, &mut dice), []);
        let kept = left(writes.clone(), Loss::Tail, &mut dice);
        assert_eq!(kept, writes[..kept.len()]);
        let torn = left(writes.clone(), Loss::Torn, &mut dice);
        assert_eq!(torn.last().map(length), Some(488));
        let some = left(writes.clone(), Loss::Scattered, &mut dice);
        assert!(!some.is_empty() && some.len() < writes.len() && some != writes[..some.len()]);
    }

    #[test]
    fn a_cut_drops_what_was_not_synced_and_files_that_never_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let (live, keep) = (folder.path().join("live"), folder.path().join("keep"));
        std::fs::create_dir_all(&live).expect("a folder");
        std::fs::write(live.join("a"), b"old").expect("a file");
        settle(&live, &keep).expect("images");
        std::fs::write(live.join("a"), b"new").expect("a file");
        std::fs::write(keep.join("a.pending"), record(1, 0, b"new")).expect("a file");
        std::fs::write(live.join("a-shm"), b"memory").expect("a file");
        assert_eq!(cut(&live, &keep, Loss::All, &mut Dice::new(1, "x")).expect("a cut"), 3);
        assert_eq!(std::fs::read(live.join("a")).expect("a file"), b"old");
        assert!(!live.join("a-shm").exists());
    }
}
