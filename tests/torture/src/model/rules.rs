//! The rules of the protocol, each of which can be left out, to see that it is needed.

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A transition is written only as the next one after the state that it was decided on.
    pub compare_seq: bool,
    /// A live lease keeps refunds off.
    pub lease_keeps_off: bool,
    /// Only the newest lease delivers.
    pub fence: bool,
    /// An item is settled once.
    pub once: bool,
    /// The reconciler looks again, until nothing is open.
    pub sweep: bool,
    /// What goes out is written together with the effect that it tells of.
    pub letter_with_effect: bool,
    /// The same letter, sent again, changes nothing.
    pub letter_once: bool,
    /// The canvas is told after the record, never before.
    pub record_first: bool,
    /// A release takes back only a refund that stands.
    pub refund_stands: bool,
    /// A release is the debit and the delivery in one.
    pub release_whole: bool,
    /// A release that is asked for again under its key is the same one.
    pub release_once: bool,
}

impl Rules {
    pub const ALL: Self = Self {
        compare_seq: true,
        lease_keeps_off: true,
        fence: true,
        once: true,
        sweep: true,
        letter_with_effect: true,
        letter_once: true,
        record_first: true,
        refund_stands: true,
        release_whole: true,
        release_once: true,
    };

    /// Whether what is left out is shown only where something is released.
    #[must_use]
    pub fn bend_releases(&self) -> bool {
        !(self.refund_stands && self.release_whole && self.release_once)
    }
}

/// The protocol without a rule, or without two that stand in for one another, and what comes of it.
pub const MUTANTS: [(&str, Rules, &[&str]); 11] = [
    ("no compare of seq", Rules { compare_seq: false, ..Rules::ALL }, &["I3", "I2", "I5", "lease"]),
    ("refund ignores a lease", Rules { lease_keeps_off: false, ..Rules::ALL }, &["live lease"]),
    ("canvas before record", Rules { record_first: false, ..Rules::ALL }, &["I6"]),
    ("no sweep", Rules { sweep: false, ..Rules::ALL }, &["not settled"]),
    ("letter apart from effect", Rules { letter_with_effect: false, ..Rules::ALL }, &["I7", "I6"]),
    ("a letter sent again counts again", Rules { letter_once: false, ..Rules::ALL }, &["I6"]),
    ("no fence and not once", Rules { fence: false, once: false, ..Rules::ALL }, &["I2", "I5", "I6"]),
    ("no fence, no compare", Rules { fence: false, compare_seq: false, ..Rules::ALL }, &["I3", "I2", "I5"]),
    ("a release of what is not refunded", Rules { refund_stands: false, ..Rules::ALL }, &["I2"]),
    ("delivered before it is debited", Rules { release_whole: false, ..Rules::ALL }, &["I5"]),
    ("one agreement, two debits", Rules { release_once: false, ..Rules::ALL }, &["P4"]),
];
