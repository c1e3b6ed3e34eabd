//! The index of an archive: which files it says it holds, and where (PKWARE APPNOTE 6.3.10, 4.3). Pure, and of
//! everything that it claims nothing is believed that does not fit with the rest: members lie one after another before
//! the index, none over another, and none gives more than media files do when they are unpacked.

use std::path::Path;

/// The end of an archive, with the longest remark that it may have.
pub const TAIL: u64 = END as u64 + 0xffff;
/// A longer index is not read: a thousand files have a tenth of it.
pub const LONGEST: u64 = 1024 * 1024;
const END: usize = 22;
const ENTRY: usize = 46;
/// The head of a member, without its name.
pub const HEAD: u64 = 30;
/// More files than any provider gives.
const MEMBERS_MAX: usize = 1000;
/// Media files are packed already: what gives so many times its length, and more than this anyway, is a bomb.
const RATIO_MAX: u64 = 100;
const HARMLESS: u64 = 1024 * 1024;
/// Beside the files that somebody paid for.
const BY_THE_WAY: [&str; 10] = ["txt", "json", "csv", "log", "md", "html", "xml", "yaml", "yml", "safetensors"];

/// Why an archive is not unpacked. For agents; never holds a name out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("it has no index")]
    NoIndex,
    #[error("its index is cut or broken")]
    Broken,
    #[error("it is longer, or has more files, than is read here")]
    TooMuch,
    #[error("its index does not fit its length")]
    Overlap,
    #[error("a file in it is encrypted")]
    Encrypted,
    #[error("a file in it is packed in a way that is not known here: {0}")]
    Method(u16),
    #[error("a file in it would unpack to {0} times its length")]
    Bomb(u64),
    #[error("a file in it is not as the index says")]
    NotAsSaid,
}

/// How a member is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Stored,
    Deflated,
}

/// A file of an archive. Its name is nobody's business: files are known by their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where its head begins.
    pub at: u64,
    /// Where what follows begins: its head and bytes lie before.
    pub end: u64,
    /// Bytes as they lie there.
    pub packed: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// CRC-32 of the file.
    pub crc: u32,
    pub method: Method,
}

/// Where the index lies, as the end of the archive says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: u64,
    pub bytes: u64,
    entries: usize,
}

/// Finds the index in the last bytes of an archive of `total` bytes.
///
/// # Errors
/// Where there is none, or none that is read here.
pub fn find(tail: &[u8], total: u64) -> Result<Place, Flaw> {
    let starts = (0..=tail.len().checked_sub(END).ok_or(Flaw::NoIndex)?).rev();
    // The last one whose remark ends with the archive: a remark may hold what looks like an end.
    let end = starts
        .filter_map(|start| tail.get(start..))
        .find(|end| end.starts_with(b"PK\x05\x06") && u16_at(end, 20).map(usize::from) == Some(end.len() - END));
    let end = end.ok_or(Flaw::NoIndex)?;
    let short = |at| u16_at(end, at).ok_or(Flaw::Broken);
    let long = |at| u32_at(end, at).ok_or(Flaw::Broken);
    let (disk, of_index, here, entries) = (short(4)?, short(6)?, short(8)?, short(10)?);
    let (bytes, at) = (u64::from(long(12)?), u64::from(long(16)?));
    if disk != 0 || of_index != 0 || here != entries {
        return Err(Flaw::Broken);
    }
    if usize::from(entries) > MEMBERS_MAX || bytes > LONGEST || at == u64::from(u32::MAX) {
        return Err(Flaw::TooMuch);
    }
    if at + bytes + end.len() as u64 != total {
        return Err(Flaw::Overlap);
    }
    Ok(Place { at, bytes, entries: entries.into() })
}

/// The files in an index, in its order; folders and what lies beside the files are left out.
///
/// # Errors
/// Where something in it can't be so: then nothing of it is of use.
pub fn read(place: &Place, index: &[u8]) -> Result<Vec<Member>, Flaw> {
    let mut entries = Vec::new();
    let mut rest = index;
    for _ in 0..place.entries {
        let (member, is_file, length) = entry(rest)?;
        entries.push((member, is_file));
        rest = rest.get(length..).ok_or(Flaw::Broken)?;
    }
    if !rest.is_empty() {
        return Err(Flaw::Broken);
    }
    // Each ends where the next begins, whatever the order of the index is.
    let mut starts: Vec<u64> = entries.iter().map(|(member, _)| member.at).chain([place.at]).collect();
    starts.sort_unstable();
    let mut members = Vec::new();
    for (mut member, is_file) in entries {
        let next = starts.partition_point(|start| *start <= member.at);
        member.end = starts.get(next).copied().ok_or(Flaw::Overlap)?;
        if member.end > place.at || member.at + HEAD + member.packed > member.end {
            return Err(Flaw::Overlap);
        }
        if is_file {
            members.push(member);
        }
    }
    // Two that begin at one place have one end.
    if starts.windows(2).any(|two| two[0] == two[1]) {
        return Err(Flaw::Overlap);
    }
    members.iter().try_for_each(sound)?;
    Ok(members)
}

/// One entry, whether it is a file, and how long the entry is.
fn entry(rest: &[u8]) -> Result<(Member, bool, usize), Flaw> {
    if !rest.starts_with(b"PK\x01\x02") {
        return Err(Flaw::Broken);
    }
    let short = |at| u16_at(rest, at).ok_or(Flaw::Broken);
    let long = |at| u32_at(rest, at).ok_or(Flaw::Broken);
    let (flags, method, crc) = (short(8)?, short(10)?, long(16)?);
    let (packed, bytes, at) = (long(20)?, long(24)?, long(42)?);
    let (name, extra, remark) = (usize::from(short(28)?), usize::from(short(30)?), usize::from(short(32)?));
    let name = rest.get(ENTRY..ENTRY + name).ok_or(Flaw::Broken)?;
    let is_file = is_file(&String::from_utf8_lossy(name));
    if is_file && flags & 1 != 0 {
        return Err(Flaw::Encrypted);
    }
    if [packed, bytes, at].contains(&u32::MAX) {
        return Err(Flaw::TooMuch);
    }
    let method = match method {
        0 => Method::Stored,
        8 => Method::Deflated,
        _ if !is_file => Method::Stored,
        other => return Err(Flaw::Method(other)),
    };
    let (at, packed, bytes) = (at.into(), packed.into(), bytes.into());
    let member = Member { at, end: 0, packed, bytes, crc, method };
    Ok((member, is_file, ENTRY + name.len() + extra + remark))
}

fn sound(member: &Member) -> Result<(), Flaw> {
    if member.method == Method::Stored && member.packed != member.bytes {
        return Err(Flaw::NotAsSaid);
    }
    if member.bytes > HARMLESS && member.bytes / member.packed.max(1) > RATIO_MAX {
        return Err(Flaw::Bomb(member.bytes / member.packed.max(1)));
    }
    Ok(())
}

/// Whether a name is that of a file that somebody may have paid for. It decides nothing else.
fn is_file(name: &str) -> bool {
    let hidden = |part: &str| part == "__MACOSX" || (part.starts_with('.') && !matches!(part, "." | ".."));
    let extension = Path::new(name).extension().map(|one| one.to_string_lossy().to_ascii_lowercase());
    let is_by_the_way = extension.is_some_and(|one| BY_THE_WAY.contains(&one.as_str()));
    !name.ends_with(['/', '\\']) && !name.split(['/', '\\']).any(hidden) && !is_by_the_way
}

pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
