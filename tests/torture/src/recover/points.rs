//! The steps of bringing a file to its place at which a program can end, by the names of reliability: what
//! each of them is in the calls of the program.

/// Whether the credits of the item whose file comes are with the platform, or went back before it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// The file is delivered.
    Charged,
    /// The file is a late result: it is saved, and nobody gets it.
    Refunded,
}

impl Net {
    pub const ALL: [Self; 2] = [Self::Charged, Self::Refunded];

    pub fn word(self) -> &'static str {
        match self {
            Self::Charged => "charged",
            Self::Refunded => "refunded",
        }
    }
}

/// A step, and where the program stands still for it.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub name: &'static str,
    /// Names of its places, of which one is taken: before or after a call, the n-th time.
    pub marks: &'static [&'static str],
    /// It goes on from there, and ends within so many microseconds: somewhere in the call.
    pub within_micros: u64,
}

const fn at(name: &'static str, marks: &'static [&'static str]) -> Point {
    Point { name, marks, within_micros: 0 }
}

const fn within(name: &'static str, marks: &'static [&'static str], micros: u64) -> Point {
    Point { name, marks, within_micros: micros }
}

/// After the first part of the file, after each quarter of it, and after the last. At all but the first more is here
/// than an end may lose.
pub const BYTES: &[&str] = &[
    "vault_write.after.1",
    "vault_write.after.8",
    "vault_write.after.16",
    "vault_write.after.24",
    "vault_write.after.32",
];

/// Where the file is delivered: by the second effect of its action, after the lease.
const CHARGED: [Point; 12] = [
    at("k0", &["begin_action.before.1"]),
    at("k1", &["begin_action.after.1"]),
    at("k2", BYTES),
    at("k3", &["fetch.after.1"]),
    at("k4", &["vault_commit.before.1"]),
    within("k5", &["vault_commit.before.1"], 4_000),
    at("k6", &["vault_commit.after.1"]),
    at("k7", &["keep_capture.after.1"]),
    at("k8", &["apply.before.2"]),
    at("k9", &["apply.after.2"]),
    within("k10", &["apply.before.2"], 3_000),
    at("k11", &["finish_action.after.1"]),
];

/// Where it is saved only, by the look-up before the review, and the action is about the other item.
const REFUNDED: [Point; 12] = [
    at("k0", &["begin_action.before.1"]),
    at("k1", &["begin_action.after.1"]),
    at("k2", BYTES),
    at("k3", &["fetch.after.1"]),
    at("k4", &["vault_commit.before.1"]),
    within("k5", &["vault_commit.before.1"], 4_000),
    at("k6", &["vault_commit.after.1"]),
    at("k7", &["keep_capture.after.1"]),
    at("k8", &["apply.before.1"]),
    at("k9", &["apply.after.1"]),
    within("k10", &["apply.before.1"], 3_000),
    at("k11", &["finish_action.after.1"]),
];

impl Net {
    pub fn points(self) -> &'static [Point; 12] {
        match self {
            Self::Charged => &CHARGED,
            Self::Refunded => &REFUNDED,
        }
    }
}

/// How a program ends, or is kept from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `kill -9`.
    Killed,
    /// A defect: everything on the way out is cleared away.
    Panics,
    /// Stopped until its lease is over and another program has done the work; then it goes on.
    Stopped,
    /// What of the vault was not synced is gone, and of the record where that is a file; a server goes on.
    PowerCut,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Killed, Self::Panics, Self::Stopped, Self::PowerCut];

    pub fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Panics => "panics",
            Self::Stopped => "stopped",
            Self::PowerCut => "power",
        }
    }
}
