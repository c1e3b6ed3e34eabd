//! The platform's facts, one at a time, as they are imported. What a feed says is stored as said;
//! whether it hangs together is found by diagnosis and the reconciler, not refused at the door,
//! except where it would break the ledger's arithmetic.

use serde::{Deserialize, Serialize};

use crate::ledger::{Account, Charge, Refund};
use crate::support::TicketLink;
use crate::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};

/// One fact. Rows refer to rows before them: users before accounts, accounts before projects,
/// projects before nodes, nodes before runs, runs before everything that happened to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Fact {
    Provider(Provider),
    Model(Model),
    User(User),
    Account(Account),
    Workspace(Workspace),
    Project(Project),
    Node(Node),
    Run(Run),
    Charge(Charge),
    Job(Job),
    Webhook(Webhook),
    Upload(Upload),
    Output(Output),
    Refund(Refund),
    Ticket(TicketLink),
}
