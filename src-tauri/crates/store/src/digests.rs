//! What the last thing that a feed said about a row is known by, on both backends: the same again
//! changes nothing. A record that is copied from one backend to the other keeps it.

use makegood_domain::feed::Fact;
use makegood_domain::ledger::{Refund, RefundState};
use makegood_domain::ports::StoreResult;
use sha2::{Digest, Sha256};

use crate::rows::document;

/// SHA-256 of the fact as JSON.
pub(crate) fn digest(fact: &Fact) -> StoreResult<Vec<u8>> {
    Ok(Sha256::digest(document(fact)?.as_bytes()).to_vec())
}

/// Of a refund that is reversed: the digest that it had as posted. A refund known by that one can be
/// reversed; no other change of a refund is taken.
pub(crate) fn digest_as_posted(fact: &Fact) -> StoreResult<Option<Vec<u8>>> {
    match fact {
        Fact::Refund(row) if row.state == RefundState::Reversed => {
            digest(&Fact::Refund(Refund { state: RefundState::Posted, ..row.clone() })).map(Some)
        }
        _ => Ok(None),
    }
}
