//! Which project of the scope a reference means (P2).

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::ids::{AccountId, ProjectId};
use crate::ledger::AccountKind;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::work::{MemberStatus, Project};

/// What became of a project reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectRef {
    /// The ticket names none.
    Absent,
    /// These, as written: by id (one) or by name (any with that name).
    Found(BTreeSet<ProjectId>),
    /// These, after a typing error was put right.
    Corrected(BTreeSet<ProjectId>),
    /// Nothing in scope. Never confirmed to exist elsewhere (P11).
    Unknown,
}

impl ProjectRef {
    /// The projects that it stands for, where it stands for any.
    #[must_use]
    pub fn projects(&self) -> Option<&BTreeSet<ProjectId>> {
        match self {
            Self::Found(ids) | Self::Corrected(ids) => Some(ids),
            Self::Absent | Self::Unknown => None,
        }
    }
}

/// Accounts whose runs the requester may be told about: the personal one, and those of workspaces
/// with an active membership (P2).
#[must_use]
pub fn own_accounts(scope: &Scope) -> BTreeSet<&AccountId> {
    let Some(user) = &scope.requester.user_id else { return BTreeSet::new() };
    let personal = scope
        .accounts
        .iter()
        .filter(|account| account.kind == AccountKind::Personal && account.owner_user_id == *user)
        .map(|account| &account.id);
    let shared = scope
        .workspaces
        .iter()
        .filter(|workspace| {
            workspace.members.iter().any(|member| member.user_id == *user && member.status == MemberStatus::Active)
        })
        .map(|workspace| &workspace.account_id);
    personal.chain(shared).collect()
}

/// Projects in scope: those of the requester's accounts, and those of the runs in scope. The scope
/// lists others too, in which only a stray output lies.
#[must_use]
pub fn own_projects(scope: &Scope) -> Vec<&Project> {
    let accounts = own_accounts(scope);
    let started: BTreeSet<&ProjectId> = scope.runs.iter().map(|row| &row.run.project_id).collect();
    scope
        .projects
        .iter()
        .filter(|project| accounts.contains(&project.account_id) || started.contains(&project.id))
        .collect()
}

/// Resolves a reference: the id as written, the id apart from case, punctuation and look-alikes, the
/// exact name, and last the one id that is near enough for a typing error.
#[must_use]
pub fn resolve(reference: Option<&str>, scope: &Scope, policy: &Policy) -> ProjectRef {
    let Some(written) = reference.map(str::trim).filter(|text| !text.is_empty()) else {
        return ProjectRef::Absent;
    };
    let own = own_projects(scope);
    let pick = |test: &dyn Fn(&Project) -> bool| -> BTreeSet<ProjectId> {
        own.iter().filter(|project| test(project)).map(|project| project.id.clone()).collect()
    };
    let exact = pick(&|project| project.id.as_str() == written);
    if !exact.is_empty() {
        return ProjectRef::Found(exact);
    }
    let folded = fold(written);
    if !folded.is_empty() {
        let alike = pick(&|project| fold(project.id.as_str()) == folded);
        if !alike.is_empty() {
            return ProjectRef::Corrected(alike);
        }
    }
    let name: String = written.nfc().collect();
    let named = pick(&|project| project.name.trim().nfc().eq(name.chars()));
    if !named.is_empty() {
        return ProjectRef::Found(named);
    }
    let near = pick(&|project| is_near(&folded, &fold(project.id.as_str()), policy.matching.project_id_edits));
    if near.len() == 1 { ProjectRef::Corrected(near) } else { ProjectRef::Unknown }
}

/// Case, punctuation and look-alikes apart: O is 0, I and L are 1.
fn fold(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|letter| letter.is_alphanumeric())
        .map(|letter| match letter {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect()
}

/// Lengths that differ by more cannot be near; the check also bounds the work on long text.
fn is_near(a: &str, b: &str, edits: usize) -> bool {
    let (long, short) = (a.chars().count(), b.chars().count());
    long > edits && long.abs_diff(short) <= edits && strsim::levenshtein(a, b) <= edits
}
