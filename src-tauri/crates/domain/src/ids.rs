//! Identifiers. Each is the text the outside world uses; Makegood never takes one apart.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )+};
}

ids! {
    /// A person who uses the product (the customer's side).
    UserId,
    /// What owns balances: personal or of a workspace.
    AccountId,
    /// A subscription quota, wallet, workspace pool or workspace wallet.
    BalanceId,
    WorkspaceId,
    ProjectId,
    NodeId,
    /// One press of Run, or one retry of it by the system.
    RunId,
    /// The provider's name for its side of a run.
    JobId,
    /// A provider, as the product's catalogue names it. Data, never an enum.
    ProviderId,
    ModelId,
    ChargeId,
    /// A posting that returned credits of a charge, whoever made it.
    RefundId,
    OutputId,
    WebhookId,
    /// The help desk's id of a ticket.
    TicketId,
    MessageId,
    AttachmentId,
    /// Makegood's review of one ticket.
    CaseId,
    /// A person who works the console.
    AgentId,
    /// Made and stored before an action is sent; the same key always gets the same answer.
    ActionKey,
    /// A request for a second person's yes.
    ApprovalId,
}
