//! What the last thing that a feed said about a row is known by, on both backends: the same again
//! changes nothing. A record that is copied from one backend to the other keeps it.

use makegood_domain::feed::Fact;
use makegood_domain::ledger::{Refund, RefundState};
use makegood_domain::ports::{StoreResult, Written};

use crate::rows::unwritten;

/// SHA-256 of the fact as JSON.
pub(crate) fn digest(fact: &Fact) -> StoreResult<Vec<u8>> {
    Ok(Written::of(fact).map_err(unwritten)?.digest().to_vec())
}

/// Of a refund: its other state, and the digest that it has in that. A refund known as posted can be reversed,
/// and one known as reversed was posted before; no other change of a refund is taken.
pub(crate) fn digest_in_other_state(fact: &Fact) -> StoreResult<Option<(RefundState, Vec<u8>)>> {
    let Fact::Refund(row) = fact else { return Ok(None) };
    let state = match row.state {
        RefundState::Posted => RefundState::Reversed,
        RefundState::Reversed => RefundState::Posted,
    };
    Ok(Some((state, digest(&Fact::Refund(Refund { state, ..row.clone() }))?)))
}
