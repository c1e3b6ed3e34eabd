//! The people who work in the practice workspace: enough for a second person's yes (R53).

use jiff::Timestamp;
use makegood_domain::ids::AgentId;
use makegood_domain::money::Credits;
use makegood_domain::ports::{ApprovalStore as _, Person, Role, StoreError};
use makegood_store::sqlite::SqliteStore;

/// Credits that each may restore alone: the built-in policy's.
const PER_POSTING: Credits = 500;
const PER_DAY: Credits = 2_000;

/// Id, name and roles. The first one sits at the window.
const CREW: &[(&str, &str, &[Role])] = &[
    ("ana.prata", "Ana Prata", &[Role::Agent, Role::Approver]),
    ("ben.kowal", "Ben Kowal", &[Role::Agent, Role::Approver]),
    ("lena.duarte", "Lena Duarte", &[Role::Agent]),
];

/// Records those of the crew that the record does not know; who is there stays as he or she is.
///
/// # Errors
/// When the record cannot be used.
pub async fn join(store: &SqliteStore, at: Timestamp) -> Result<(), StoreError> {
    let known = store.people().await?;
    for (id, name, roles) in CREW {
        if known.iter().any(|person| person.id.as_str() == *id) {
            continue;
        }
        let person = Person {
            id: AgentId::new(*id),
            name: (*name).to_owned(),
            roles: roles.to_vec(),
            per_posting: PER_POSTING,
            per_day: PER_DAY,
        };
        store.put_person(&person, at).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use makegood_domain::policy::Policy;

    use super::*;

    #[test]
    fn the_crew_has_the_limits_of_the_built_in_policy() {
        let limits = Policy::default_policy().expect("the built-in policy is right").limits;
        assert_eq!((PER_POSTING, PER_DAY), (limits.credits_per_posting, limits.credits_per_day));
    }

    #[tokio::test]
    async fn joining_twice_keeps_who_is_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&dir.path().join("makegood.sqlite")).await.expect("a record");
        let ana = Person {
            id: AgentId::new("ana.prata"),
            name: "Ana P.".to_owned(),
            roles: vec![Role::Agent],
            per_posting: 10,
            per_day: 20,
        };
        store.put_person(&ana, Timestamp::UNIX_EPOCH).await.expect("recorded");
        for _ in 0..2 {
            join(&store, Timestamp::UNIX_EPOCH).await.expect("joined");
        }
        let people = store.people().await.expect("read");
        assert_eq!(people.len(), CREW.len());
        assert!(people.contains(&ana), "{people:?}");
    }
}
