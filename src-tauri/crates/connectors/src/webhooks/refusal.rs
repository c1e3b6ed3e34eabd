//! Why a delivery is not believed, in words for whoever set the webhook up. Nothing of a body and
//! nothing of a secret is in them.

/// Every reason there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the header {0} is missing")]
    Missing(&'static str),
    #[error("the header {0} came more than once")]
    Twice(&'static str),
    #[error("the header {header} is not {wanted}")]
    Malformed { header: &'static str, wanted: &'static str },
    #[error("it was signed {seconds} s ago, and {limit} s are believed: a replay, or a clock that is wrong")]
    TooOld { seconds: i64, limit: i64 },
    #[error("it was signed {seconds} s in the future, and {limit} s are believed: a clock is wrong")]
    TooNew { seconds: i64, limit: i64 },
    #[error("no signature fits: another secret or key, or the body was altered on its way")]
    NoneFits,
    #[error("no secret and no key is set up for the kind of signature that it has")]
    NoKey,
}
