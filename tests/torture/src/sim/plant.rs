//! What stands between the programs of a house and their surroundings. In the suite itself: nothing.
//! To see that the suite notices what it should, bugs are put here (`self_test::sim`).

use std::sync::Arc;

use makegood_domain::policy::Policy;
use makegood_domain::ports::Vault;

use crate::between::Between;

/// A vault in front of another one.
pub type BeforeVault = fn(Arc<dyn Vault>) -> Arc<dyn Vault>;

/// By the place where it is planted. Each house gets its own.
#[derive(Clone, Copy, Default)]
pub struct Plant {
    /// Right before the record, and behind whoever watches it.
    pub record: Option<fn() -> Arc<dyn Between>>,
    /// Before the vault.
    pub vault: Option<BeforeVault>,
    /// Stories until it must have been noticed; 0: as many as show most bugs.
    pub seeds: u64,
    /// It shows in houses with a slow provider.
    pub slow: bool,
    /// Other numbers for the programs than those that the suite goes by.
    pub policy: Option<fn(&mut Policy)>,
}
